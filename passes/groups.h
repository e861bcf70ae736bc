// Groups of matrix products and their depths: what the three merges decide by, so that every time step is
// treated alike.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// All products with the same right operand and flags (the left operand not transposed), or all gathers from
/// the same table, in node order.
struct Group {
  NodeId right;
  uint8_t flags;
  Op op;
  std::vector<NodeId> members;
  std::vector<int32_t> depth;  // of each member: how many members stand on the longest path before it
  /// Free: no member depends on another. Otherwise it is recurrent.
  bool free() const;
};

/// The groups of the live part of a graph, in the order of their first members. Linear in the nodes for every
/// 16 groups.
std::vector<Group> find_groups(const Graph& graph);

/// For each node the group it belongs to, or -1.
std::vector<int32_t> group_of(const Graph& graph, const std::vector<Group>& groups);

}  // namespace rnnc
