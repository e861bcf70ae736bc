// Gradients against central differences in double precision: every op of ops.def in a small graph of its own,
// and every parameter of every model, on batches of unequal lengths.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/differentiate.h"
#include "passes/passes.h"
#include "tests/unit/driver/differences.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/taggers.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = 4;
const std::vector<std::vector<int64_t>> kLengths = {{4, 2, 1, 0}, {3, 3}, {1}};

// ---- Ops

enum class Derivative {
  Exact,      // the one of the op
  Stopped,    // 0 by decree, whatever the op does
  ModelOnly,  // refused: a scan must be unrolled first
};

/// Builds a value from the op. Inputs it makes are differentiated by.
struct Maker {
  Graph g;
  std::vector<NodeId> inputs;

  NodeId in(Rows rows, int32_t cols) {
    inputs.push_back(g.input(fmt::format("x{}", inputs.size()), {Type::F32, rows, cols}));
    return inputs.back();
  }
  NodeId index(Rows rows) { return g.input("index", {Type::I32, rows, 1}); }
  /// x² + 0.3
  NodeId positive(NodeId x) { return g.binary(Op::Add, g.binary(Op::Mul, x, x), g.constant(0.3)); }
  NodeId op(Op o, NodeId a) { return g.unary(o, a); }
  NodeId op(Op o, NodeId a, NodeId b) { return g.binary(o, a, b); }
};

struct Example {
  Op op;
  std::string name;
  std::function<NodeId(Maker&)> make;
  Derivative derivative = Derivative::Exact;
};

const Rows kBatch = Rows::batch(), kStep = Rows::step(0, 1), kStack = Rows::steps(0, 0, kSteps);

void add_elementwise(std::vector<Example>& list) {
  for (Op op : {Op::Neg, Op::Exp, Op::Abs, Op::Sin, Op::Cos, Op::Sigmoid, Op::Tanh, Op::Relu, Op::Softplus,
                Op::Copy, Op::Keep, Op::Sign}) {
    list.push_back({op, "", [op](Maker& m) { return m.op(op, m.in(kStep, 3)); }});
  }
  for (Op op : {Op::Log, Op::Sqrt})
    list.push_back({op, "", [op](Maker& m) { return m.op(op, m.positive(m.in(kStep, 3))); }});
  list.push_back(
      {Op::Stop, "", [](Maker& m) { return m.op(Op::Stop, m.in(kBatch, 3)); }, Derivative::Stopped});
  struct Pair {
    std::string name;
    Rows rows_a, rows_b;
    int32_t cols_a, cols_b;
  };
  const Pair pairs[] = {
      {"equal", kBatch, kBatch, 3, 3},      {"row", kBatch, {}, 3, 3},
      {"column", kStep, kStep, 3, 1},       {"scalar", kStack, {}, 3, 1},
      {"row and column", {}, kStack, 3, 1}, {"matrix", Rows::fixed(2), Rows::fixed(2), 3, 3},
      {"to many columns", kStep, {}, 1, 4}};
  for (Op op :
       {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Pow, Op::Max, Op::Min, Op::Less, Op::LessEqual, Op::Equal}) {
    for (const Pair& p : pairs) {
      list.push_back({op, p.name, [op, p](Maker& m) {
                        NodeId a = m.in(p.rows_a, p.cols_a), b = m.in(p.rows_b, p.cols_b);
                        if (op == Op::Pow) a = m.positive(a);
                        if (op == Op::Div) b = m.positive(b);
                        return m.op(op, a, b);
                      }});
    }
    list.push_back({op, "of itself", [op](Maker& m) {
                      const NodeId a = m.positive(m.in(kBatch, 2));
                      return m.op(op, a, a);
                    }});
  }
  list.push_back({Op::Pow, "number", [](Maker& m) {  // also of negative numbers
                    return m.op(Op::Pow, m.in(kBatch, 3), m.g.constant(4));
                  }});
  list.push_back({Op::Onto, "", [](Maker& m) {  // a sum over rows, and one that goes on from it
                    const NodeId a = m.op(Op::SumRows, m.in(kStep, 2)),
                                 b = m.op(Op::SumRows, m.in(kBatch, 2));
                    return m.op(Op::Onto, a, b);
                  }});
  list.push_back({Op::Sum, "", [](Maker& m) {
                    const NodeId a = m.in(kStep, 2), b = m.in(kStep, 2);
                    return m.g.sum(std::array{a, m.op(Op::Tanh, b), a, m.op(Op::Sin, a)});
                  }});
  list.push_back({Op::OneHot, "",
                  [](Maker& m) { return m.op(Op::Mul, m.g.one_hot(m.index(kBatch), 3), m.in(kBatch, 3)); }});
  list.push_back({Op::Coin, "", [](Maker& m) {
                    const NodeId key = m.g.input("key", {Type::I32, Rows::fixed(1), 2});
                    return m.op(Op::Mul, m.g.coin(0.5, 3, m.index(kBatch), key, 3), m.in(kBatch, 3));
                  }});
  list.push_back({Op::ClipGradient, "wide", [](Maker& m) {
                    return m.g.add(Op::ClipGradient, std::array{m.in(kBatch, 3)}, {.value = 1e6});
                  }});
  list.push_back({Op::RowCount, "", [](Maker& m) {
                    const NodeId a = m.in(kStack, 2);
                    return m.op(Op::Div, a, m.op(Op::RowCount, a));
                  }});
}

