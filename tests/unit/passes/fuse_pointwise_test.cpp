// Islands: what becomes one kernel, and what must not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ir/places.h"
#include "ir/print.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

using test::expect_same_values;

/// Island number of the only node of each op; -1: alone.
std::map<Op, int32_t> islands_of(const Graph& g) {
  std::map<Op, int32_t> result;
  for (NodeId id = 0; id < g.size(); ++id) result[g[id].op] = g[id].island;
  return result;
}

/// Islands stand in one piece, have at most one product, and none of them makes what that product reads.
void expect_well_formed(const Graph& g) {
  std::set<int32_t> closed;
  int32_t open = -1;
  int products = 0;
  for (NodeId id = 0; id < g.size(); ++id) {
    const int32_t island = g[id].island;
    if (island != open) {
      if (open >= 0) closed.insert(open);
      EXPECT_FALSE(closed.contains(island)) << "island " << island << " is in pieces\n" << print(g);
      open = island;
      products = 0;
    }
    if (island < 0 || g[id].op != Op::MatMul) continue;
    EXPECT_EQ(++products, 1) << print(g);
    for (NodeId a : g.args(id)) EXPECT_NE(g[a].island, island) << print(g);
  }
}

Graph fused(const std::string& text) {
  const Graph before = test::graph(text);
  Graph after = fuse_pointwise(before);
  expect_same_values(before, after, 0);
  expect_well_formed(after);
  return after;
}

TEST(FusePointwise, AChainIsOneIsland) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "b" : f32[1, 3]
%2 = add %0 %1 : f32[B, 3]
%3 = tanh %2 : f32[B, 3]
%4 = mul %0 %3 : f32[B, 3]
output "y" %4
)"));
  EXPECT_GE(island.at(Op::Add), 0);
  EXPECT_EQ(island.at(Op::Add), island.at(Op::Tanh));
  EXPECT_EQ(island.at(Op::Add), island.at(Op::Mul));
  EXPECT_EQ(island.at(Op::Input), -1);
}

TEST(FusePointwise, OneNodeAloneIsNoIsland) {
  const auto island =
      islands_of(fused("%0 = input \"x\" : f32[B, 3]\n%1 = tanh %0 : f32[B, 3]\noutput \"y\" %1\n"));
  EXPECT_EQ(island.at(Op::Tanh), -1);
}

TEST(FusePointwise, AProductAndItsEpilogue) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 4]
%2 = matmul %0 %1 : f32[B, 4]
%3 = tanh %2 : f32[B, 4]
%4 = exp %3 : f32[B, 4]
output "y" %4
)"));
  EXPECT_GE(island.at(Op::MatMul), 0);
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Tanh));
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Exp));
}

TEST(FusePointwise, PartsOfAProduct) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 8]
%2 = matmul %0 %1 : f32[B, 8]
%3 = slice_cols %2 {offset=0} : f32[B, 4]
%4 = slice_cols %2 {offset=4} : f32[B, 4]
%5 = sigmoid %3 : f32[B, 4]
%6 = tanh %4 : f32[B, 4]
%7 = mul %5 %6 : f32[B, 4]
output "y" %7
)"));
  EXPECT_GE(island.at(Op::MatMul), 0);
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Sigmoid));
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Mul));
}

TEST(FusePointwise, UnevenPartsHaveNoEpilogue) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 8]
%2 = matmul %0 %1 : f32[B, 8]
%3 = slice_cols %2 {offset=0} : f32[B, 3]
%4 = slice_cols %2 {offset=3} : f32[B, 5]
%5 = sigmoid %3 : f32[B, 3]
%6 = tanh %4 : f32[B, 5]
output "y" %5
output "z" %6
)"));
  EXPECT_EQ(island.at(Op::MatMul), -1);
}

