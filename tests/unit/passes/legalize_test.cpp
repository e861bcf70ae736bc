// What the plan may rely on after legalize: places for all operands of joins, short sums, values of their own
// where memory is written.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/places.h"
#include "ir/print.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

using test::count;
using test::expect_same_values;

/// Every operand of every join has its place: what the plan checks before it gives memory.
void expect_places(const Graph& g) {
  Places places(g);
  for (NodeId id = 0; id < g.size(); ++id) {
    if (g[id].op != Op::ConcatCols && g[id].op != Op::ConcatRows) continue;
    for (const bool copy : places.claim(id)) EXPECT_FALSE(copy) << "%" << id << "\n" << print(g);
  }
}

Graph legal(const Graph& g) {
  Graph result = legalize(g);
  expect_same_values(g, result);
  expect_places(result);
  return result;
}

TEST(Legalize, LeavesAloneWhatIsLegal) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %0 : f32[B, 3]
%3 = concat_cols %1 %2 : f32[B, 6]
output "y" %3
)");
  EXPECT_EQ(print(legal(g)), print(g));
}

TEST(Legalize, LeavesAndViewsOfAJoinAreCopied) {
  const Graph g = legal(test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = slice_cols %1 {offset=1} : f32[B, 2]
%3 = concat_cols %0 %1 %2 : f32[B, 8]
output "y" %3
)"));
  EXPECT_EQ(count(g, Op::Copy), 2);  // the input and the slice
}

TEST(Legalize, AValueOfTwoJoinsHasOnePlaceAndACopy) {
  const Graph g = legal(test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %0 : f32[B, 3]
%3 = sin %0 : f32[B, 3]
%4 = concat_cols %1 %2 : f32[B, 6]
%5 = concat_cols %1 %3 : f32[B, 6]
%6 = concat_cols %3 %1 : f32[B, 6]
output "y" %4
output "z" %5
output "w" %6
)"));
  EXPECT_GE(count(g, Op::Copy), 3);
}

TEST(Legalize, AValueTwiceInOneJoin) {
  const Graph g = legal(test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = concat_cols %1 %1 %1 : f32[B, 9]
output "y" %2
)"));
  EXPECT_GE(count(g, Op::Copy), 2);
}

TEST(Legalize, StepsOfOneStack) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[T0.0:2, 3]
%1 = slice_rows %0 : f32[T0.0, 3]
%2 = slice_rows %0 : f32[T0.1, 3]
%3 = tanh %1 : f32[T0.0, 3]
%4 = exp %2 : f32[T0.1, 3]
%5 = concat_rows %3 %4 : f32[T0.0:2, 3]
output "y" %5
)");
  EXPECT_EQ(print(legal(g)), print(g));
}

TEST(Legalize, StepsOfTwoStacks) {
  legal(test::graph(R"(
%0 = input "x" : f32[T0.0:3, 3]
%1 = slice_rows %0 : f32[T0.0, 3]
%2 = slice_rows %0 : f32[T0.1, 3]
%3 = slice_rows %0 : f32[T0.2, 3]
%4 = tanh %1 : f32[T0.0, 3]
%5 = exp %2 : f32[T0.1, 3]
%6 = sin %3 : f32[T0.2, 3]
%7 = cos %2 : f32[T0.1, 3]
%8 = concat_rows %4 %5 %6 : f32[T0.0:3, 3]
%9 = concat_rows %4 %7 : f32[T0.0:2, 3]
%10 = concat_rows %1 %5 %3 : f32[T0.0:3, 3]
output "a" %8
output "b" %9
output "c" %10
)"));
}

TEST(Legalize, WeightsThatAreOnlyPackedNeedNoPlace) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[3, 2]
%2 = variable "B" : f32[3, 4]
%3 = concat_cols %1 %2 : f32[3, 6]
%4 = matmul %0 %3 : f32[B, 6]
output "y" %4
)");
  EXPECT_EQ(print(legal(g)), print(g));
}

