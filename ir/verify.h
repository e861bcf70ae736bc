// Checks what every graph must hold, after each pass in tests. Linear in the nodes.
#pragma once
#include <stdexcept>

#include "ir/graph.h"

namespace rnnc {

/// A pass made a broken graph: the rule it breaks, and the ten nodes around the culprit.
struct VerifyError : std::logic_error {
  using std::logic_error::logic_error;
};

/// What a graph may still hold: a Model has scans and sequences of unknown length, an unrolled graph has not.
enum class GraphStage : uint8_t { Model, Unrolled };

/// Throws VerifyError unless
///   - every operand comes before its node, arity and attributes are those of the op, and the shape is the
///   one the
///     operands have; names and origins are there;
///   - no two nodes are equal, and a name has one node;
///   - the nodes of an island stand side by side and have equal rows, but for views and the product in front;
///   - roots are nodes, no two of a kind have one name, and an `assign` fits its variable;
///   - an unrolled graph has no scan and no rows that depend on the length of a sequence (`T0.*`, `T0.t`).
void verify(const Graph& graph, GraphStage stage = GraphStage::Unrolled);

}  // namespace rnnc