void add_joining(std::vector<Example>& list) {
  for (Rows rows : {kBatch, kStep, Rows::fixed(3), Rows::fixed(1)}) {
    for (Op op : {Op::SumCols, Op::MaxCols, Op::SumRows})
      list.push_back({op, to_string(rows), [op, rows](Maker& m) { return m.op(op, m.in(rows, 4)); }});
  }
  for (Rows rows : {kBatch, Rows::fixed(3)})  // not of a step that may have no rows: -inf
    list.push_back(
        {Op::MaxRows, to_string(rows), [rows](Maker& m) { return m.op(Op::MaxRows, m.in(rows, 4)); }});
  list.push_back({Op::ArgMax, "", [](Maker& m) {
                    return m.op(Op::Gather, m.in(Rows::fixed(3), 2), m.op(Op::ArgMax, m.in(kBatch, 3)));
                  }});
  list.push_back({Op::PairIndex, "", [](Maker& m) {
                    const NodeId a = m.op(Op::ArgMax, m.in(kBatch, 3)), b = m.op(Op::ArgMax, m.in(kBatch, 3));
                    const NodeId pair = m.g.add(Op::PairIndex, std::array{a, b}, {.offset = 3});
                    return m.op(Op::Gather, m.in(Rows::fixed(9), 2), pair);
                  }});
  for (uint8_t flags : {0, 1, 2, 3}) {
    for (Rows rows : {kStep, kStack, Rows::fixed(2)}) {
      const bool left = flags & kTransposeLeft, right = flags & kTransposeRight;
      if (left && right && rows.kind != Rows::Fixed) continue;
      list.push_back({Op::MatMul, fmt::format("{} flags {}", to_string(rows), flags), [=](Maker& m) {
                        const NodeId a = m.in(rows, 3);
                        // [M, 3] [3, 4], [M, 3] [4, 3]ᵀ, [M, 3]ᵀ [M, 4], [2, 3]ᵀ [4, 2]ᵀ
                        const NodeId b = left ? right ? m.in(Rows::fixed(4), 2) : m.in(rows, 4)
                                              : m.in(Rows::fixed(right ? 4 : 3), right ? 3 : 4);
                        return m.g.matmul(a, b, flags);
                      }});
    }
  }
  list.push_back({Op::MatMul, "of itself", [](Maker& m) {
                    const NodeId a = m.in(Rows::fixed(3), 3);
                    return m.g.matmul(a, a, kTransposeLeft);
                  }});
}

