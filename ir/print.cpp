// Graph to text. See print.h for the form.
#include "ir/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace rnnc {
namespace {

/// What follows the operands: `{offset=24, right^T}`, the attributes that are not as usual, in a fixed order.
std::string attributes(const Node& node) {
  std::string text;
  auto item = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  const Attr& attr = node.attr;
  if (node.op != Op::Constant && attr.value != 0) item(fmt::format("value={}", attr.value));
  if (attr.offset != 0) item(fmt::format("offset={}", attr.offset));
  if (node.op == Op::MatMul) {
    if ((attr.flags & kTransposeLeft) != 0) item("left^T");
    if ((attr.flags & kTransposeRight) != 0) item("right^T");
  }
  return text.empty() ? "" : " {" + text + "}";
}

/// `# h.gru z, line 12, backward`, or nothing.
std::string origin_comment(const Graph& graph, const Node& node) {
  if (node.origin >= graph.origins.size()) return "";
  const Origin& origin = graph.origins[node.origin];
  std::string text = origin.equation;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  auto item = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (origin.line != 0) item(fmt::format("line {}", origin.line));
  if (node.backward) item("backward");
  return text.empty() ? "" : "   # " + text;
}

std::string name_of(const Graph& graph, int32_t name) {
  if (name >= 0 && size_t(name) < graph.names.size()) return quoted(graph.names[size_t(name)]);
  return fmt::format("name#{}", name);
}

void print_root(const Root& root, std::string& out) {
  out += fmt::format("{} {} %{}\n", root.assign ? "assign" : "output", quoted(root.name), root.node);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string print_node(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  const bool known = size_t(node.op) < all_ops().size();
  std::string text = fmt::format("%{} = {}", id, known ? info(node.op).name : "no_such_op");
  if (node.attr.name >= 0) text += ' ' + name_of(graph, node.attr.name);
  if (node.op == Op::Constant) text += fmt::format(" {}", node.attr.value);
  if (uint64_t(node.first_arg) + node.arg_count <= graph.arg_total()) {
    for (NodeId arg : graph.args(id)) text += fmt::format(" %{}", arg);
  }
  text += attributes(node);
  text += " : " + to_string(node.shape);
  if (node.phase != 0) text += fmt::format(" ~{}", node.phase);
  if (node.island >= 0) text += fmt::format(" @{}", node.island);
  return text + origin_comment(graph, node);
}

std::string print(const Graph& graph) {
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) text += print_node(graph, id) + '\n';
  for (const Root& root : graph.roots) print_root(root, text);
  return text;
}

std::string print_around(const Graph& graph, NodeId id, uint32_t count) {
  const NodeId first = id > count / 2 ? id - count / 2 : 0;
  std::string text;
  for (NodeId i = first; i < graph.size() && i - first < count; ++i) {
    text += fmt::format("{} {}\n", i == id ? '>' : ' ', print_node(graph, i));
  }
  return text;
}

[[gnu::used]] void dump(const Graph& graph) {
  std::fputs(print(graph).c_str(), stderr);
}
[[gnu::used]] void dump(const Graph& graph, NodeId around) {
  std::fputs(print_around(graph, around).c_str(), stderr);
}

}  // namespace rnnc
