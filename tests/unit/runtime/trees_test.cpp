// Bracketed trees: nodes in the order in which they end, more than two children, what is malformed.
#include "runtime/trees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Each node as `label left right word`.
std::vector<std::string> nodes(const std::string& text) {
  std::vector<std::string> result;
  for (const TreeNode& n : parse_trees("f", text).nodes)
    result.push_back(text.substr(n.label, n.label_end - n.label) + " " + std::to_string(n.left) + " " +
                     std::to_string(n.right) + " " + text.substr(n.leaf, n.leaf_end - n.leaf));
  return result;
}

std::string why(const std::string& text) {
  return refusal([&] { parse_trees("f", text); });
}

TEST(Trees, ChildrenComeBeforeTheirParent) {
  EXPECT_THAT(nodes("(3 (2 a) (1 (0 b) (4 c)))"),
              ElementsAre("2 -1 -1 a", "0 -1 -1 b", "4 -1 -1 c", "1 1 2 ", "3 0 3 "));
  EXPECT_THAT(nodes("(x\n  (y  word)\r\n)"), ElementsAre("y -1 -1 word", "x 0 -1 "));
}

TEST(Trees, OfManyChildrenTheFirstTwoAreJoined) {
  EXPECT_THAT(nodes("(s (1 a) (2 b) (3 c))"),
              ElementsAre("1 -1 -1 a", "2 -1 -1 b", "s 0 1 ", "3 -1 -1 c", "s 2 3 "));
}

TEST(Trees, EachOutermostBracketIsARow) {
  const TreeBank bank = parse_trees("f", "(1 a)(2 (3 b) (4 c))\n\n(5 d)\n");
  EXPECT_THAT(bank.first, ElementsAre(0, 1, 4, 5));
  EXPECT_EQ(parse_trees("f", " \n").rows(), 0u);
}

TEST(Trees, WhatIsMalformed) {
  const std::string help = "      = help: a node is `(label word)` or `(label (...) (...))`\n";
  EXPECT_EQ(why("(1 a)\n(2 (3 b)"), "f:2:1: error: this bracket is never closed\n" + help);
  EXPECT_EQ(why("(1 a))"), "f:1:6: error: a bracket is closed that was never opened\n" + help);
  EXPECT_EQ(why("word"), "f:1:1: error: outside of all brackets\n" + help);
  EXPECT_EQ(why("(1 a b)"), "f:1:6: error: a second word in one node\n" + help);
  EXPECT_EQ(why("(1 a (2 b))"), "f:1:6: error: a node has a word or children, not both\n" + help);
  EXPECT_EQ(why("(1 (2 b) a)"), "f:1:10: error: a node has a word or children, not both\n" + help);
  EXPECT_EQ(why("(1)"), "f:1:1: error: this node has no word and no children\n" + help);
  EXPECT_EQ(why("((1 a))"), "f:1:1: error: this node has no label\n" + help);
}

TEST(Trees, DepthHasNoLimit) {
  std::string deep;
  for (int i = 0; i < 300000; ++i) deep += "(1 ";
  EXPECT_THAT(why(deep), StartsWith("f:1:"));
  deep += "a" + std::string(300000, ')');
  EXPECT_EQ(parse_trees("f", deep).nodes.size(), 300000u);
}

TEST(Trees, AnyTextIsReadOrRefused) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (int n = 0; n < 12; ++n) text += "()()1a \n"[random() % 8];
    const std::string message = why(text);
    EXPECT_TRUE(message.empty() || message.find("error: ") != std::string::npos) << text;
  }
}

}  // namespace
}  // namespace rnnc
