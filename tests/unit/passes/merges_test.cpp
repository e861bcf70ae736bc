// What the three merges decide by (groups, depths), how they are carried out (apply_merges), and each merge
// on a graph small enough to see.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/print.h"
#include "passes/groups.h"
#include "passes/passes.h"
#include "passes/rebuild.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

using test::count;
using test::expect_same_values;
using testing::ElementsAre;

/// Three steps of h' = tanh(x·W + h·U) and an output layer h·V.
const std::string kRecurrence = R"(
%0 = input "x" : f32[T0.0:3, 3]
%1 = input "h" : f32[T0.0, 3]
%2 = variable "W" : f32[3, 3]
%3 = variable "U" : f32[3, 3]
%4 = variable "V" : f32[3, 2]
%5 = slice_rows %0 : f32[T0.0, 3]
%6 = slice_rows %0 : f32[T0.1, 3]
%7 = slice_rows %0 : f32[T0.2, 3]
%8 = matmul %5 %2 : f32[T0.0, 3]
%9 = matmul %1 %3 : f32[T0.0, 3]
%10 = add %8 %9 : f32[T0.0, 3]
%11 = tanh %10 : f32[T0.0, 3]
%12 = matmul %11 %4 : f32[T0.0, 2]
%13 = take_rows %11 : f32[T0.1, 3]
%14 = matmul %6 %2 : f32[T0.1, 3]
%15 = matmul %13 %3 : f32[T0.1, 3]
%16 = add %14 %15 : f32[T0.1, 3]
%17 = tanh %16 : f32[T0.1, 3]
%18 = matmul %17 %4 : f32[T0.1, 2]
%19 = take_rows %17 : f32[T0.2, 3]
%20 = matmul %7 %2 : f32[T0.2, 3]
%21 = matmul %19 %3 : f32[T0.2, 3]
%22 = add %20 %21 : f32[T0.2, 3]
%23 = tanh %22 : f32[T0.2, 3]
%24 = matmul %23 %4 : f32[T0.2, 2]
output "y0" %12
output "y1" %18
output "y2" %24
)";

TEST(Groups, DepthsOfARecurrence) {
  const Graph g = test::graph(kRecurrence);
  const std::vector<Group> groups = find_groups(g);
  ASSERT_EQ(groups.size(), 3u);  // W, U, V: in the order of their first members
  EXPECT_EQ(g.name(groups[0].right), "W");
  EXPECT_THAT(groups[0].members, ElementsAre(8u, 14u, 20u));
  EXPECT_THAT(groups[0].depth, ElementsAre(0, 0, 0));
  EXPECT_TRUE(groups[0].free());
  EXPECT_EQ(g.name(groups[1].right), "U");
  EXPECT_THAT(groups[1].depth, ElementsAre(0, 1, 2));
  EXPECT_FALSE(groups[1].free());
  EXPECT_EQ(g.name(groups[2].right), "V");
  EXPECT_THAT(groups[2].depth, ElementsAre(0, 0, 0));
  const std::vector<int32_t> of = group_of(g, groups);
  EXPECT_EQ(of[8], 0);
  EXPECT_EQ(of[15], 1);
  EXPECT_EQ(of[11], -1);
}

TEST(Groups, FlagsAndOpsMakeDifferentGroups) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = input "i" : i32[B, 1]
%2 = variable "W" : f32[3, 3]
%3 = matmul %0 %2 : f32[B, 3]
%4 = matmul %0 %2 {right^T} : f32[B, 3]
%5 = gather %2 %1 : f32[B, 3]
%6 = matmul %0 %3 {left^T} : f32[3, 3]
%7 = matmul %5 %2 : f32[B, 3]
%8 = matmul %4 %2 : f32[B, 3]
output "a" %6
output "b" %7
)");
  const std::vector<Group> groups = find_groups(g);
  ASSERT_EQ(groups.size(), 2u);  // %8 and so %4 are dead, %6 sums over rows: no group
  EXPECT_THAT(groups[0].members, ElementsAre(3u, 7u));
  EXPECT_EQ(groups[1].op, Op::Gather);
  EXPECT_THAT(groups[1].members, ElementsAre(5u));
}