void add_moving(std::vector<Example>& list) {
  list.push_back({Op::SliceCols, "", [](Maker& m) { return m.g.slice_cols(m.in(kStep, 5), 1, 2); }});
  list.push_back({Op::SliceCols, "overlapping", [](Maker& m) {
                    const NodeId a = m.in(kBatch, 5);
                    return m.op(Op::Mul, m.g.slice_cols(a, 0, 3), m.g.slice_cols(a, 2, 3));
                  }});
  list.push_back({Op::ConcatCols, "", [](Maker& m) {
                    const NodeId a = m.in(kStep, 2), b = m.in(kStep, 3);
                    return m.g.concat_cols(std::array{a, b, a});
                  }});
  list.push_back({Op::SliceRows, "step", [](Maker& m) { return m.g.slice_rows(m.in(kStack, 2), kStep); }});
  list.push_back({Op::SliceRows, "steps", [](Maker& m) {
                    const NodeId a = m.in(kStack, 2);
                    const NodeId s = m.g.slice_rows(a, Rows::steps(0, 1, 3));
                    return m.op(Op::Mul, m.op(Op::SumRows, s),
                                m.op(Op::SumRows, m.g.slice_rows(a, Rows::step(0, 3))));
                  }});
  list.push_back({Op::SliceRows, "matrix", [](Maker& m) {
                    const NodeId a = m.in(Rows::fixed(5), 2);
                    return m.op(Op::Mul, m.g.slice_rows(a, Rows::fixed(2), 1),
                                m.g.slice_rows(a, Rows::fixed(2), 3));
                  }});
  list.push_back(
      {Op::ConcatRows, "steps", [](Maker& m) {
         return m.g.concat_rows(std::array{m.in(Rows::step(0, 0), 2), m.in(Rows::steps(0, 1, 3), 2)});
       }});
  list.push_back({Op::ConcatRows, "matrices", [](Maker& m) {
                    const NodeId a = m.in(Rows::fixed(2), 3);
                    return m.g.concat_rows(std::array{a, m.in(Rows::fixed(1), 3), a});
                  }});
  for (Rows rows : {kBatch, Rows::step(0, 0)}) {
    list.push_back(
        {Op::TakeRows, to_string(rows), [rows](Maker& m) { return m.g.take_rows(m.in(rows, 2), kStep); }});
    list.push_back(
        {Op::PadRows, to_string(rows), [rows](Maker& m) { return m.g.pad_rows(m.in(kStep, 2), rows); }});
    list.push_back({Op::PadRows, "of taken " + to_string(rows),
                    [rows](Maker& m) { return m.g.pad_rows(m.g.take_rows(m.in(rows, 2), kStep), rows); }});
    list.push_back(
        {Op::TailRows, to_string(rows), [rows](Maker& m) { return m.g.tail_rows(m.in(rows, 2), 1); }});
  }
  list.push_back(
      {Op::Gather, "", [](Maker& m) { return m.op(Op::Gather, m.in(Rows::fixed(3), 2), m.index(kStack)); }});
  list.push_back({Op::ScatterAdd, "", [](Maker& m) {
                    return m.g.scatter(Op::ScatterAdd, m.in(kStack, 2), m.index(kStack), Rows::fixed(3));
                  }});
  list.push_back({Op::Gather, "missing",
                  [](Maker& m) { return m.g.gather(m.in(Rows::fixed(3), 2), m.index(kStack), 0.5); }});
  list.push_back({Op::ScatterMax, "", [](Maker& m) {
                    return m.g.scatter(Op::ScatterMax, m.in(kStack, 2), m.index(kStack), Rows::fixed(3));
                  }});
  list.push_back({Op::SplitCols, "",
                  [](Maker& m) { return m.g.split_cols(m.in(Rows::fixed(2), 6), Rows::fixed(4), 3); }});
  list.push_back(
      {Op::JoinRows, "", [](Maker& m) { return m.g.join_rows(m.in(Rows::fixed(4), 3), Rows::fixed(2), 6); }});
  list.push_back({Op::LastRows, "", [](Maker& m) {
                    const NodeId last = m.g.input(last_index_input(0), {Type::I32, kBatch, 1});
                    return m.op(Op::LastRows, m.in(kStack, 2), last);
                  }});
  list.push_back({Op::Transpose, "", [](Maker& m) { return m.op(Op::Transpose, m.in(Rows::fixed(2), 3)); }});
}

const std::vector<Example>& examples() {
  static const std::vector<Example> all = [] {
    std::vector<Example> list;
    list.push_back({Op::Variable, "", [](Maker& m) {
                      m.inputs.push_back(m.g.variable("W", 2, 3));
                      return m.inputs[0];
                    }});
    list.push_back({Op::Input, "", [](Maker& m) { return m.in(kStack, 2); }});
    list.push_back(
        {Op::Constant, "", [](Maker& m) { return m.op(Op::Mul, m.in({}, 1), m.g.constant(2, kStack, 3)); }});
    add_elementwise(list);
    add_joining(list);
    add_moving(list);
    for (Op op : {Op::Scan, Op::ScanResult}) list.push_back({op, "", {}, Derivative::ModelOnly});
    return list;
  }();
  return all;
}

TEST(Gradients, EveryOpHasAnExample) {
  std::set<Op> seen;
  for (const Example& e : examples()) {
    seen.insert(e.op);
    if (e.derivative == Derivative::ModelOnly) continue;
    Maker m;
    e.make(m);
    bool used = false;
    for (NodeId id = 0; id < m.g.size(); ++id) used = used || m.g[id].op == e.op;
    EXPECT_TRUE(used) << info(e.op).name << " is not in its own example " << e.name;
  }
  for (Op op : all_ops()) EXPECT_TRUE(seen.contains(op)) << info(op).name << " has no example: add one";
}

/// loss = Σ c · (y + y²), c fixed: a loss that weighs every element of y and depends on it, also where y = 0.
NodeId loss_of(Graph& g, NodeId y) {
  const NodeId c = g.input("weights of the loss", g.shape(y));
  const NodeId terms = g.binary(Op::Mul, c, g.binary(Op::Add, y, g.binary(Op::Mul, y, y)));
  return g.unary(Op::SumRows, g.unary(Op::SumCols, terms));
}

