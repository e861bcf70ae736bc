// What each op means, by examples computed by hand. The table must have a case for every op of ops.def.
#include "ir/interpret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "ir/parse.h"
#include "ir/verify.h"

namespace rnnc {
namespace {

using Numbers = std::vector<double>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// Three rows: sequence T0 has lengths 3, 2, 1, sequence T1 has lengths 2, 2, 0.
constexpr int64_t kOffsets0[] = {0, 3, 5, 6}, kOffsets1[] = {0, 2, 4};
constexpr const int64_t* kOffsets[] = {kOffsets0, kOffsets1};
constexpr int32_t kCapacity[] = {3, 2};
constexpr RowTable kTable{3, kOffsets, kCapacity};

struct Case {
  Op op;
  std::string graph;  // the last node is the one meant
  std::map<std::string, Numbers> given;
  Numbers expected;
};

Case unary(Op op, Numbers x, Numbers expected) {
  const std::string n = std::to_string(x.size());
  return {
      op,
      "%0 = input \"x\" : f32[1, " + n + "]\n%1 = " + std::string(info(op).name) + " %0 : f32[1, " + n + "]",
      {{"x", x}},
      std::move(expected)};
}

Case binary(Op op, Numbers x, Numbers y, Numbers expected) {
  const std::string n = std::to_string(x.size());
  return {op,
          "%0 = input \"x\" : f32[1, " + n + "]\n%1 = input \"y\" : f32[1, " + n +
              "]\n%2 = " + std::string(info(op).name) + " %0 %1 : f32[1, " + n + "]",
          {{"x", std::move(x)}, {"y", std::move(y)}},
          std::move(expected)};
}

std::vector<Case> element_cases() {
  const double e = std::exp(1.0);
  return {
      {Op::Variable, "%0 = variable \"x\" : f32[2, 2]", {{"x", {1, 2, 3, 4}}}, {1, 2, 3, 4}},
      {Op::Input, "%0 = input \"x\" : i32[B, 1]", {{"x", {1, 2, -1}}}, {1, 2, -1}},
      {Op::Constant, "%0 = constant 0.1 : f32[T0.1:3, 1]", {}, {0.1, 0.1, 0.1}},
      unary(Op::Neg, {1, -2, 0, kNaN}, {-1, 2, 0, kNaN}),
      unary(Op::Exp, {0, 1, -kInf, kNaN}, {1, e, 0, kNaN}),
      unary(Op::Log, {1, e, 0, -1, kNaN}, {0, 1, -kInf, kNaN, kNaN}),
      unary(Op::Sqrt, {4, 0, -1, kNaN}, {2, 0, kNaN, kNaN}),
      unary(Op::Abs, {-3, 3, 0, kNaN}, {3, 3, 0, kNaN}),
      unary(Op::Sign, {-3, 0.5, 0, kNaN}, {-1, 1, 0, kNaN}),
      unary(Op::Sin, {0, M_PI / 2, kNaN}, {0, 1, kNaN}),
      unary(Op::Cos, {0, M_PI, kNaN}, {1, -1, kNaN}),
      unary(Op::Sigmoid, {0, 1, 1000, -1000, kNaN}, {0.5, e / (1 + e), 1, 0, kNaN}),
      unary(Op::Tanh, {0, 1, 1000, kNaN}, {0, (e * e - 1) / (e * e + 1), 1, kNaN}),
      unary(Op::Relu, {2, -2, 0, kNaN}, {2, 0, 0, kNaN}),
      unary(Op::Softplus, {0, 1000, -1000, kNaN}, {std::log(2.0), 1000, 0, kNaN}),
      unary(Op::Copy, {1, -2, kNaN}, {1, -2, kNaN}),
      unary(Op::Keep, {1, -2, kNaN}, {1, -2, kNaN}),
      unary(Op::Stop, {1, -2, kNaN}, {1, -2, kNaN}),
      binary(Op::Add, {1, 2}, {10, 20}, {11, 22}),
      binary(Op::Onto, {1, 2}, {10, 20}, {11, 22}),
      binary(Op::Sub, {1, 2}, {10, 30}, {-9, -28}),
      binary(Op::Mul, {1, 2}, {10, 20}, {10, 40}),
      binary(Op::Div, {1, 2, 1}, {10, 4, 0}, {0.1, 0.5, kInf}),
      binary(Op::Pow, {2, 9, -1}, {3, 0.5, 0.5}, {8, 3, kNaN}),
      binary(Op::Max, {1, 5, kNaN, 1}, {2, 4, 1, kNaN}, {2, 5, kNaN, kNaN}),
      binary(Op::Min, {1, 5, kNaN, 1}, {2, 4, 1, kNaN}, {1, 4, kNaN, kNaN}),
      binary(Op::Less, {1, 2, 3, kNaN}, {2, 2, 2, 1}, {1, 0, 0, 0}),
      binary(Op::LessEqual, {1, 2, 3, kNaN}, {2, 2, 2, 1}, {1, 1, 0, 0}),
      binary(Op::Equal, {1, 2, 3, kNaN}, {2, 2, 2, kNaN}, {0, 1, 0, 0}),
      {Op::Sub,  // [B, 1] and [1, 2] stretch to [B, 2]
       "%0 = input \"x\" : f32[B, 1]\n%1 = input \"y\" : f32[1, 2]\n%2 = sub %0 %1 : f32[B, 2]",
       {{"x", {1, 2, 3}}, {"y", {10, 20}}},
       {-9, -19, -8, -18, -7, -17}},
      {Op::Sum,  // from left to right: 1 is lost beside 1e100
       "%0 = input \"x\" : f32[1, 2]\n%1 = input \"y\" : f32[1, 2]\n%2 = input \"z\" : f32[1, 2]\n"
       "%3 = sum %0 %1 %2 : f32[1, 2]",
       {{"x", {1, 1}}, {"y", {1e100, 2}}, {"z", {-1e100, 3}}},
       {0, 6}},
      {Op::PairIndex,
       "%0 = input \"x\" : i32[B, 1]\n%1 = input \"y\" : i32[B, 1]\n"
       "%2 = pair_index %0 %1 {offset=4} : i32[B, 1]",
       {{"x", {1, 0, -1}}, {"y", {2, -1, 3}}},
       {6, -1, -1}},
      {Op::OneHot,
       "%0 = input \"x\" : i32[B, 1]\n%1 = one_hot %0 : f32[B, 2]",
       {{"x", {1, 0, -1}}},
       {0, 1, 1, 0, 0, 0}},
      {Op::Coin,  // 24 bits of Philox: 0x725e81, 0xa5288b, 0x2ae9d9, 0x160b0a; 0.4 is 0x666666
       "%0 = input \"x\" : i32[1, 2]\n%1 = input \"y\" : i32[1, 2]\n"
       "%2 = coin %0 %1 {value=0.4, offset=9} : f32[1, 4]",
       {{"x", {3, 2}}, {"y", {-1, 5}}},
       {0, 0, 1, 1}},
      {Op::ClipGradient,
       "%0 = input \"x\" : f32[1, 2]\n%1 = clip_gradient %0 {value=0.5} : f32[1, 2]",
       {{"x", {-3, kNaN}}},
       {-3, kNaN}},
      {Op::RowCount, "%0 = constant 0 : f32[T0.1, 4]\n%1 = row_count %0 : f32[1, 1]", {}, {2}},
  };
}

const std::string kMatrix = "%0 = input \"x\" : f32[2, 3]\n";
const std::string kSteps = "%0 = input \"x\" : f32[T0.0:3, 1]\n";
const Numbers k1to6 = {1, 2, 3, 4, 5, 6};

std::vector<Case> joining_cases() {
  return {
      {Op::SumCols, kMatrix + "%1 = sum_cols %0 : f32[2, 1]", {{"x", k1to6}}, {6, 15}},
      {Op::MaxCols, kMatrix + "%1 = max_cols %0 : f32[2, 1]", {{"x", {1, 3, 2, 4, kNaN, 5}}}, {3, kNaN}},
      {Op::ArgMax, kMatrix + "%1 = argmax %0 : i32[2, 1]", {{"x", {1, 3, 3, 4, kNaN, 5}}}, {1, 1}},
      {Op::SumRows, kMatrix + "%1 = sum_rows %0 : f32[1, 3]", {{"x", k1to6}}, {5, 7, 9}},
      {Op::SumRows, "%0 = constant 1 : f32[T1.0, 1]\n%1 = sum_rows %0 : f32[1, 1]", {}, {2}},
      {Op::MaxRows, kMatrix + "%1 = max_rows %0 : f32[1, 3]", {{"x", {1, -3, 2, -4, kNaN, 5}}}, {1, kNaN, 5}},
      {Op::MatMul,
       kMatrix + "%1 = input \"y\" : f32[3, 2]\n%2 = matmul %0 %1 : f32[2, 2]",
       {{"x", k1to6}, {"y", k1to6}},
       {22, 28, 49, 64}},
      {Op::MatMul,
       kMatrix + "%1 = input \"y\" : f32[1, 3]\n%2 = matmul %0 %1 {right^T} : f32[2, 1]",
       {{"x", k1to6}, {"y", {1, 0, 2}}},
       {7, 16}},
      {Op::MatMul,
       kMatrix + "%1 = input \"y\" : f32[2, 1]\n%2 = matmul %0 %1 {left^T} : f32[3, 1]",
       {{"x", k1to6}, {"y", {1, 2}}},
       {9, 12, 15}},
      {Op::MatMul,
       kMatrix + "%1 = input \"y\" : f32[1, 2]\n%2 = matmul %0 %1 {left^T, right^T} : f32[3, 1]",
       {{"x", k1to6}, {"y", {1, 2}}},
       {9, 12, 15}},
      {Op::MatMul,  // the rows of step 1 only
       "%0 = input \"x\" : f32[T0.1, 1]\n%1 = input \"y\" : f32[T0.1, 2]\n%2 = matmul %0 %1 {left^T} : "
       "f32[1, 2]",
       {{"x", {1, 2}}, {"y", {1, 2, 3, 4}}},
       {7, 10}},
  };
}

std::vector<Case> moving_cases() {
  return {
      {Op::SliceCols, kMatrix + "%1 = slice_cols %0 {offset=1} : f32[2, 2]", {{"x", k1to6}}, {2, 3, 5, 6}},
      {Op::ConcatCols,
       kMatrix + "%1 = input \"y\" : f32[2, 1]\n%2 = concat_cols %0 %1 : f32[2, 4]",
       {{"x", k1to6}, {"y", {7, 8}}},
       {1, 2, 3, 7, 4, 5, 6, 8}},
      {Op::SliceRows, kMatrix + "%1 = slice_rows %0 {offset=1} : f32[1, 3]", {{"x", k1to6}}, {4, 5, 6}},
      {Op::SliceRows, kSteps + "%1 = slice_rows %0 : f32[T0.1, 1]", {{"x", k1to6}}, {4, 5}},
      {Op::SliceRows,
       "%0 = input \"x\" : f32[T0.1:3, 1]\n%1 = slice_rows %0 : f32[T0.2, 1]",
       {{"x", {4, 5, 6}}},
       {6}},
      {Op::ConcatRows,
       kMatrix + "%1 = input \"y\" : f32[1, 3]\n%2 = concat_rows %0 %1 : f32[3, 3]",
       {{"x", k1to6}, {"y", {7, 8, 9}}},
       {1, 2, 3, 4, 5, 6, 7, 8, 9}},
      {Op::ConcatRows,
       "%0 = input \"x\" : i32[T0.0, 1]\n%1 = input \"y\" : i32[T0.1:3, 1]\n%2 = concat_rows %0 %1 : "
       "i32[T0.0:3, 1]",
       {{"x", {1, 2, 3}}, {"y", {4, 5, 6}}},
       k1to6},
      {Op::TakeRows,
       "%0 = input \"x\" : f32[B, 2]\n%1 = take_rows %0 : f32[T0.1, 2]",
       {{"x", k1to6}},
       {1, 2, 3, 4}},
      {Op::PadRows, "%0 = input \"x\" : f32[T0.2, 1]\n%1 = pad_rows %0 : f32[B, 1]", {{"x", {7}}}, {7, 0, 0}},
      {Op::TailRows,  // the rows that do not run at step 2 any more
       "%0 = input \"x\" : f32[T0.0, 1]\n%1 = tail_rows %0 {offset=2} : f32[T0.0, 1]",
       {{"x", {1, 2, 3}}},
       {0, 2, 3}},
      {Op::TailRows,  // after the last step no row runs
       "%0 = input \"x\" : f32[T0.2, 1]\n%1 = tail_rows %0 {offset=3} : f32[T0.2, 1]",
       {{"x", {1}}},
       {1}},
      {Op::TailRows,  // T1 runs two rows at step 1
       "%0 = input \"x\" : f32[B1, 1]\n%1 = tail_rows %0 {offset=1} : f32[B1, 1]",
       {{"x", {1, 2, 3}}},
       {0, 0, 3}},
      {Op::Gather,
       kMatrix + "%1 = input \"i\" : i32[B, 1]\n%2 = gather %0 %1 : f32[B, 3]",
       {{"x", k1to6}, {"i", {1, -1, 0}}},
       {4, 5, 6, 0, 0, 0, 1, 2, 3}},
      {Op::ScatterAdd,
       "%0 = input \"x\" : f32[B, 2]\n%1 = input \"i\" : i32[B, 1]\n%2 = scatter_add %0 %1 : f32[3, 2]",
       {{"x", k1to6}, {"i", {1, -1, 1}}},
       {0, 0, 6, 8, 0, 0}},
      {Op::Gather,  // what a negative index gives
       kMatrix + "%1 = input \"i\" : i32[B, 1]\n%2 = gather %0 %1 {value=7} : f32[B, 3]",
       {{"x", k1to6}, {"i", {1, -1, 0}}},
       {4, 5, 6, 7, 7, 7, 1, 2, 3}},
      {Op::ScatterMax,  // of none 0, of some their own largest
       "%0 = input \"x\" : f32[B, 2]\n%1 = input \"i\" : i32[B, 1]\n%2 = scatter_max %0 %1 : f32[3, 2]",
       {{"x", {-1, -2, 3, 4, -5, 1}}, {"i", {1, -1, 1}}},
       {0, 0, -1, 1, 0, 0}},
      {Op::SplitCols, "%0 = input \"x\" : f32[1, 6]\n%1 = split_cols %0 : f32[3, 2]", {{"x", k1to6}}, k1to6},
      {Op::JoinRows, "%0 = input \"x\" : f32[3, 2]\n%1 = join_rows %0 : f32[1, 6]", {{"x", k1to6}}, k1to6},
      {Op::PairIndex,
       "%0 = input \"i\" : i32[B, 1]\n%1 = input \"k\" : i32[B, 1]\n%2 = pair_index %0 %1 {offset=5} : "
       "i32[B, 1]",
       {{"i", {2, -1, 0}}, {"k", {3, 1, -1}}},
       {13, -1, -1}},
      {Op::LastRows,  // rows of the packed stack: step 2 of the first, step 1 of the second, none of the
                      // third
       kSteps + "%1 = input \"i\" : i32[B, 1]\n%2 = last_rows %0 %1 : f32[B, 1]",
       {{"x", k1to6}, {"i", {5, 4, -1}}},
       {6, 5, 0}},
      {Op::Transpose, kMatrix + "%1 = transpose %0 : f32[3, 2]", {{"x", k1to6}}, {1, 4, 2, 5, 3, 6}},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = element_cases();
  for (auto more : {joining_cases(), moving_cases()}) cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

Tensors tensors(const Graph& graph, const std::map<std::string, Numbers>& given) {
  Tensors result;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].attr.name < 0) continue;
    Tensor t = make_tensor(graph.shape(id), kTable);
    const Numbers& numbers = given.at(graph.name(id));
    EXPECT_EQ(t.data.size(), numbers.size());
    t.data = numbers;
    result.emplace(graph.name(id), t);
  }
  return result;
}

TEST(Interpret, EveryOpMeansWhatWasComputedByHand) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(c.graph);
    const Graph graph = parse_graph({"case", c.graph});
    verify(graph);
    const NodeId last = graph.size() - 1;
    ASSERT_EQ(graph[last].op, c.op);
    const Tensor y = interpret(graph, tensors(graph, c.given), kTable)[last];
    EXPECT_EQ(y.shape, graph.shape(last));
    ASSERT_EQ(y.data.size(), c.expected.size());
    for (size_t i = 0; i < y.data.size(); ++i) {
      EXPECT_THAT(y.data[i], testing::NanSensitiveDoubleNear(c.expected[i], 1e-14)) << "element " << i;
    }
  }
}

