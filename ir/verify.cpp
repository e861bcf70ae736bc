// The rules of verify.h, one function a group of rules.
#include "ir/verify.h"

#include <fmt/format.h>

#include <map>
#include <unordered_set>

#include "ir/places.h"
#include "ir/print.h"

namespace rnnc {
namespace {

[[noreturn]] void refuse(const Graph& graph, NodeId id, const std::string& why) {
  throw VerifyError(fmt::format("%{}: {}\n{}", id, why, print_around(graph, id)));
}

/// What must hold before anything else of the node can be looked at.
void check_form(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (size_t(node.op) >= all_ops().size()) refuse(graph, id, "there is no such op");
  if (uint64_t(node.first_arg) + node.arg_count > graph.arg_total()) {
    refuse(graph, id, "its operands are not in the graph's list of operands");
  }
  for (NodeId arg : graph.args(id)) {
    if (arg >= id) refuse(graph, id, fmt::format("operand %{} does not come before its node", arg));
  }
  if (node.arg_count == 2 && info(node.op).flag == OpFlag::Commutative &&
      graph.arg(id, 0) > graph.arg(id, 1)) {
    refuse(graph, id, "the operands of a commutative op are not in order");
  }
  if (node.attr.name < -1 || node.attr.name >= int64_t(graph.names.size())) {
    refuse(graph, id, fmt::format("name {} is not among the graph's {}", node.attr.name, graph.names.size()));
  }
  if (node.origin >= graph.origins.size()) {
    refuse(graph, id,
           fmt::format("origin {} is not among the graph's {}", node.origin, graph.origins.size()));
  }
  if (node.shape.type != Type::F32 && node.shape.type != Type::I32) refuse(graph, id, "it has no type");
  if (node.phase < 0) refuse(graph, id, fmt::format("{} is no phase", node.phase));
  for (NodeId arg : graph.args(id)) {
    if (graph[arg].phase > node.phase)
      refuse(graph, id, fmt::format("operand %{} stands in a later phase, {}", arg, graph[arg].phase));
  }
  if (node.island < -1) refuse(graph, id, fmt::format("{} is no island", node.island));
}

void check_shape(const Graph& graph, NodeId id, std::vector<Shape>& operands) {
  const Node& node = graph[id];
  operands.clear();
  for (NodeId arg : graph.args(id)) operands.push_back(graph.shape(arg));
  Shape shape;
  try {
    shape = infer_shape(node.op, operands, node.attr, node.shape);
  } catch (const GraphError& error) {
    refuse(graph, id, error.what());
  }
  if (shape != node.shape) {
    refuse(graph, id,
           fmt::format("its shape is {}, but its operands make {}", to_string(node.shape), to_string(shape)));
  }
}

void check_unrolled(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.op == Op::Scan || node.op == Op::ScanResult) refuse(graph, id, "a scan in an unrolled graph");
  if (node.shape.rows.kind == Rows::Steps && (node.shape.rows.begin < 0 || node.shape.rows.end < 0)) {
    refuse(graph, id, fmt::format("rows {} in an unrolled graph", to_string(node.shape.rows)));
  }
}

struct SameNode {
  const Graph* graph;
  size_t operator()(NodeId id) const {
    const Node& n = (*graph)[id];
    size_t hash = size_t(n.op) + 1;
    auto mix = [&](uint64_t word) { hash = (hash ^ word) * 0x9e3779b97f4a7c15ull, hash ^= hash >> 29; };
    mix(std::bit_cast<uint64_t>(n.attr.value));
    mix(uint64_t(uint32_t(n.attr.name)) << 32 | uint32_t(n.attr.offset));
    mix(uint64_t(uint32_t(n.shape.rows.begin)) << 32 | uint32_t(n.shape.cols));
    for (NodeId arg : graph->args(id)) mix(arg);
    return hash;
  }
  bool operator()(NodeId a, NodeId b) const {
    const Node &x = (*graph)[a], &y = (*graph)[b];
    const auto p = graph->args(a), q = graph->args(b);
    return x.op == y.op && x.attr == y.attr && x.shape == y.shape && x.phase == y.phase &&
           std::equal(p.begin(), p.end(), q.begin(), q.end());
  }
};

void check_no_duplicates(const Graph& graph) {
  const SameNode same{&graph};
  std::unordered_set<NodeId, SameNode, SameNode> seen(graph.size(), same, same);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto [first, added] = seen.insert(id);
    if (!added) refuse(graph, id, fmt::format("it is equal to %{}", *first));
  }
}

