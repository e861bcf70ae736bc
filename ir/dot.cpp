// Graph to Graphviz text.
#include "ir/dot.h"

#include <fmt/format.h>

#include "ir/print.h"

namespace rnnc {
namespace {

/// Text inside a Graphviz string.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string box(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  std::string label(info(node.op).name);
  if (node.attr.name >= 0) label += ' ' + escaped(quoted(graph.name(id)));
  if (node.op == Op::Constant) label += fmt::format(" {}", node.attr.value);
  label += "\\n" + to_string(node.shape);
  const std::string& equation = graph.origins[node.origin].equation;
  if (!equation.empty()) label += "\\n" + escaped(quoted(equation));
  const bool product = info(node.op).cls == OpClass::Contraction;
  return fmt::format("n{} [label=\"{}\"{}{}];\n", id, label, product ? ", penwidth=2" : "",
                     node.backward ? ", style=filled, fillcolor=grey90" : "");
}

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string out = "digraph rnnc {\n  node [shape=box, fontsize=10];\n";
  for (NodeId id = 0; id < graph.size(); ++id) {
    const int32_t island = graph[id].island;
    const std::string line = box(graph, id);
    // A frame may be opened again: Graphviz joins the parts of one name.
    out += island < 0 ? "  " + line
                      : fmt::format("  subgraph cluster_{} {{ label=\"{}\"; {}  }}\n", island, island, line);
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (NodeId arg : graph.args(id)) out += fmt::format("  n{} -> n{};\n", arg, id);
  }
  for (size_t i = 0; i < graph.roots.size(); ++i) {
    const Root& root = graph.roots[i];
    out += fmt::format("  r{} [label=\"{} {}\", shape=oval];\n  n{} -> r{};\n", i,
                       root.assign ? "assign" : "output", escaped(quoted(root.name)), root.node, i);
  }
  return out + "}\n";
}

}  // namespace rnnc