TEST(Interpret, EveryOpHasACase) {
  std::set<Op> seen;
  for (const Case& c : all_cases()) seen.insert(c.op);
  for (Op op : all_ops()) {
    if (op == Op::Scan || op == Op::ScanResult) continue;  // only in a Model, see RefusesAModel
    EXPECT_TRUE(seen.contains(op)) << info(op).name << " has no example";
  }
}

TEST(Interpret, StepsWithoutRowsAreEmpty) {
  static constexpr int64_t offsets[] = {0, 1, 1};
  static constexpr const int64_t* table[] = {offsets};
  const RowTable rows{1, table};
  const Graph graph = parse_graph({"g",
                                   "%0 = input \"x\" : f32[T0.1, 2]\n"
                                   "%1 = matmul %0 %0 {left^T} : f32[2, 2]\n"
                                   "%2 = pad_rows %0 : f32[T0.0, 2]\n"
                                   "%3 = max_cols %0 : f32[T0.1, 1]\n"});
  const auto values = interpret(graph, {{"x", make_tensor(graph.shape(0), rows)}}, rows);
  EXPECT_EQ(values[1].data, Numbers({0, 0, 0, 0}));
  EXPECT_EQ(values[2].data, Numbers({0, 0}));
  EXPECT_TRUE(values[3].data.empty());
}

