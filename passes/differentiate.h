// Reverse-mode differentiation of a graph: on an unrolled graph this is back-propagation through time.
#pragma once
#include <span>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// Appends to `graph` the derivative of `loss` (a [1, 1] node) by each node of `wrt`, in the shape of that
/// node. One sweep from the last node to the first; the contributions to a node are summed once, by one n-ary
/// `sum`, in the order in which the sweep meets them: the last time step first. A node that the loss does not
/// depend on gets zeros. New nodes carry the origin of the forward node they belong to and are marked
/// `backward`.
///
///   h_t = f(h_{t-1}, x_t; W)       dh_{t-1} = dh_t · ∂f/∂h,   dW = Σ_t dh_t · ∂f/∂W
std::vector<NodeId> differentiate(Graph& graph, NodeId loss, std::span<const NodeId> wrt);

/// Contributions to the derivatives of the operands of one node.
class Adjoints {
 public:
  Adjoints(Graph& graph, std::span<const NodeId> wrt);

  /// Adds `d` (of the shape of `node`, or larger where `node` was stretched) to what is known of d loss / d
  /// node.
  void give(NodeId node, NodeId d);
  /// The same for some steps of a stack, or rows of a matrix, only.
  void give_rows(NodeId stack, Rows rows, int32_t offset, NodeId d);
  /// d loss / d node from all that was given, or kNoNode.
  NodeId take(NodeId node);
  /// Whether a derivative by this node is needed at all.
  bool active(NodeId node) const { return active_[node]; }

 private:
  struct Piece {
    Rows rows;
    int32_t offset;
    NodeId d;
  };
  NodeId assemble(NodeId stack, std::vector<Piece>& pieces);

  Graph& g_;
  std::vector<bool> active_;
  std::vector<std::vector<NodeId>> terms_;
  std::vector<std::vector<Piece>> pieces_;
};

/// The rule of each op: given y = op(operands) and dy, gives to the operands.
void apply_adjoint(Graph& graph, NodeId y, NodeId dy, Adjoints& adjoints);

}  // namespace rnnc
