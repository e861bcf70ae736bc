// Which equation's derivative is wrong, when the gradient by a parameter is not that of finite differences:
// every operation of the forward graph is differentiated alone, at the values that it has there, and compared
// with differences of itself. `rnnc gradcheck` names what this finds.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/interpret.h"

namespace rnnc {

/// An operation whose derivative, taken alone, disagrees with differences; the one of the first node, for
/// each equation and operation.
struct Culprit {
  std::string equation;  // empty: of none
  uint32_t line = 0;     // 0: not known
  Op op = Op::Constant;
  bool corner = false;  // it has no derivative here: relu at 0, max of equal ones, a comparison that flips
  double error = 0;     // along a random direction, relative to the larger derivative
};

/// passes/differentiate.h has the one that is meant; tests give others.
using Differentiate = std::function<std::vector<NodeId>(Graph&, NodeId loss, std::span<const NodeId> wrt)>;

/// In the order of the nodes. `given` holds inputs and variables of `forward` by name.
std::vector<Culprit> find_culprits(const Graph& forward, const Tensors& given, const RowTable& table,
                                   const Differentiate& differentiate);

/// `h.gru n` (line 7): the derivative of `tanh` disagrees with differences by 3.1e-01
std::string to_string(const Culprit& culprit);

}  // namespace rnnc