/// The variable or input of each name, by name index.
std::vector<NodeId> check_names(const Graph& graph) {
  std::vector<NodeId> named(graph.names.size(), kNoNode);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const int32_t name = graph[id].attr.name;
    if (name < 0) continue;
    NodeId& first = named[size_t(name)];
    if (first != kNoNode) refuse(graph, id, fmt::format("%{} has this name already", first));
    first = id;
  }
  return named;
}

/// Views and the product in front of an island have rows of their own: an epilogue may pad the product's.
bool shares_rows(Op op) {
  return !is_view(op) && op != Op::MatMul;
}

void check_islands(const Graph& graph) {
  struct Seen {
    NodeId last;
    NodeId computes = kNoNode;  // a node whose rows are those of the island
  };
  std::map<int32_t, Seen> islands;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const int32_t island = graph[id].island;
    if (island < 0) continue;
    const auto [entry, is_new] = islands.try_emplace(island, Seen{id});
    Seen& seen = entry->second;
    if (!is_new && seen.last + 1 != id) {
      refuse(graph, id, fmt::format("island {} is in pieces: its node before is %{}", island, seen.last));
    }
    seen.last = id;
    if (!shares_rows(graph[id].op)) continue;
    if (seen.computes != kNoNode && graph.shape(id).rows != graph.shape(seen.computes).rows) {
      refuse(graph, id,
             fmt::format("island {} has rows {} and {}", island, to_string(graph.shape(seen.computes).rows),
                         to_string(graph.shape(id).rows)));
    }
    seen.computes = id;
  }
}

void check_roots(const Graph& graph, std::span<const NodeId> named) {
  std::map<std::string_view, NodeId> variables;
  for (NodeId id : named) {
    if (id != kNoNode && graph[id].op == Op::Variable) variables.emplace(graph.name(id), id);
  }
  std::map<std::pair<bool, std::string_view>, NodeId> seen;
  for (const Root& root : graph.roots) {
    const std::string what = fmt::format("{} {}", root.assign ? "assign" : "output", quoted(root.name));
    if (root.node >= graph.size())
      throw VerifyError(fmt::format("{}: there is no node %{}", what, root.node));
    if (!seen.try_emplace({root.assign, root.name}, root.node).second) {
      refuse(graph, root.node, what + " stands there twice");
    }
    if (!root.assign) continue;
    const auto variable = variables.find(root.name);
    if (variable == variables.end()) refuse(graph, root.node, what + ": there is no such variable");
    if (graph.shape(variable->second) != graph.shape(root.node)) {
      refuse(graph, root.node,
             fmt::format("{}: the variable is {}, its new value {}", what,
                         to_string(graph.shape(variable->second)), to_string(graph.shape(root.node))));
    }
  }
}

/// The new value of a variable is written over the old one by its own kernel; what is joined lies in the
/// join.
void check_places(const Graph& graph) {
  Places places(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::ConcatCols && graph[id].op != Op::ConcatRows) continue;
    const std::vector<bool> elsewhere = places.claim(id);
    for (size_t i = 0; i < elsewhere.size(); ++i) {
      if (elsewhere[i])
        refuse(graph, id,
               fmt::format("its operand %{} has no place of its own in it", graph.arg(id, int(i))));
    }
  }
  std::map<NodeId, std::string_view> written;
  for (const Root& root : graph.roots) {
    if (!root.assign) continue;
    const std::string what = fmt::format("assign {}", quoted(root.name));
    if (!is_computed(graph[root.node].op)) refuse(graph, root.node, what + ": its new value is not computed");
    if (places.home(root.node).root != root.node)
      refuse(graph, root.node, what + ": its new value is a part of another value");
    const auto [other, is_new] = written.try_emplace(root.node, root.name);
    if (!is_new)
      refuse(graph, root.node,
             fmt::format("{}: its new value is that of {}, too", what, quoted(other->second)));
  }
}

}  // namespace

void verify(const Graph& graph, GraphStage stage) {
  std::vector<Shape> operands;
  for (NodeId id = 0; id < graph.size(); ++id) {
    check_form(graph, id);
    check_shape(graph, id, operands);
    if (stage != GraphStage::Model) check_unrolled(graph, id);
  }
  check_no_duplicates(graph);
  check_islands(graph);
  check_roots(graph, check_names(graph));
  if (stage == GraphStage::Legal) check_places(graph);
}

}  // namespace rnnc
