// A picture of a graph for Graphviz: `rnnc compile FILE --emit=dot | dot -Tsvg`.
#pragma once
#include <string>

#include "ir/graph.h"

namespace rnnc {

/// One box a node (op, name or value, shape), one arrow an operand, islands as frames, roots as ovals. What
/// was made by differentiation is grey.
std::string to_dot(const Graph& graph);

}  // namespace rnnc
