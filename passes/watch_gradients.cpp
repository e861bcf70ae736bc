// Derivatives that are looked at: see passes.h.
#include <algorithm>
#include <map>
#include <string>

#include "passes/differentiate.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// A stack over time, or values side by side, are differentiated by part: what flows from one step into the
/// next does not go through the stack.
void parts_of(const Graph& g, NodeId id, std::vector<NodeId>& parts) {
  if (g[id].op != Op::ConcatRows && g[id].op != Op::ConcatCols) return parts.push_back(id);
  const std::vector<NodeId> args(g.args(id).begin(), g.args(id).end());
  for (NodeId a : args) parts_of(g, a, parts);
}

NodeId joined(Graph& g, NodeId id, const std::map<NodeId, NodeId>& gradient) {
  if (g[id].op != Op::ConcatRows && g[id].op != Op::ConcatCols) return gradient.at(id);
  const Op op = g[id].op;
  std::vector<NodeId> args(g.args(id).begin(), g.args(id).end());
  for (NodeId& a : args) a = joined(g, a, gradient);
  return add_simplified(g, op, args, {}, {});
}

}  // namespace

Graph watch_gradients(const Graph& graph) {
  constexpr std::string_view kRoot = "gradient.";
  const auto is_watched = [&](const Root& root) { return root.name.starts_with(kRoot); };
  if (std::none_of(graph.roots.begin(), graph.roots.end(), is_watched)) return graph;
  Graph without = graph;
  std::erase_if(without.roots, [&](const Root& r) { return is_watched(r) || r.name == "row_loss"; });
  Rebuild r(without);

  // Everything but what reads a derivative, then the derivatives, then the rest.
  std::vector<bool> late(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    late[id] = graph[id].op == Op::Input && graph.name(id).starts_with("%" + std::string(kRoot));
    for (NodeId a : graph.args(id)) late[id] = late[id] || late[a];
    if (!late[id]) r.copy(id);
  }
  NodeId loss = kNoNode;
  std::vector<NodeId> parts;
  for (const Root& root : graph.roots) {
    if (root.name == "row_loss") loss = r.map[root.node];
    if (is_watched(root)) parts_of(r.to, r.map[root.node], parts);
  }
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  const std::vector<NodeId> gradients = differentiate(r.to, loss, parts);
  std::map<NodeId, NodeId> gradient;
  for (size_t i = 0; i < parts.size(); ++i) gradient[parts[i]] = gradients[i];
  std::map<std::string, NodeId> by_input;
  for (const Root& root : graph.roots) {
    if (is_watched(root)) by_input["%" + root.name] = joined(r.to, r.map[root.node], gradient);
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!late[id]) continue;
    if (graph[id].op == Op::Input) r.map[id] = by_input.at(graph.name(id));
    else r.copy(id);
  }
  return r.finish();
}

}  // namespace rnnc
