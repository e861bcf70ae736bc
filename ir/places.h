// Where values lie that are parts of others: columns of a joined value, or steps of an array over time.
// Shared by `legalize`, which makes it possible for every value, and the plan, which gives memory to what is
// left.
#pragma once
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// Computed by a kernel, so it has a place of its own (not a leaf, not a view of something else).
bool is_computed(Op op);
/// Only names a part or a join of other values: no kernel of its own.
bool is_view(Op op);

/// A stack of steps that need not exist in one piece, since it is only an operand of weight gradients, which
/// walk over it step by step: its parts are (the first rows of) values of one family, `shift` steps away.
struct ShiftedStack {
  NodeId member = kNoNode;  // the value the first part is taken from; kNoNode: not such a stack
  int32_t shift = 0;        // member's step minus the part's
};
ShiftedStack shifted_stack(const Graph& graph, NodeId stack);

/// A sum over rows: a weight gradient, sum_rows or scatter_add.
bool is_row_sum(const Node& node);
/// `onto` a b where b, a sum over rows, is computed in the place of a, starting from what is there. `uses`:
/// use_counts. Otherwise it is an addition.
bool goes_on(const Graph& graph, NodeId onto, std::span<const uint32_t> uses);

class Places {
 public:
  explicit Places(const Graph& graph);

  /// Gives the operands of `join` (concat_cols or concat_rows) their places in it, or, for steps, in one
  /// array. True for those that cannot be there, since they are leaves, views, or have a place elsewhere
  /// already. Joins are claimed in node order.
  std::vector<bool> claim(NodeId join);

  /// The value of its own that `id` is a part of, and where in it.
  struct Home {
    NodeId root;
    int32_t row = 0, col = 0;
  };
  Home home(NodeId id) const;

  /// Of the values that share one array with `root`, those of the first and of the last step; itself, if it
  /// is alone.
  std::pair<NodeId, NodeId> ends(NodeId root) const;
  NodeId find(NodeId root) const;
  /// Puts `a` into the family of `b`. False, and nothing changed, if it would have two values for one step.
  bool join(NodeId a, NodeId b);

  /// The node is used, and only as a right operand of products, packed from its pieces, or as a piece of one.
  bool packed(NodeId id) const { return packed_[id]; }
  /// The stack is used only as operand of weight gradients, and in pieces.
  bool shifted(NodeId id) const { return shifted_[id]; }

 private:
  /// The values of a family, sorted by step: they come in this order or in the opposite one.
  std::deque<NodeId>& members_of(NodeId name);
  bool claim_shifted(NodeId stack);
  bool claim_steps(NodeId stack);

  const Graph& graph_;
  std::vector<bool> packed_, contracted_, shifted_, stacked_;
  std::vector<NodeId> owner_;           // the join that a value is a part of
  std::vector<int32_t> row_, col_;      // and where
  mutable std::vector<NodeId> parent_;  // union-find of families
  std::vector<int32_t> family_;         // of a name: index of its members, or -1: itself alone
  std::vector<std::deque<NodeId>> members_;
};

}  // namespace rnnc
