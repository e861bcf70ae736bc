// What differentiate does besides the adjoints (tests/unit/driver/gradients_test.cpp has those): which
// derivatives it makes, in which order it sums, what it refuses.
#include "passes/differentiate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

NodeId total(Graph& g, NodeId a) {
  return g.unary(Op::SumRows, g.unary(Op::SumCols, a));
}

TEST(Differentiate, OfWhatTheLossDoesNotDependOnIsZero) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2}), w = g.variable("w", 2, 3);
  const std::vector<NodeId> d = differentiate(g, total(g, x), std::array{w});
  ASSERT_EQ(d.size(), 1u);
  EXPECT_TRUE(g.is_constant(d[0], 0));
  EXPECT_EQ(g.shape(d[0]), g.shape(w));
}

TEST(Differentiate, OfTheLossByItselfIsOne) {
  Graph g;
  const NodeId loss = total(g, g.input("x", {Type::F32, Rows::batch(), 2}));
  EXPECT_TRUE(g.is_constant(differentiate(g, loss, std::array{loss})[0], 1));
}

TEST(Differentiate, ByInnerNodes) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2});
  const NodeId h = g.unary(Op::Tanh, x);
  const std::vector<NodeId> d = differentiate(g, total(g, g.binary(Op::Mul, h, x)), std::array{h, x});
  EXPECT_EQ(d[0], x);  // through x · h only; by x there is h's part, too
  EXPECT_EQ(g[d[1]].op, Op::Sum);
}

TEST(Differentiate, StopCuts) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2});
  const NodeId loss = total(g, g.binary(Op::Mul, g.unary(Op::Stop, g.unary(Op::Exp, x)), x));
  const NodeId d = differentiate(g, loss, std::array{x})[0];
  EXPECT_EQ(g[d].op, Op::Stop);  // the factor alone
}

TEST(Differentiate, SumsTheLastStepFirst) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::steps(0, 0, 3), 2}), w = g.variable("w", 2, 2);
  std::vector<NodeId> losses;
  for (int32_t t = 0; t < 3; ++t) losses.push_back(total(g, g.matmul(g.slice_rows(x, Rows::step(0, t)), w)));
  const NodeId d = differentiate(g, g.sum(losses), std::array{w})[0];
  ASSERT_EQ(g[d].op, Op::Sum);
  ASSERT_EQ(g[d].arg_count, 3u);  // one n-ary sum, not a chain
  for (int i = 0; i < 3; ++i) {
    const NodeId product = g.arg(d, i);
    EXPECT_EQ(g[product].attr.flags, kTransposeLeft);
    EXPECT_EQ(g.shape(g.arg(product, 0)).rows, Rows::step(0, 2 - i));
  }
}

TEST(Differentiate, GapsOfAStackAreZero) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::steps(0, 0, 4), 2});
  const NodeId loss = total(g, g.slice_rows(x, Rows::step(0, 1)));
  g.roots = {{"d", differentiate(g, loss, std::array{x})[0]}};
  ASSERT_NO_THROW(verify(g));
  const test::Sample s = test::sample(g, {4, 2, 1}, {4, 2, 1}, 1);
  EXPECT_THAT(interpret_roots(g, s.values, s.table()).outputs.find("d")->second.data,
              testing::ElementsAre(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0));
}

TEST(Differentiate, PartsOfAStackThatAreGivenTwiceAreSummed) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::steps(0, 0, 3), 1});
  const NodeId last = g.input(last_index_input(0), {Type::I32, Rows::batch(), 1});
  const NodeId a = total(g, g.add(Op::LastRows, std::array{x, last}));
  const NodeId b = total(g, g.slice_rows(x, Rows::step(0, 1)));
  g.roots = {{"d", differentiate(g, g.binary(Op::Add, a, b), std::array{x})[0]}};
  test::Sample s = test::sample(g, {3, 2, 1}, {3, 2, 1}, 1);
  s.values.at(last_index_input(0)).data = {5, 4, 2};  // steps begin at rows 0, 3 and 5
  EXPECT_THAT(interpret_roots(g, s.values, s.table()).outputs.find("d")->second.data,
              testing::ElementsAre(0, 0, 1, 1, 2, 1));
}

TEST(Differentiate, ClipGradientCutsOnBothSides) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::fixed(1), 4});
  const NodeId factor = g.input("factor", {Type::F32, Rows::fixed(1), 4});
  const NodeId clipped = g.add(Op::ClipGradient, std::array{x}, {.value = 2});
  g.roots = {{"d", differentiate(g, total(g, g.binary(Op::Mul, clipped, factor)), std::array{x})[0]}};
  test::Sample s = test::sample(g, {1}, {1}, 1);
  s.values.at("factor").data = {-7, -1, 1.5, 3};
  EXPECT_THAT(interpret_roots(g, s.values, s.table()).outputs.find("d")->second.data,
              testing::ElementsAre(-2, -1, 1.5, 2));
}

TEST(Differentiate, NewNodesAreBackwardAndKnowTheirForwardNode) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2});
  g.set_origin(g.add_origin({"h", 7}));
  const NodeId h = g.unary(Op::Sin, x);
  g.set_origin(0);
  const NodeId loss = total(g, h);
  const uint32_t before = g.size();
  const NodeId d = differentiate(g, loss, std::array{x})[0];
  EXPECT_EQ(g.origins[g[d].origin], (Origin{"h", 7}));
  for (NodeId id = 0; id < g.size(); ++id) EXPECT_EQ(g[id].backward, id >= before) << print_node(g, id);
  EXPECT_FALSE(g[g.unary(Op::Cos, h)].backward);  // what is added later is not
}

TEST(Differentiate, RefusesALossThatIsNoNumber) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2});
  EXPECT_THROW(differentiate(g, x, std::array{x}), GraphError);
  EXPECT_THROW(differentiate(g, g.unary(Op::SumRows, x), std::array{x}), GraphError);
  EXPECT_THROW(differentiate(g, g.unary(Op::SumCols, x), std::array{x}), GraphError);
}

TEST(Differentiate, RefusesScans) {
  Graph g;
  const NodeId x = g.input("x", {});
  const NodeId scan = g.add(Op::Scan, std::array{x}, {}, {});
  const NodeId result = g.add(Op::ScanResult, std::array{scan}, {}, {});
  EXPECT_THROW(differentiate(g, result, std::array{x}), GraphError);
}

TEST(Differentiate, RefusesSlicesThatOverlapUnevenly) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::steps(0, 0, 4), 2});
  const NodeId a = total(g, g.slice_rows(x, Rows::steps(0, 0, 2)));
  const NodeId b = total(g, g.slice_rows(x, Rows::steps(0, 1, 3)));
  EXPECT_THROW(differentiate(g, g.binary(Op::Add, a, b), std::array{x}), GraphError);
}

}  // namespace
}  // namespace rnnc
