// The text form of a graph: one line a node, complete, read back by parse.h. One printer serves dumps, tests,
// the verifier and the debugger.
//
//   %0 = variable "h.gru.Wz" : f32[24, 96]
//   %1 = input "x" : f32[T0.3, 24]
//   %2 = constant 0.5 : f32[1, 1]
//   %3 = matmul %1 %0 {right^T} : f32[T0.3, 96] @12   # h.gru z, line 12, backward
//   output "loss" %3
//   assign "h.gru.Wz" %0
#pragma once
#include <string>

#include "ir/graph.h"

namespace rnnc {

/// All nodes, then the roots. `parse_graph` makes an equal graph of it.
std::string print(const Graph& graph);

/// The line of one node, without its end. Prints whatever it finds: broken nodes too.
std::string print_node(const Graph& graph, NodeId id);

/// The `count` nodes around `id`, which is marked with `>`.
std::string print_around(const Graph& graph, NodeId id, uint32_t count = 10);

/// To standard error; for the debugger: `call rnnc::dump(graph)`.
void dump(const Graph& graph);
void dump(const Graph& graph, NodeId around);

/// `"h.gru.Wz"`, with `\"`, `\\` and `\xHH` for quotes, backslashes and control characters.
std::string quoted(std::string_view text);

}  // namespace rnnc
