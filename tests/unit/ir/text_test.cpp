// Graphs as text and pictures: what is printed reads back, and what is no graph is refused where it stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/dot.h"
#include "ir/parse.h"
#include "ir/print.h"

namespace rnnc {
namespace {

const std::string kExample =
    R"(%0 = variable "h.gru.Wz" : f32[24, 96]
%1 = input "x" : f32[T0.3, 96]
%2 = constant 0.1 : f32[1, 1]
%3 = matmul %1 %0 {right^T} : f32[T0.3, 24]   # h.gru z, line 12, backward
%4 = slice_cols %3 {offset=8} : f32[T0.3, 8] @12   # line 12
%5 = mul %2 %4 : f32[T0.3, 8] @12   # h.gru z, a comma, line x
%6 = matmul %5 %3 {left^T} : f32[8, 24]   # backward
%7 = input "a \"quoted\\ name\x0a" : i32[B, 1]
%8 = constant -0 : f32[T1.*, 1]
%9 = constant nan : f32[T1.2:*, 1]
%10 = constant -inf : f32[T1.t, 1]
%11 = constant 1e-320 : f32[T1.2:5, 1]
%12 = input "h" : f32[B, 1]
%13 = tail_rows %12 {offset=3} : f32[B, 1]
%14 = constant 0 : f32[1, 1]
%15 = scan %1 %14 : f32[1, 1]
%16 = scan_result %15 {offset=2} : f32[T0.*, 4]
output "loss" %6
assign "h.gru.Wz" %0
output "loss \"x\"" %2
)";

TEST(Text, ReadsBackWhatItPrints) {
  EXPECT_EQ(print(parse_graph({"g", kExample})), kExample);
}

TEST(Text, OriginsComeBack) {
  const Graph g = parse_graph({"g", kExample});
  EXPECT_EQ(g.origins[g[3].origin], (Origin{"h.gru z", 12}));
  EXPECT_TRUE(g[3].backward);
  EXPECT_EQ(g.origins[g[4].origin], (Origin{"", 12}));
  EXPECT_FALSE(g[4].backward);
  EXPECT_EQ(g.origins[g[5].origin], (Origin{"h.gru z, a comma, line x", 0}));
  EXPECT_EQ(g.origins[g[6].origin], Origin{});
  EXPECT_TRUE(g[6].backward);
  EXPECT_EQ(g[5].island, 12);
}

TEST(Text, BlanksCommentsAndMissingLastLineEnd) {
  const Graph g =
      parse_graph({"g", "# RUN: something\r\n\n \t%0=constant 2:i32[ B ,1 ]# c\r\n output\"y\"%0"});
  EXPECT_EQ(print(g), "%0 = constant 2 : i32[B, 1]   # c\noutput \"y\" %0\n");
}

TEST(Text, DoublesKeepAllBits) {
  std::mt19937_64 random(1);
  Graph g;
  for (int i = 0; i < 2000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (value == value) g.constant(value);
  }
  const Graph back = parse_graph({"g", print(g)});
  ASSERT_EQ(back.size(), g.size());
  for (NodeId id = 0; id < g.size(); ++id) EXPECT_EQ(g[id].attr, back[id].attr);
}

TEST(Text, TenNodesAround) {
  Graph g;
  for (int i = 0; i < 30; ++i) g.constant(i);
  const std::string text = print_around(g, 20);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
  EXPECT_THAT(text, testing::HasSubstr("\n> %20 = constant 20 : f32[1, 1]\n"));
  EXPECT_THAT(print_around(g, 0), testing::StartsWith("> %0 = "));
}

std::string refusal(const std::string& text) {
  try {
    parse_graph({"g.ir", text});
  } catch (const GraphParseError& error) {
    const std::string what = error.what();
    return what.substr(0, what.find('\n'));
  }
  return "";
}

TEST(Text, RefusesWhereItStands) {
  const std::string x = "%0 = input \"x\" : f32[B, 2]\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nonsense", "g.ir:1:1: error: `nonsense` is neither a node, `output` nor `assign`"},
      {"?", "g.ir:1:1: error: expected the end of the line"},
      {"%1 = input \"x\" : f32[B, 2]", "g.ir:1:1: error: this is node %0: nodes are numbered without gaps"},
      {x + "%1 = frobnicate %0 : f32[B, 2]", "g.ir:2:6: error: there is no op `frobnicate`"},
      {x + "%1 = neg %1 : f32[B, 2]", "g.ir:2:10: error: %1 is not defined further up"},
      {x + "%1 = neg %0 : f32[B, 3]", "g.ir:2:15: error: its operands make the shape f32[B, 2]"},
      {x + "%1 = add %0 : f32[B, 2]", "g.ir:2:6: error: add(f32[B, 2]): 1 operands, but it takes 2"},
      {x + "%1 = input \"x\" : f32[B, 2]", "g.ir:2:1: error: this node stands there already: it is %0"},
      {x + "%1 = neg \"x\" %0 : f32[B, 2]",
       "g.ir:2:6: error: a variable or an input has a name in quotes, and nothing else has"},
      {x + "%1 = neg %0 {size=3} : f32[B, 2]",
       "g.ir:2:14: error: expected an attribute: value, offset, left^T or right^T"},
      {x + "%1 = neg %0 {offset=3} : f32[B, 2]", "g.ir:2:6: error: neg(f32[B, 2]): it takes no offset"},
      {x + "%1 = neg %0", "g.ir:2:12: error: expected `:`"},
      {x + "%1 = neg %0 : f64[B, 2]", "g.ir:2:15: error: expected `f32` or `i32`"},
      {"%0 = constant : f32[B, 2]", "g.ir:1:15: error: expected a number"},
      {"%0 = constant 1 : f32[B, 99999999999]", "g.ir:1:26: error: the number is larger than 2147483646"},
      {"%0 = constant 1 : f32[T256.0, 1]", "g.ir:1:24: error: the number is larger than 255"},
      {"%0 = constant 1 : f32[0, 1]", "g.ir:1:6: error: constant(): f32[0, 1] is no shape"},
      {"output \"x", "g.ir:1:10: error: expected `\"` at the end of the name"},
      {"output \"\\q\" %0", "g.ir:1:10: error: expected `\"`, `\\` or `x` after the backslash"},
      {"output \"\\xg\" %0", "g.ir:1:11: error: expected a hexadecimal digit"},
      {"output \"y\" %0", "g.ir:1:12: error: %0 is not defined further up"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(refusal(text), expected) << text;
}

TEST(Text, RandomChangesNeverCrash) {
  std::mt19937 random(7);
  const std::string letters = "%0123456789=:\"{}[]@#,^.*tTBfi \n\\xabcx\x80";
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = kExample;
    for (int changes = 1 + int(random() % 3); changes > 0; --changes) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = letters[random() % letters.size()]; break;
        case 1: text.erase(at, 1 + random() % 5); break;
        case 2: text.insert(at, 1, letters[random() % letters.size()]); break;
      }
    }
    try {
      const Graph g = parse_graph({"g", text});
      const std::string printed = print(g);
      EXPECT_EQ(print(parse_graph({"g", printed})), printed);
      ++read;
    } catch (const GraphParseError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(": error: "));
    }
  }
  EXPECT_GT(read, 1000) << "most changes in comments and names leave a graph";
}

TEST(Dot, BoxesArrowsFrames) {
  const std::string dot = to_dot(parse_graph({"g", kExample}));
  EXPECT_THAT(dot, testing::StartsWith("digraph rnnc {"));
  EXPECT_THAT(dot, testing::HasSubstr("n3 [label=\"matmul\\nf32[T0.3, 24]\\n\\\"h.gru z\\\"\", penwidth=2"));
  EXPECT_THAT(dot, testing::HasSubstr("n1 -> n3;"));
  EXPECT_THAT(dot, testing::HasSubstr("subgraph cluster_12 {"));
  EXPECT_THAT(dot, testing::HasSubstr("n6 -> r0;"));
}

}  // namespace
}  // namespace rnnc