TEST(Gradients, OfEveryOpAreThoseOfDifferences) {
  for (const Example& e : examples()) {
    if (e.derivative == Derivative::ModelOnly) continue;
    SCOPED_TRACE(fmt::format("{} {}", info(e.op).name, e.name));
    Maker m;
    const NodeId y = e.make(m);
    const NodeId loss = loss_of(m.g, y);
    std::vector<std::string> names;
    for (NodeId id : m.inputs) names.push_back(m.g.name(id));
    const std::vector<NodeId> gradients = differentiate(m.g, loss, m.inputs);
    m.g.roots.push_back({"loss", loss});
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(m.g.shape(gradients[i]), m.g.shape(m.inputs[i]));
      m.g.roots.push_back({"d " + names[i], gradients[i]});
    }
    ASSERT_NO_THROW(verify(m.g)) << print(m.g);
    for (const auto& lengths : kLengths) {
      const test::TestBatch batch = test::make_batch(m.g, lengths, kSteps, 3, 5);
      if (e.derivative == Derivative::Exact) {
        test::check_gradients(m.g, batch.values, batch.table(), names);
      } else {
        const Tensors values = interpret_roots(m.g, batch.values, batch.table()).outputs;
        for (const std::string& name : names)
          EXPECT_THAT(values.find("d " + name)->second.data, testing::Each(0.0));
      }
    }
    if (HasFailure()) return;
  }
}

TEST(Gradients, WhereAnOpHasACornerOneSideIsMeant) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, {}, 1}), zero = g.constant(0);
  struct Corner {
    NodeId y;
    double derivative;
  };
  const Corner corners[] = {{g.unary(Op::Relu, x), 0},
                            {g.unary(Op::Abs, x), 0},
                            {g.unary(Op::Sqrt, x), 0},
                            {g.binary(Op::Max, x, zero), 1},
                            {g.binary(Op::Min, x, zero), 1}};
  const RowTable table{};
  for (const Corner& corner : corners) {
    Graph copy = g;
    copy.roots = {{"d", differentiate(copy, corner.y, std::array{x})[0]}};
    const Tensors given = {{"x", make_tensor(g.shape(x), table, 0)}};
    EXPECT_EQ(interpret_roots(copy, given, table).outputs.find("d")->second.data[0], corner.derivative)
        << print(copy);
  }
}

TEST(Gradients, EqualLargestShareTheGradient) {
  for (const Op op : {Op::MaxCols, Op::MaxRows}) {
    Graph g;
    const bool cols = op == Op::MaxCols;
    const NodeId x = g.input("x", {Type::F32, Rows::fixed(cols ? 1 : 4), cols ? 4 : 1});
    g.roots = {{"d", differentiate(g, g.unary(op, x), std::array{x})[0]}};
    const RowTable table{};
    Tensor t = make_tensor(g.shape(x), table);
    t.data = {1, 3, 3, 2};
    EXPECT_THAT(interpret_roots(g, {{"x", t}}, table).outputs.find("d")->second.data,
                testing::ElementsAre(0, 0.5, 0.5, 0));
  }
}

// ---- Models

class ModelGradients : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(ModelGradients, OfAllParametersAreThoseOfDifferences) {
  const Lowered lowered = test::lower_text(GetParam().second, {{"C", 6}, {"L", 4}});
  Graph g = unroll(lowered.model, std::array{kSteps});
  std::erase_if(g.roots, [](const Root& root) { return root.name != "loss"; });
  g = dce(g);
  std::vector<NodeId> weights;
  std::vector<std::string> names;
  for (const Parameter& p : lowered.model.parameters) {
    names.push_back(p.name);
    weights.push_back(g.variable(p.name, p.rows, p.cols));
  }
  const std::vector<NodeId> gradients = differentiate(g, g.roots[0].node, weights);
  for (size_t i = 0; i < names.size(); ++i) g.roots.push_back({"d " + names[i], gradients[i]});
  const Graph fused = run_pipeline(g, {});
  for (const auto& lengths : kLengths) {
    SCOPED_TRACE(fmt::format("{} rows", lengths.size()));
    const test::TestBatch batch = test::make_batch(g, lengths, kSteps, 4);
    test::check_gradients(g, batch.values, batch.table(), names);
    test::check_gradients(fused, batch.values, batch.table(), names);
  }
}

std::vector<std::pair<std::string, std::string>> all_models() {
  auto list = test::models();
  list.emplace_back("tagger", test::tagger("", "scan lstm[12] over embed[8](x)"));
  list.emplace_back("tagger_both", test::tagger("", "scan both(gru[8]) over embed[8](x)"));
  list.emplace_back("tagger_from", test::tagger("", "scan reverse(lstm[8]) over embed[8](x) from c = 0.5"));
  return list;
}

INSTANTIATE_TEST_SUITE_P(Models, ModelGradients, testing::ValuesIn(all_models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