TEST(Groups, MoreGroupsThanOneSweepHolds) {
  Graph g;
  NodeId h = g.input("h", {Type::F32, Rows::batch(), 2});
  std::vector<NodeId> w;
  for (int k = 0; k < 40; ++k) {
    w.push_back(g.variable(fmt::format("W{}", k), 2, 2));
    h = g.matmul(h, w.back());
  }
  for (int k = 40; k-- > 0;) h = g.matmul(h, w[size_t(k)]);
  g.roots = {{"h", h}};
  const std::vector<Group> groups = find_groups(g);
  ASSERT_EQ(groups.size(), 40u);
  for (const Group& group : groups) EXPECT_THAT(group.depth, ElementsAre(0, 1));
}

// ---- apply_merges

/// Nodes a, b of equal shape become one Copy each, marked by an island: what stands beside what can be seen.
void emit_marked(Rebuild& r, const Merge& merge) {
  for (NodeId id : merge.members) r.to.set_island(r.copy(id), 1);
}

TEST(ApplyMerges, WaitsForAllOperands) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %0 : f32[B, 3]
%3 = sin %2 : f32[B, 3]
%4 = cos %3 : f32[B, 3]
output "a" %1
output "b" %4
)");
  const Graph merged = apply_merges(g, {{{1, 4}, emit_marked}});
  expect_same_values(g, merged);
  EXPECT_EQ(merged[merged.roots[0].node].island, 1);
  EXPECT_EQ(merged.roots[0].node + 1, merged.roots[1].node);  // side by side, behind %3
}

TEST(ApplyMerges, MergesThatNeedEachOtherAreDissolved) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %0 : f32[B, 3]
%3 = sin %1 : f32[B, 3]
%4 = cos %2 : f32[B, 3]
output "a" %3
output "b" %4
)");
  // {1, 4} needs %2, whose partner %3 needs %1: the two wait for each other.
  std::vector<NodeId> refused;
  const Graph merged = apply_merges(g, {{{1, 4}, emit_marked}, {{2, 3}, emit_marked}}, &refused);
  EXPECT_THAT(refused, ElementsAre(1u));
  expect_same_values(g, merged);
  int marked = 0;
  for (NodeId id = 0; id < merged.size(); ++id) {
    if (merged[id].island != 1) continue;
    ++marked;  // the first merge went, the second stayed
    EXPECT_TRUE(merged[id].op == Op::Exp || merged[id].op == Op::Sin);
  }
  EXPECT_EQ(marked, 2);
}

TEST(ApplyMerges, NodesThatAreNoMembersKeepTheirOrder) {
  const Graph g = test::random_graph(3);
  EXPECT_EQ(print(apply_merges(g, {})), print(g));
}

TEST(ApplyMerges, WaitsForWhatIsNoOperand) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = sin %0 : f32[B, 3]
output "a" %1
output "b" %2
)");
  const Graph merged = apply_merges(g, {{{1}, emit_marked, {2}}});
  EXPECT_EQ(merged[1].op, Op::Sin);
  EXPECT_EQ(merged[2].op, Op::Tanh);
}

// ---- fuse_gates

TEST(FuseGates, JoinsGatesOfEveryStep) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:2, 3]
%1 = variable "A" : f32[3, 2]
%2 = variable "B" : f32[3, 4]
%3 = slice_rows %0 : f32[T0.0, 3]
%4 = slice_rows %0 : f32[T0.1, 3]
%5 = matmul %3 %1 : f32[T0.0, 2]
%6 = matmul %3 %2 : f32[T0.0, 4]
%7 = matmul %4 %1 : f32[T0.1, 2]
%8 = matmul %4 %2 : f32[T0.1, 4]
output "a" %5
output "b" %6
output "c" %7
output "d" %8
)");
  const Graph fused = fuse_gates(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 2);
  EXPECT_EQ(count(fused, Op::ConcatCols), 1);  // [A B] is one
}

