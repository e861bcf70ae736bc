// Checks what every graph must hold, after each pass in tests. Linear in the nodes.
#pragma once
#include <stdexcept>

#include "ir/graph.h"
#include "ir/model.h"

namespace rnnc {

/// A pass made a broken graph: the rule it breaks, and the ten nodes around the culprit.
struct VerifyError : std::logic_error {
  using std::logic_error::logic_error;
};

/// What a graph may still hold: a Model has scans and sequences of unknown length, an unrolled graph has not;
/// a legal one (after `legalize`) has one place for every value.
enum class GraphStage : uint8_t { Model, Unrolled, Legal };

/// Throws VerifyError unless
///   - every operand comes before its node, arity and attributes are those of the op, and the shape is the
///   one the
///     operands have; names and origins are there;
///   - no two nodes are equal, and a name has one node;
///   - operands stand in the phase of their node or an earlier one;
///   - the nodes of an island stand side by side and have equal rows, but for views and the product in front;
///   - roots are nodes, no two of a kind have one name, and an `assign` fits its variable;
///   - an unrolled graph has no scan and no rows that depend on the length of a sequence (`T0.*`, `T0.t`);
///   - in a legal graph every operand of a join has its place in it and there only, and the new value of a
///   variable, which is written over the old one, is computed, is no part of another value, and is that of
///   one variable.
void verify(const Graph& graph, GraphStage stage = GraphStage::Unrolled);

/// The same of a model's graph and of the bodies of its scans; throws VerifyError also unless
///   - every scan node has a body, and as many operands as its body has ports (`%0`, `%1`, ...): sequences of
///   the scan's dimension, then constants, then states;
///   - the new value of every state has the shape of the state, and results are nodes of the body;
///   - every result that is asked for is one the scan gives.
void verify(const Model& model);

}  // namespace rnnc