TEST(FusePointwise, ThePaddedEpilogue) {
  // the rows of the step's product are fewer than those of the kernel: h·U of step 1 in the gradient of step
  // 0
  const Graph g = fused(R"(
%0 = input "d" : f32[T0.1, 4]
%1 = input "e" : f32[T0.0, 3]
%2 = variable "U" : f32[4, 3]
%3 = matmul %0 %2 : f32[T0.1, 3]
%4 = pad_rows %3 : f32[T0.0, 3]
%5 = add %1 %4 : f32[T0.0, 3]
%6 = tanh %5 : f32[T0.0, 3]
output "y" %6
)");
  const auto island = islands_of(g);
  EXPECT_GE(island.at(Op::MatMul), 0);
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::PadRows));
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Tanh));
}

TEST(FusePointwise, AProductThatIsReadUnpaddedHasNoPaddedEpilogue) {
  // its rows in memory are fewer than those of the kernel: the zeros would lie on the next step
  const std::string product = R"(
%0 = input "d" : f32[T0.1, 4]
%1 = input "e" : f32[T0.0, 3]
%2 = variable "U" : f32[4, 3]
%3 = matmul %0 %2 : f32[T0.1, 3]
%4 = pad_rows %3 : f32[T0.0, 3]
%5 = add %1 %4 : f32[T0.0, 3]
output "y" %5
)";
  EXPECT_GE(islands_of(fused(product)).at(Op::MatMul), 0);
  EXPECT_EQ(islands_of(fused(product + "output \"product\" %3\n")).at(Op::MatMul), -1);
  EXPECT_EQ(islands_of(fused(product + "%6 = sum_rows %3 : f32[1, 3]\noutput \"sum\" %6\n")).at(Op::MatMul),
            -1);
  EXPECT_EQ(islands_of(fused(product + "%6 = pad_rows %3 : f32[B, 3]\noutput \"other\" %6\n")).at(Op::MatMul),
            -1);
}

TEST(FusePointwise, RowReductionsWithWhatFollows) {
  // a softmax: maximum and sum of a row are known inside the kernel of that row
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 5]
%1 = max_cols %0 : f32[B, 1]
%2 = sub %0 %1 : f32[B, 5]
%3 = exp %2 : f32[B, 5]
%4 = sum_cols %3 : f32[B, 1]
%5 = div %3 %4 : f32[B, 5]
output "y" %5
)"));
  EXPECT_GE(island.at(Op::MaxCols), 0);
  for (Op op : {Op::Sub, Op::Exp, Op::SumCols, Op::Div}) EXPECT_EQ(island.at(Op::MaxCols), island.at(op));
}

TEST(FusePointwise, NoIslandAcrossASumOverRows) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %1 : f32[B, 3]
%3 = sum_rows %2 : f32[1, 3]
%4 = sub %1 %3 : f32[B, 3]
%5 = sin %4 : f32[B, 3]
output "y" %5
)"));
  EXPECT_EQ(island.at(Op::SumRows), -1);
  EXPECT_GE(island.at(Op::Tanh), 0);
  EXPECT_EQ(island.at(Op::Tanh), island.at(Op::Exp));
  EXPECT_GE(island.at(Op::Sub), 0);
  EXPECT_EQ(island.at(Op::Sub), island.at(Op::Sin));
  EXPECT_NE(island.at(Op::Tanh), island.at(Op::Sub));
}

TEST(FusePointwise, NoIslandOfDifferentRows) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[T0.0, 3]
%1 = tanh %0 : f32[T0.0, 3]
%2 = take_rows %1 : f32[T0.1, 3]
%3 = exp %2 : f32[T0.1, 3]
output "y" %3
output "z" %1
)"));
  EXPECT_EQ(island.at(Op::Tanh), -1);
  EXPECT_EQ(island.at(Op::Exp), -1);
}

TEST(FusePointwise, ARowForAllIsNoIslandWithTheRowsOfABatch) {
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "b" : f32[1, 3]
%2 = tanh %1 : f32[1, 3]
%3 = add %0 %2 : f32[B, 3]
%4 = exp %3 : f32[B, 3]
output "y" %4
)"));
  EXPECT_EQ(island.at(Op::Tanh), -1);
  EXPECT_EQ(island.at(Op::Add), island.at(Op::Exp));
}