TEST(FuseGates, TransposedWeightsAreJoinedAsRows) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[2, 3]
%2 = variable "B" : f32[4, 3]
%3 = matmul %0 %1 {right^T} : f32[B, 2]
%4 = matmul %0 %2 {right^T} : f32[B, 4]
output "a" %3
output "b" %4
)");
  const Graph fused = fuse_gates(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 1);
  EXPECT_EQ(count(fused, Op::ConcatRows), 1);
}

TEST(FuseGates, GroupsOfOtherStepsStayApart) {
  // B is not used at the second step: tying it at the first would make the steps unlike
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:2, 3]
%1 = variable "A" : f32[3, 2]
%2 = variable "B" : f32[3, 4]
%3 = slice_rows %0 : f32[T0.0, 3]
%4 = slice_rows %0 : f32[T0.1, 3]
%5 = matmul %3 %1 : f32[T0.0, 2]
%6 = matmul %3 %2 : f32[T0.0, 4]
%7 = matmul %4 %1 : f32[T0.1, 2]
output "a" %5
output "b" %6
output "c" %7
)");
  EXPECT_EQ(count(fuse_gates(g), Op::MatMul), 3);
}

TEST(FuseGates, TheOutputLayerIsNotTiedToTheRecurrence) {
  const Graph g = test::graph(kRecurrence);
  EXPECT_EQ(print(fuse_gates(g)), print(g));
}

TEST(FuseGates, FreeAndRecurrentProductsStayApartOnEqualLeftOperands) {
  // U recurs, V does not; both are used on h0 and h1
  const Graph g = test::graph(R"(
%0 = input "h" : f32[T0.0, 3]
%1 = variable "U" : f32[3, 3]
%2 = variable "V" : f32[3, 3]
%3 = matmul %0 %1 : f32[T0.0, 3]
%4 = matmul %0 %2 : f32[T0.0, 3]
%5 = tanh %3 : f32[T0.0, 3]
%6 = take_rows %5 : f32[T0.1, 3]
%7 = matmul %6 %1 : f32[T0.1, 3]
%8 = matmul %6 %2 : f32[T0.1, 3]
output "y0" %4
output "y1" %8
output "h2" %7
)");
  EXPECT_EQ(print(fuse_gates(g)), print(g));
}

// ---- fuse_sums

TEST(FuseSums, EqualProfilesOnly) {
  // d = a·A + b·B + h·U·U: A and B are free and join, U is recurrent
  const Graph g = test::graph(R"(
%0 = input "a" : f32[B, 3]
%1 = input "b" : f32[B, 2]
%2 = input "h" : f32[B, 3]
%3 = variable "A" : f32[3, 3]
%4 = variable "B" : f32[2, 3]
%5 = variable "U" : f32[3, 3]
%6 = matmul %0 %3 : f32[B, 3]
%7 = matmul %1 %4 : f32[B, 3]
%8 = matmul %2 %5 : f32[B, 3]
%9 = matmul %8 %5 : f32[B, 3]
%10 = sum %6 %7 %9 : f32[B, 3]
output "d" %10
)");
  const Graph fused = fuse_sums(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 3);
  EXPECT_EQ(count(fused, Op::ConcatCols), 1);
  EXPECT_EQ(count(fused, Op::ConcatRows), 1);
}

TEST(FuseSums, TreesOfAdditionsAndABias) {
  const Graph g = test::graph(R"(
%0 = input "a" : f32[B, 3]
%1 = input "b" : f32[B, 3]
%2 = variable "A" : f32[3, 3]
%3 = variable "B" : f32[3, 3]
%4 = variable "bias" : f32[1, 3]
%5 = matmul %0 %2 : f32[B, 3]
%6 = add %4 %5 : f32[B, 3]
%7 = matmul %1 %3 : f32[B, 3]
%8 = add %6 %7 : f32[B, 3]
output "d" %8
)");
  const Graph fused = fuse_sums(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 1);
}

TEST(FuseSums, AProductThatIsUsedElsewhereStays) {
  const Graph g = test::graph(R"(
%0 = input "a" : f32[B, 3]
%1 = input "b" : f32[B, 3]
%2 = variable "A" : f32[3, 3]
%3 = variable "B" : f32[3, 3]
%4 = matmul %0 %2 : f32[B, 3]
%5 = matmul %1 %3 : f32[B, 3]
%6 = add %4 %5 : f32[B, 3]
output "d" %6
output "a" %4
)");
  EXPECT_EQ(print(fuse_sums(g)), print(g));
}

