// What passes share: adding a node with the algebra applied, and copying a graph while replacing some of it.
#pragma once
#include <functional>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// Adds `op` of `args`, or what it equals by the algebra of rules.cpp: x + 0 = x, take_rows of all rows, ...
NodeId add_simplified(Graph& graph, Op op, std::span<const NodeId> args, const Attr& attr,
                      const Shape& wanted);

/// A copy in progress: `to` grows, `map[id]` says where node `id` of `from` went (kNoNode: not yet).
struct Rebuild {
  explicit Rebuild(const Graph& from) : from(from), to(from.empty_copy()), map(from.size(), kNoNode) {}

  const Graph& from;
  Graph to;
  std::vector<NodeId> map;

  /// The operands of node `id`, as nodes of `to`.
  std::vector<NodeId> mapped_args(NodeId id) const;
  /// Copies node `id` with its origin, simplified if `simplify`; remembers and returns it.
  NodeId copy(NodeId id, bool simplify = false);
  /// Nodes added next carry the origin of node `id`.
  void origin_of(NodeId id);
  /// Carries over the roots and gives the graph.
  Graph finish();

 private:
  std::vector<NodeId> args_;  // of the node at hand: no allocation for each
};

/// Nodes that become one: `members` are replaced together by `emit`, which sees all operands of all members
/// mapped and sets map[] for each of them.
struct Merge {
  std::vector<NodeId> members;
  std::function<void(Rebuild&, const Merge&)> emit;
  std::vector<NodeId> also_needs = {};  // nodes that must be there besides the members' operands
};

/// Copies the graph with each merge done once all its operands are there; otherwise the order of nodes stays
/// as near to the old one as the dependencies allow. Merges that would depend on each other are dissolved,
/// the first ones first; `*refused` gets their first members.
Graph apply_merges(const Graph& graph, std::vector<Merge> merges, std::vector<NodeId>* refused = nullptr);

}  // namespace rnnc
