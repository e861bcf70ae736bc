// Equal nodes are one, however many nodes there are and however many users one of them has.
#include <gtest/gtest.h>

#include "ir/graph.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = 5000;

struct Steps {
  Graph graph;
  NodeId stack = graph.input("x", {Type::F32, Rows::steps(0, 0, kSteps), 4});
  NodeId weight = graph.variable("w", 4, 4);

  /// The same nodes each time: slices of one stack (one operand, many users), products, a chain.
  std::vector<NodeId> add() {
    std::vector<NodeId> nodes;
    NodeId before = graph.input("h", {Type::F32, Rows::step(0, 0), 4});
    for (int32_t t = 0; t < kSteps; ++t) {
      nodes.push_back(graph.slice_rows(stack, Rows::step(0, t)));
      nodes.push_back(graph.matmul(nodes.back(), weight));
      before = graph.binary(Op::Add, graph.take_rows(before, Rows::step(0, t)), nodes.back());
      nodes.push_back(before);
    }
    return nodes;
  }
};

TEST(EqualNodes, AreOne) {
  Steps steps;
  const std::vector<NodeId> first = steps.add();
  const uint32_t size = steps.graph.size();
  EXPECT_EQ(steps.add(), first);
  EXPECT_EQ(steps.graph.size(), size);
}

TEST(EqualNodes, AreFoundInACopyOfWhatIsKept) {
  Steps steps;
  const std::vector<NodeId> nodes = steps.add();
  steps.graph.roots.push_back({"h", nodes.back(), false});
  std::vector<bool> keep = live_nodes(steps.graph);
  Steps kept;
  kept.graph = steps.graph.kept(keep);
  const uint32_t size = kept.graph.size();
  EXPECT_EQ(kept.graph.roots.size(), 1u);
  kept.stack = kept.graph.input("x", {Type::F32, Rows::steps(0, 0, kSteps), 4});
  kept.weight = kept.graph.variable("w", 4, 4);
  EXPECT_EQ(kept.add().back(), kept.graph.roots[0].node);
  EXPECT_EQ(kept.graph.size(), size);  // nothing new: every node was found
}

TEST(EqualNodes, WhatNobodyNeedsIsNotKept) {
  Steps steps;
  const std::vector<NodeId> nodes = steps.add();
  steps.graph.roots.push_back({"early", nodes[2], false});  // of the first step
  const Graph kept = steps.graph.kept(live_nodes(steps.graph));
  EXPECT_EQ(kept.size(), 6u);  // x, w, h, slice, product, sum
}

}  // namespace
}  // namespace rnnc