TEST(Legalize, SumsHaveFewTerms) {
  for (const int n : {2, 8, 9, 15, 16, 40}) {
    Graph g;
    std::vector<NodeId> terms;
    for (int k = 0; k < n; ++k)
      terms.push_back(g.input(fmt::format("x{}", k), {Type::F32, Rows::batch(), 2}));
    g.roots = {{"y", g.sum(terms)}};
    const Graph split = legal(g);
    for (NodeId id = 0; id < split.size(); ++id) EXPECT_LE(split[id].arg_count, 8u);
    EXPECT_EQ(count(split, Op::Sum), n <= 8 ? 1 : 1 + (n - 8 + 6) / 7) << n << " terms";
  }
}

TEST(Legalize, ConstantsThatAreReadFromMemoryAreComputed) {
  const Graph g = legal(test::graph(R"(
%0 = constant 2 : f32[T0.1, 3]
%1 = variable "W" : f32[3, 3]
%2 = matmul %0 %1 : f32[T0.1, 3]
%3 = pad_rows %0 : f32[B, 3]
%4 = constant 3 : f32[1, 1]
%5 = constant 4 : f32[5, 3]
%6 = input "i" : i32[B, 1]
%7 = gather %5 %6 : f32[B, 3]
output "y" %2
output "p" %3
output "c" %4
output "g" %7
)"));
  EXPECT_EQ(count(g, Op::Copy), 3);  // of %0, %4 and %5
  for (NodeId id = 0; id < g.size(); ++id) {
    if (g[id].op == Op::Copy) continue;
    for (NodeId a : g.args(id)) EXPECT_NE(g[a].op, Op::Constant) << print(g);
  }
}

TEST(Legalize, ANewValueIsWrittenByAKernelOfItsOwn) {
  const Graph g = legal(test::graph(R"(
%0 = variable "W" : f32[2, 2]
%1 = variable "V" : f32[2, 2]
%2 = neg %0 : f32[2, 2]
%3 = tanh %1 : f32[2, 2]
%4 = concat_rows %2 %3 : f32[4, 2]
%5 = slice_rows %4 {offset=2} : f32[2, 2]
%6 = variable "U" : f32[2, 2]
assign "W" %1
assign "V" %5
assign "U" %2
output "y" %4
)"));
  for (const Root& root : g.roots) {
    if (!root.assign) continue;
    EXPECT_EQ(g[root.node].op, Op::Copy) << root.name;
  }
}

TEST(Legalize, TwoVariablesWithOneNewValue) {
  const Graph g = legal(test::graph(R"(
%0 = variable "W" : f32[2, 2]
%1 = variable "V" : f32[2, 2]
%2 = variable "U" : f32[2, 2]
%3 = sum %0 %1 %2 : f32[2, 2]
assign "W" %3
assign "V" %3
assign "U" %3
)"));
  EXPECT_NE(g.roots[0].node, g.roots[1].node);  // each is written by a kernel of its own
  EXPECT_NE(g.roots[1].node, g.roots[2].node);
  EXPECT_NE(g.roots[0].node, g.roots[2].node);
}

TEST(Legalize, CopiesThatWereThereDoNotTakeAnothersPlace) {
  const Graph g = legal(test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = copy %1 : f32[B, 3]
%3 = concat_cols %1 %0 : f32[B, 6]
%4 = concat_cols %0 %1 : f32[B, 6]
%5 = concat_cols %2 %2 : f32[B, 6]
output "y" %3
output "z" %4
output "w" %5
)"));
  EXPECT_EQ(print(legalize(g)), print(g));
}

TEST(Legalize, RandomGraphsThroughTheMergesHavePlaces) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Graph g = test::random_graph(seed);
    for (const Pass& pass : pipeline()) {
      if (pass.name == "legalize") break;
      g = pass.run(g);
    }
    SCOPED_TRACE(seed);
    legal(g);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rnnc
