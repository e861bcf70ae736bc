// Each rule of the verifier against a graph that breaks this rule, made behind the back of `Graph::add`.
#include "ir/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/parse.h"

namespace rnnc {

struct GraphBreaker {
  Graph& graph;
  Node& node(NodeId id) { return graph.nodes_[id]; }
  NodeId& arg(NodeId id, int i) { return graph.args_[graph.nodes_[id].first_arg + uint32_t(i)]; }
};

namespace {

const char* const kGood = R"(
%0 = variable "w" : f32[4, 3]
%1 = input "x" : f32[B, 4]
%2 = matmul %1 %0 : f32[B, 3]
%3 = tanh %2 : f32[B, 3] @1
%4 = exp %3 : f32[B, 3] @1
%5 = add %3 %4 : f32[B, 3] @1
%6 = slice_cols %5 {offset=1} : f32[B, 2]
%7 = constant 2 : f32[4, 3]
%8 = mul %0 %7 : f32[4, 3]
%9 = sum_rows %6 : f32[1, 2]
%10 = input "y" : f32[B, 4]
output "y" %6
assign "w" %8
)";

std::string said(const Graph& graph, GraphStage stage = GraphStage::Unrolled) {
  try {
    verify(graph, stage);
  } catch (const VerifyError& error) {
    return error.what();
  }
  return "nothing";
}

/// What the verifier says about the good graph after `breaking` it.
template <class F>
std::string said_after(F breaking) {
  Graph graph = parse_graph({"good", kGood});
  breaking(GraphBreaker{graph});
  return said(graph);
}

using testing::HasSubstr;
using testing::StartsWith;

TEST(Verify, AcceptsTheGoodGraph) {
  EXPECT_EQ(said(parse_graph({"good", kGood})), "nothing");
}

TEST(Verify, ShowsTheNodesAround) {
  EXPECT_THAT(said_after([](GraphBreaker b) { b.node(4).shape.cols = 7; }),
              StartsWith("%4: its shape is f32[B, 7], but its operands make f32[B, 3]\n"
                         "  %0 = variable \"w\" : f32[4, 3]\n"));
  EXPECT_THAT(said_after([](GraphBreaker b) { b.node(4).shape.cols = 7; }),
              HasSubstr("\n> %4 = exp %3 : f32[B, 7] @1\n"));
}

TEST(Verify, NamesTheRuleThatIsBroken) {
  struct Broken {
    void (*breaking)(GraphBreaker);
    const char* words;
  };
  const Broken cases[] = {
      {[](GraphBreaker b) { b.node(4).op = Op(200); }, "%4: there is no such op"},
      {[](GraphBreaker b) { b.node(4).first_arg = 1000; }, "%4: its operands are not in the graph's list"},
      {[](GraphBreaker b) { b.node(4).arg_count = 1000; }, "%4: its operands are not in the graph's list"},
      {[](GraphBreaker b) { b.arg(4, 0) = 4; }, "%4: operand %4 does not come before its node"},
      {[](GraphBreaker b) { b.arg(4, 0) = 5; }, "%4: operand %5 does not come before its node"},
      {[](GraphBreaker b) { std::swap(b.arg(5, 0), b.arg(5, 1)); },
       "%5: the operands of a commutative op are not in order"},
      {[](GraphBreaker b) { b.node(5).arg_count = 1; }, "%5: add(f32[B, 3]): 1 operands, but it takes 2"},
      {[](GraphBreaker b) { b.node(1).attr.name = 9; }, "%1: name 9 is not among the graph's 3"},
      {[](GraphBreaker b) { b.node(1).attr.name = -1; }, "%1: input(): it needs a name"},
      {[](GraphBreaker b) { b.node(1).origin = 9; }, "%1: origin 9 is not among the graph's 1"},
      {[](GraphBreaker b) { b.node(1).shape.type = Type(7); }, "%1: it has no type"},
      {[](GraphBreaker b) { b.node(4).shape.type = Type::I32; }, "%4: its shape is i32[B, 3], but"},
      {[](GraphBreaker b) { b.node(2).attr.flags = 8; }, "%2: matmul(f32[B, 4], f32[4, 3]): unknown flags"},
      {[](GraphBreaker b) { b.node(6).attr.offset = 2; }, "%6: slice_cols(f32[B, 3]): columns 2 .. 4"},
      {[](GraphBreaker b) { b.node(4).attr.value = 1; }, "%4: exp(f32[B, 3]): it takes no value"},
      {[](GraphBreaker b) { b.node(4).attr.offset = 1; }, "%4: exp(f32[B, 3]): it takes no offset"},
      {[](GraphBreaker b) { b.node(7).shape.rows = Rows::fixed(0); },
       "%7: constant(): f32[0, 3] is no shape"},
      {[](GraphBreaker b) { b.node(10).attr.name = 1; }, "%10: it is equal to %1"},
      {[](GraphBreaker b) { b.node(10).attr.name = 1, b.node(10).shape.cols = 2; }, "%10: %1 has this name"},
      {[](GraphBreaker b) { b.node(4).op = Op::Tanh, b.arg(4, 0) = 2; }, "%4: it is equal to %3"},
      {[](GraphBreaker b) { b.node(4).island = -2; }, "%4: -2 is no island"},
      {[](GraphBreaker b) { b.node(4).island = 2; }, "%5: island 1 is in pieces: its node before is %3"},
      {[](GraphBreaker b) { b.node(8).island = b.node(9).island = 3; }, "%9: island 3 has rows 4 and 1"},
      {[](GraphBreaker b) { b.graph.roots[0].node = 99; }, "output \"y\": there is no node %99"},
      {[](GraphBreaker b) {
         b.graph.roots.push_back({"y", 3, false});
       },
       "%3: output \"y\" stands there twice"},
      {[](GraphBreaker b) {
         b.graph.roots.push_back({"w", 7, true});
       },
       "%7: assign \"w\" stands there twice"},
      {[](GraphBreaker b) { b.graph.roots[1].name = "x"; }, "%8: assign \"x\": there is no such variable"},
      {[](GraphBreaker b) { b.graph.roots[1].node = 3; },
       "%3: assign \"w\": the variable is f32[4, 3], its new value f32[B, 3]"},
  };
  for (const Broken& broken : cases) EXPECT_THAT(said_after(broken.breaking), StartsWith(broken.words));
}

TEST(Verify, AnEpilogueMayPadTheRowsOfItsProduct) {
  const Graph graph = parse_graph({"g", R"(
%0 = variable "w" : f32[4, 4]
%1 = input "x" : f32[T0.1, 4]
%2 = matmul %1 %0 : f32[T0.1, 4] @0
%3 = pad_rows %2 : f32[T0.0, 4] @0
%4 = tanh %3 : f32[T0.0, 4] @0
%5 = slice_cols %4 : f32[T0.0, 2] @0
)"});
  EXPECT_EQ(said(graph), "nothing");
}

TEST(Verify, AnUnrolledGraphHasNothingOfAModel) {
  const Graph all = parse_graph({"g", "%0 = input \"x\" : f32[T0.*, 1]"});
  EXPECT_THAT(said(all), StartsWith("%0: rows T0.* in an unrolled graph"));
  EXPECT_EQ(said(all, GraphStage::Model), "nothing");
  const Graph here = parse_graph({"g", "%0 = input \"x\" : f32[T0.t, 1]"});
  EXPECT_THAT(said(here), StartsWith("%0: rows T0.t in an unrolled graph"));
  const Graph scan = parse_graph({"g", "%0 = input \"x\" : f32[B, 1]\n%1 = scan %0 : f32[1, 1]"});
  EXPECT_THAT(said(scan), StartsWith("%1: a scan in an unrolled graph"));
  EXPECT_EQ(said(scan, GraphStage::Model), "nothing");
}

}  // namespace
}  // namespace rnnc
