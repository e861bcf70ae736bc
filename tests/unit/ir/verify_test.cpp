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
      {[](GraphBreaker b) { b.node(4).phase = -1; }, "%4: -1 is no phase"},
      {[](GraphBreaker b) { b.node(3).phase = 2; }, "%4: operand %3 stands in a later phase, 2"},
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

// ---- Rows: each group of them against a graph whose rows do not fit

TEST(Verify, NamesRowsThatDoNotFit) {
  struct Broken {
    const char* text;
    void (*breaking)(GraphBreaker);
    const char* words;
  };
  const Broken cases[] = {
      {"%0 = input \"a\" : f32[T0.1, 2]\n%1 = input \"b\" : f32[T0.1, 2]\n%2 = add %0 %1 : f32[T0.1, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 2); },
       "%2: add(f32[T0.1, 2], f32[T0.2, 2])"},
      {"%0 = input \"a\" : f32[T0.1, 2]\n%1 = input \"b\" : f32[T0.1, 2]\n%2 = add %0 %1 : f32[T0.1, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(1, 1); },
       "%2: add(f32[T0.1, 2], f32[T1.1, 2])"},
      {"%0 = input \"a\" : f32[T0.1, 2]\n%1 = take_rows %0 : f32[T0.2, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 0); }, "%1: take_rows(f32[T0.1, 2])"},
      {"%0 = input \"a\" : f32[T0.1, 2]\n%1 = pad_rows %0 : f32[T0.0, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 2); }, "%1: pad_rows(f32[T0.1, 2])"},
      {"%0 = input \"a\" : f32[T0.0:3, 2]\n%1 = slice_rows %0 : f32[T0.2, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 3); }, "%1: slice_rows(f32[T0.0:3, 2])"},
      {"%0 = input \"a\" : f32[T0.0, 2]\n%1 = input \"b\" : f32[T0.1, 2]\n"
       "%2 = concat_rows %0 %1 : f32[T0.0:2, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 2); },
       "%2: concat_rows(f32[T0.0, 2], f32[T0.2, 2])"},
      {"%0 = input \"a\" : f32[T0.0, 2]\n%1 = input \"b\" : f32[T0.0, 3]\n"
       "%2 = matmul %0 %1 {left^T} : f32[2, 3]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::batch(); },
       "%2: matmul: [T0.0, 2]^T times [B, 3] do not multiply"},
      {"%0 = input \"a\" : f32[T0.0:3, 2]\n%1 = input \"i\" : i32[B, 1]\n%2 = last_rows %0 %1 : f32[B, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.rows = Rows::step(0, 0); }, "%2: "},
      {"%0 = input \"a\" : f32[B, 2]\n%1 = input \"i\" : i32[B, 1]\n%2 = gather %0 %1 : f32[B, 2]\n",
       [](GraphBreaker b) { b.node(1).shape.type = Type::F32; }, "%2: gather(f32[B, 2], f32[B, 1])"},
      {"%0 = input \"a\" : f32[T0.0:3, 2]\n",
       [](GraphBreaker b) { b.node(0).shape.rows = Rows::steps(0, 3, 3); },
       "%0: input(): f32[T0.3:3, 2] is no"},
  };
  for (const Broken& broken : cases) {
    Graph graph = parse_graph({"g", broken.text});
    ASSERT_EQ(said(graph), "nothing") << broken.text;
    broken.breaking(GraphBreaker{graph});
    EXPECT_THAT(said(graph), StartsWith(broken.words)) << broken.text;
  }
}

// ---- Places: what a plan writes in place

const char* const kLegal = R"(
%0 = variable "w" : f32[2, 3]
%1 = variable "v" : f32[2, 3]
%2 = exp %0 : f32[2, 3]
%3 = tanh %1 : f32[2, 3]
%4 = concat_cols %2 %3 : f32[2, 6]
%5 = sin %4 : f32[2, 6]
%6 = neg %0 : f32[2, 3]
%7 = abs %1 : f32[2, 3]
output "y" %5
assign "w" %6
assign "v" %7
)";

std::string said_of_places(void (*breaking)(GraphBreaker)) {
  Graph graph = parse_graph({"legal", kLegal});
  breaking(GraphBreaker{graph});
  return said(graph, GraphStage::Legal);
}

TEST(Verify, InALegalGraphEveryValueHasOnePlace) {
  EXPECT_EQ(said_of_places([](GraphBreaker) {}), "nothing");
  EXPECT_THAT(said_of_places([](GraphBreaker b) { b.graph.roots[1].node = 1; }),
              StartsWith("%1: assign \"w\": its new value is not computed"));
  EXPECT_THAT(said_of_places([](GraphBreaker b) { b.graph.roots[1].node = 2; }),
              StartsWith("%2: assign \"w\": its new value is a part of another value"));
  EXPECT_THAT(said_of_places([](GraphBreaker b) { b.graph.roots[2].node = 6; }),
              StartsWith("%6: assign \"v\": its new value is that of \"w\", too"));
  EXPECT_THAT(said_of_places([](GraphBreaker b) { b.arg(4, 1) = 1; }),
              StartsWith("%4: its operand %1 has no place of its own in it"));
  EXPECT_THAT(said_of_places([](GraphBreaker b) { b.arg(4, 1) = 2; }),
              StartsWith("%4: its operand %2 has no place of its own in it"));
  // before legalize such graphs are right
  Graph early = parse_graph({"legal", kLegal});
  early.roots[2].node = 6;
  EXPECT_EQ(said(early), "nothing");
}

// ---- Models and their scans

/// h' = tanh(x + h), the state from %1 of the model, along x.
Model good_model() {
  Model m;
  m.graph = parse_graph({"m", R"(
%0 = input "x" : f32[T0.*, 3]
%1 = input "h0" : f32[B, 3]
)"});
  const NodeId scan =
      m.graph.add(Op::Scan, std::array<NodeId, 2>{0, 1}, {.offset = 0}, {Type::F32, Rows::fixed(1), 1});
  m.graph.roots = {
      {"h", m.graph.add(Op::ScanResult, std::array{scan}, {.offset = 0}, {Type::F32, Rows::all(0), 3})}};
  ScanBody body;
  body.sequences = 1;
  body.states = 1;
  body.body = parse_graph({"b", R"(
%0 = input "%0" : f32[T0.t, 3]
%1 = input "%1" : f32[T0.t, 3]
%2 = add %0 %1 : f32[T0.t, 3]
%3 = tanh %2 : f32[T0.t, 3]
%4 = slice_cols %3 : f32[T0.t, 2]
)"});
  body.next = {3};
  body.results = {3};
  m.scans = {body};
  return m;
}

std::string said_of_model(void (*breaking)(Model&)) {
  Model model = good_model();
  breaking(model);
  try {
    verify(model);
  } catch (const VerifyError& error) {
    return error.what();
  }
  return "nothing";
}

TEST(Verify, StatesAndPortsOfScans) {
  EXPECT_EQ(said_of_model([](Model&) {}), "nothing");
  struct Broken {
    void (*breaking)(Model&);
    const char* words;
  };
  const Broken cases[] = {
      {[](Model& m) { m.scans[0].next = {4}; },
       "scan 0: state 0 is f32[T0.t, 3], its new value f32[T0.t, 2]"},
      {[](Model& m) { m.scans[0].next = {}; }, "scan 0: 1 states, but 0 new values"},
      {[](Model& m) { m.scans[0].next = {9}; }, "scan 0: there is no node %9 in its body"},
      {[](Model& m) { m.scans[0].results = {9}; }, "scan 0: there is no node %9 in its body"},
      {[](Model& m) { m.scans[0].results = {}; }, "scan 0: %3 is its result 0, but it gives 0"},
      {[](Model& m) { m.scans[0].states = 0, m.scans[0].next = {}; },
       "scan 0: its body reads %1, but it has 1 operands"},
      {[](Model& m) { m.scans[0].constants = 1; }, "scan 0: %2 gives it 2 operands, but it has 3"},
      {[](Model& m) { m.scans.clear(); }, "%2: there is no scan 0"},
      {[](Model& m) { m.scans[0].dim = 1; }, "scan 0: sequence 0 is f32[T0.t, 3] in its body"},
      {[](Model& m) { GraphBreaker{m.graph}.arg(2, 0) = 1; }, "scan 0: %2 gives it f32[B, 3] as sequence 0"},
      {[](Model& m) { GraphBreaker{m.graph}.arg(3, 0) = 1; }, "%3: "},
      {[](Model& m) { GraphBreaker{m.scans[0].body}.node(2).shape.cols = 7; },
       "scan 0: %2: its shape is f32[T0.t, 7], but its operands make f32[T0.t, 3]"},
  };
  for (const Broken& broken : cases) EXPECT_THAT(said_of_model(broken.breaking), StartsWith(broken.words));
}

}  // namespace
}  // namespace rnnc