TEST(FuseSums, ASumThatIsUsedElsewhereStays) {
  const Graph before = test::graph(R"(
%0 = input "a" : f32[B, 3]
%1 = input "b" : f32[B, 3]
%2 = input "c" : f32[B, 3]
%3 = variable "A" : f32[3, 3]
%4 = variable "B" : f32[3, 3]
%5 = variable "C" : f32[3, 3]
%6 = matmul %0 %3 : f32[B, 3]
%7 = matmul %1 %4 : f32[B, 3]
%8 = add %6 %7 : f32[B, 3]
%9 = matmul %2 %5 : f32[B, 3]
%10 = add %8 %9 : f32[B, 3]
output "y" %10
output "z" %8
)");
  const Graph g = fuse_sums(before);
  expect_same_values(before, g);
  for (NodeId id = 0; id < g.size(); ++id) {
    if (g[id].op == Op::MatMul) EXPECT_LE(g.shape(g.arg(id, 0)).cols, 6) << print(g);
  }
}

TEST(FuseSums, PaddedTermsOfDifferentRowsStayApart) {
  const Graph g = test::graph(R"(
%0 = input "a" : f32[T0.0, 3]
%1 = input "b" : f32[B, 3]
%2 = input "c" : f32[T0.1, 3]
%3 = variable "A" : f32[3, 3]
%4 = matmul %0 %3 : f32[T0.0, 3]
%5 = pad_rows %4 : f32[B, 3]
%6 = matmul %1 %3 : f32[B, 3]
%7 = matmul %2 %3 : f32[T0.1, 3]
%8 = pad_rows %7 : f32[B, 3]
%9 = sum %5 %6 %8 : f32[B, 3]
output "d" %9
)");
  expect_same_values(g, fuse_sums(g));
  EXPECT_EQ(count(fuse_sums(g), Op::MatMul), 3);
}

TEST(FuseSums, WeightGradientsBiasGradientsAndTables) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:3, 3]
%1 = input "d" : f32[T0.0:3, 2]
%2 = input "i" : i32[T0.0:3, 1]
%3 = slice_rows %0 : f32[T0.0, 3]
%4 = slice_rows %0 : f32[T0.1, 3]
%5 = slice_rows %0 : f32[T0.2, 3]
%6 = slice_rows %1 : f32[T0.0, 2]
%7 = slice_rows %1 : f32[T0.1, 2]
%8 = slice_rows %1 : f32[T0.2, 2]
%9 = slice_rows %2 : i32[T0.0, 1]
%10 = slice_rows %2 : i32[T0.1, 1]
%11 = slice_rows %2 : i32[T0.2, 1]
%12 = matmul %3 %6 {left^T} : f32[3, 2]
%13 = matmul %4 %7 {left^T} : f32[3, 2]
%14 = matmul %5 %8 {left^T} : f32[3, 2]
%15 = sum %14 %13 %12 : f32[3, 2]
%16 = sum_rows %6 : f32[1, 2]
%17 = sum_rows %7 : f32[1, 2]
%18 = sum_rows %8 : f32[1, 2]
%19 = sum %18 %17 %16 : f32[1, 2]
%20 = scatter_add %6 %9 : f32[3, 2]
%21 = scatter_add %7 %10 : f32[3, 2]
%22 = scatter_add %8 %11 : f32[3, 2]
%23 = sum %22 %21 %20 : f32[3, 2]
output "dW" %15
output "db" %19
output "dE" %23
)");
  const Graph fused = fuse_sums(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 1);
  EXPECT_EQ(count(fused, Op::SumRows), 1);
  EXPECT_EQ(count(fused, Op::ScatterAdd), 1);
  EXPECT_EQ(count(fused, Op::SliceRows), 0);  // stacks of all slices of a stack are the stack
}

// ---- batch_over_time