TEST(Interpret, RootsAreTheSameAsAllValues) {
  const Graph graph = parse_graph({"g",
                                   "%0 = variable \"w\" : f32[1, 2]\n"
                                   "%1 = exp %0 : f32[1, 2]\n"
                                   "%2 = add %0 %1 : f32[1, 2]\n"
                                   "%3 = sum_cols %2 : f32[1, 1]\n"
                                   "output \"loss\" %3\nassign \"w\" %1\noutput \"w\" %0\n"});
  const Tensors given = tensors(graph, {{"w", {1, 2}}});
  const auto values = interpret(graph, given, kTable);
  const RootValues roots = interpret_roots(graph, given, kTable);
  EXPECT_EQ(roots.outputs.at("loss").data, values[3].data);
  EXPECT_EQ(roots.outputs.at("w").data, values[0].data);
  EXPECT_EQ(roots.assigned.at("w").data, values[1].data);
}

std::string refusal(const std::string& text, const Tensors& given) {
  try {
    interpret(parse_graph({"g", text}), given, kTable);
  } catch (const GraphError& error) {
    return error.what();
  }
  return "";
}

TEST(Interpret, RefusesWhatDoesNotFit) {
  const std::string x = "%0 = input \"x\" : f32[B, 1]\n";
  EXPECT_EQ(refusal(x, {}), "interpret: `x` is not given");
  EXPECT_EQ(refusal(x, {{"x", Tensor{{}, 2, 1, {1, 2}}}}),
            "interpret: `x` is [2, 1] (2 numbers), but the graph has f32[B, 1]");
  const std::string gather =
      "%0 = constant 0 : f32[5, 1]\n%1 = constant 7 : i32[1, 1]\n%2 = gather %0 %1 : f32[1, 1]\n";
  EXPECT_EQ(refusal(gather, {}), "gather: row 7 of a table of 5");
}

TEST(Interpret, RefusesAModel) {
  EXPECT_EQ(refusal("%0 = constant 0 : f32[T0.*, 1]", {}),
            "interpret: %0 has rows T0.*: unroll the model first");
  EXPECT_EQ(refusal("%0 = constant 0 : f32[1, 1]\n%1 = scan %0 : f32[1, 1]\n", {}),
            "scan has no meaning of its own: unroll the model first");
}

}  // namespace
}  // namespace rnnc
