// Time made explicit, against loops over rows and steps written by hand.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/verify.h"
#include "passes/passes.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = test::kSteps;

enum class First { Zero, Number, Value };  // of the state: 0, 0.5, or a value of each row

/// s' = tanh(2 s + x + k), gives s' and s' + x at each step.
Model model(bool reverse, First first, int dim = 0) {
  Model m;
  m.name = "m";
  m.dims = {"T", "S"};
  ScanBody scan;
  scan.dim = dim;
  scan.reverse = reverse;
  scan.sequences = 1;
  scan.constants = 2;
  scan.states = 1;
  Graph& b = scan.body;
  const Shape here{Type::F32, Rows::here(dim), 1};
  const NodeId x = b.input("%0", here), k = b.input("%1", here), w = b.input("%2", {}),
               s = b.input("%3", here);
  const NodeId next = b.unary(Op::Tanh, b.binary(Op::Add, b.binary(Op::Add, b.binary(Op::Mul, w, s), x), k));
  scan.next = {next};
  scan.results = {next, b.binary(Op::Add, next, x)};
  m.scans.push_back(std::move(scan));

  Graph& g = m.graph;
  const NodeId sequence = g.input("x", {Type::F32, Rows::all(dim), 1});
  const NodeId per_row = g.input("k", {Type::F32, Rows::batch(dim), 1});
  const NodeId weight = g.variable("w", 1, 1);
  const NodeId begin = first == First::Zero     ? g.constant(0, Rows::batch(dim), 1)
                       : first == First::Number ? g.constant(0.5, Rows::batch(dim), 1)
                                                : g.input("first", {Type::F32, Rows::batch(dim), 1});
  const NodeId done = g.add(Op::Scan, std::array{sequence, per_row, weight, begin}, {}, {});
  for (int32_t k2 = 0; k2 < 2; ++k2) {
    const NodeId result =
        g.add(Op::ScanResult, std::array{done}, {.offset = k2}, {Type::F32, Rows::all(dim), 1});
    g.roots.push_back({fmt::format("r{}", k2), result});
  }
  return m;
}

struct Case {
  bool reverse;
  First first;
  int dim;
};

class Unroll : public testing::TestWithParam<Case> {};

TEST_P(Unroll, IsTheLoopByHand) {
  const Case c = GetParam();
  const Graph g = unroll(model(c.reverse, c.first, c.dim), std::array{kSteps, kSteps});
  ASSERT_NO_THROW(verify(g));
  for (const std::vector<int64_t>& lengths :
       {std::vector<int64_t>{4, 4}, {4, 3, 3, 1, 0}, {2, 1}, {1}, {0, 0}}) {
    const std::vector<int64_t> other(lengths.size(), 2);
    const test::Sample s =
        c.dim == 0 ? test::sample(g, lengths, other, 3) : test::sample(g, other, lengths, 3);
    const Tensors got = interpret_roots(g, s.values, s.table()).outputs;
    auto of = [&](const std::string& name) -> const Tensor& { return s.values.find(name)->second; };
    const auto& offset = s.offsets[c.dim];
    for (size_t row = 0; row < lengths.size(); ++row) {
      double state = c.first == First::Zero ? 0 : c.first == First::Number ? 0.5 : of("first").data[row];
      for (int64_t i = 0; i < lengths[row]; ++i) {
        const int64_t t = c.reverse ? lengths[row] - 1 - i : i;  // a reverse scan begins at the row's own end
        const size_t at = size_t(offset[size_t(t)]) + row;
        const double x = of("x").data[at];
        state = std::tanh(of("w").data[0] * state + x + of("k").data[row]);
        EXPECT_NEAR(got.find("r0")->second.data[at], state, 1e-14) << "row " << row << " step " << t;
        EXPECT_NEAR(got.find("r1")->second.data[at], state + x, 1e-14) << "row " << row << " step " << t;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scans, Unroll,
                         testing::Values(Case{false, First::Zero, 0}, Case{false, First::Number, 0},
                                         Case{false, First::Value, 0}, Case{true, First::Zero, 0},
                                         Case{true, First::Number, 0}, Case{true, First::Value, 0},
                                         Case{false, First::Value, 1}, Case{true, First::Value, 1}));

TEST(Unroll, OneStep) {
  const Graph g = unroll(model(false, First::Value), std::array{1, 1});
  ASSERT_NO_THROW(verify(g));
  EXPECT_EQ(test::count(g, Op::Tanh), 1);
}

TEST(Unroll, SizeGrowsByOneCopyOfTheStep) {
  auto size = [](int32_t T) { return dce(unroll(model(false, First::Zero), std::array{T, T})).size(); };
  EXPECT_EQ(size(12) - size(11), size(11) - size(10));
}

TEST(Unroll, ParametersAndConstantsAreShared) {
  const Graph g = unroll(model(true, First::Value), std::array{kSteps, kSteps});
  EXPECT_EQ(test::count(g, Op::Variable), 1);
  EXPECT_EQ(test::count(g, Op::Input), 3);
  EXPECT_EQ(test::count(g, Op::Scan) + test::count(g, Op::ScanResult), 0);
}

TEST(Unroll, AScanThatNobodyReadsGoes) {
  Model m = model(false, First::Zero);
  m.graph.roots = {{"w", m.graph.variable("w", 1, 1)}};
  EXPECT_EQ(unroll(m, std::array{kSteps, kSteps}).size(), 1u);
}

}  // namespace
}  // namespace rnnc