TEST(BatchOverTime, FreeGroupsLeaveTheRecurrence) {
  const Graph g = test::graph(kRecurrence);
  const Graph batched = batch_over_time(g);
  expect_same_values(g, batched);
  EXPECT_EQ(count(batched, Op::MatMul), 1 + 3 + 1);  // x·W, h·U three times, h·V
}

TEST(BatchOverTime, GatherOfAllSteps) {
  const Graph g = test::graph(R"(
%0 = input "i" : i32[T0.0:2, 1]
%1 = variable "E" : f32[3, 4]
%2 = slice_rows %0 : i32[T0.0, 1]
%3 = slice_rows %0 : i32[T0.1, 1]
%4 = gather %1 %2 : f32[T0.0, 4]
%5 = gather %1 %3 : f32[T0.1, 4]
output "a" %4
output "b" %5
)");
  const Graph batched = batch_over_time(g);
  expect_same_values(g, batched);
  EXPECT_EQ(count(batched, Op::Gather), 1);
}

TEST(BatchOverTime, GapsAndOtherSequencesStayApart) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:4, 3]
%1 = input "y" : f32[T1.0:4, 3]
%2 = variable "W" : f32[3, 3]
%3 = slice_rows %0 : f32[T0.0, 3]
%4 = slice_rows %0 : f32[T0.2, 3]
%5 = slice_rows %1 : f32[T1.1, 3]
%6 = matmul %3 %2 : f32[T0.0, 3]
%7 = matmul %4 %2 : f32[T0.2, 3]
%8 = matmul %5 %2 : f32[T1.1, 3]
output "a" %6
output "b" %7
output "c" %8
)");
  EXPECT_EQ(print(batch_over_time(g)), print(g));
}

// ---- fuse_weight_gradients

TEST(FuseWeightGradients, CommonLeftOperand) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:4, 3]
%1 = input "d" : f32[T0.0:4, 2]
%2 = input "e" : f32[T0.0:4, 4]
%3 = matmul %0 %1 {left^T} : f32[3, 2]
%4 = matmul %0 %2 {left^T} : f32[3, 4]
%5 = matmul %2 %1 {left^T} : f32[4, 2]
output "dA" %3
output "dB" %4
output "dC" %5
)");
  const Graph fused = fuse_weight_gradients(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::MatMul), 2);
}

TEST(FuseWeightGradients, MatricesOfFixedRowsStay) {
  const Graph g = test::graph(R"(
%0 = variable "A" : f32[3, 3]
%1 = variable "B" : f32[3, 2]
%2 = variable "C" : f32[3, 2]
%3 = matmul %0 %1 {left^T} : f32[3, 2]
%4 = matmul %0 %2 {left^T} : f32[3, 2]
output "a" %3
output "b" %4
)");
  EXPECT_EQ(print(fuse_weight_gradients(g)), print(g));
}

TEST(FuseWeightGradients, BiasGradientsAreOneSum) {
  const Graph g = test::graph(R"(
%0 = input "d" : f32[T0.0:2, 2]
%1 = input "e" : f32[T0.0:2, 3]
%2 = slice_rows %0 : f32[T0.0, 2]
%3 = slice_rows %0 : f32[T0.1, 2]
%4 = slice_rows %1 : f32[T0.0, 3]
%5 = slice_rows %1 : f32[T0.1, 3]
%6 = tanh %2 : f32[T0.0, 2]
%7 = tanh %3 : f32[T0.1, 2]
%8 = concat_cols %6 %4 : f32[T0.0, 5]
%9 = concat_cols %7 %5 : f32[T0.1, 5]
%10 = concat_rows %8 %9 : f32[T0.0:2, 5]
%11 = concat_rows %6 %7 : f32[T0.0:2, 2]
%12 = concat_rows %4 %5 : f32[T0.0:2, 3]
%13 = sum_rows %11 : f32[1, 2]
%14 = sum_rows %12 : f32[1, 3]
output "stack" %10
output "di" %13
output "df" %14
)");
  const Graph fused = fuse_weight_gradients(g);
  expect_same_values(g, fused);
  EXPECT_EQ(count(fused, Op::SumRows), 1);
}

}  // namespace
}  // namespace rnnc