TEST(FusePointwise, AReductionDoesNotFollowAProductInItsKernel) {
  // columns of a product are made panel by panel: a row's sum is known only behind all of them
  const auto island = islands_of(fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 4]
%2 = matmul %0 %1 : f32[B, 4]
%3 = tanh %2 : f32[B, 4]
%4 = sum_cols %3 : f32[B, 1]
output "y" %4
)"));
  EXPECT_EQ(island.at(Op::MatMul), island.at(Op::Tanh));
  EXPECT_NE(island.at(Op::SumCols), island.at(Op::Tanh));
}

TEST(FusePointwise, APathThatLeavesAnIslandDoesNotComeBack) {
  fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 3]
%2 = tanh %0 : f32[B, 3]
%3 = matmul %2 %1 : f32[B, 3]
%4 = add %2 %3 : f32[B, 3]
%5 = matmul %4 %1 : f32[B, 3]
%6 = mul %4 %5 : f32[B, 3]
%7 = add %2 %6 : f32[B, 3]
output "y" %7
)");
}

TEST(FusePointwise, IslandsHaveALimit) {
  Graph g;
  NodeId x = g.input("x", {Type::F32, Rows::batch(), 3});
  for (int k = 0; k < 500; ++k) x = g.unary(k % 2 ? Op::Tanh : Op::Sin, x);
  g.roots = {{"y", x}};
  const Graph after = fuse_pointwise(g);
  expect_same_values(g, after, 0);
  expect_well_formed(after);
  std::map<int32_t, int> size;
  for (NodeId id = 0; id < after.size(); ++id) ++size[after[id].island];
  size.erase(-1);
  EXPECT_GE(size.size(), 4u);
  EXPECT_LE(size.size(), 20u);
  for (const auto& [island, nodes] : size) EXPECT_LE(nodes, 160) << "island " << island;
}

TEST(FusePointwise, BackwardNodesStandWithTheirUsers) {
  // σ'(a) depends on the forward pass alone, but is needed only where it is multiplied
  const auto g = fused(R"(
%0 = input "x" : f32[B, 3]
%1 = input "d" : f32[B, 3]
%2 = variable "W" : f32[3, 3]
%3 = tanh %0 : f32[B, 3]
%4 = exp %3 : f32[B, 3]
%5 = mul %3 %3 : f32[B, 3]   # backward
%6 = matmul %1 %2 : f32[B, 3]   # backward
%7 = mul %5 %6 : f32[B, 3]   # backward
output "y" %4
output "d" %7
)");
  int32_t product = -2, square = -3;
  for (NodeId id = 0; id < g.size(); ++id) {
    if (g[id].op == Op::MatMul) product = g[id].island;
    if (g[id].op == Op::Mul && g.arg(id, 0) == g.arg(id, 1)) square = g[id].island;
  }
  EXPECT_EQ(product, square);
}

TEST(FusePointwise, OfUsersAtSeveralDepthsAForwardNodeWaitsForNone) {
  for (const bool backward : {false, true}) {
    Graph g;
    const NodeId x = g.input("x", {Type::F32, Rows::batch(), 3});
    const NodeId W = g.variable("W", 3, 3);
    g.set_backward(backward);
    const NodeId shared = g.unary(Op::Tanh, x);
    const NodeId first = g.binary(Op::Mul, shared, g.matmul(g.unary(Op::Exp, x), W));
    g.roots = {{"y", g.binary(Op::Add, shared, g.matmul(first, W))}};
    const auto island = islands_of(fused(print(g)));
    EXPECT_EQ(island.at(Op::Tanh) == island.at(Op::Mul), backward);
  }
}

TEST(FusePointwise, EpiloguesOfTwoProductsThatShareAnOperandStayApart) {
  fused(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 3]
%2 = variable "V" : f32[3, 3]
%3 = tanh %0 : f32[B, 3]
%4 = matmul %0 %1 : f32[B, 3]
%5 = matmul %0 %2 : f32[B, 3]
%6 = mul %3 %4 : f32[B, 3]
%7 = add %3 %5 : f32[B, 3]
output "y" %6
output "z" %7
)");
}

TEST(FusePointwise, RandomGraphs) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    expect_well_formed(run_pipeline(test::random_graph(seed), {}));
    expect_well_formed(fuse_pointwise(test::random_graph(seed)));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rnnc
