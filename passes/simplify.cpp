// Algebra over the whole graph, and dead code: see passes.h and rules.cpp.
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
Graph dce(const Graph& graph) {
  return graph.kept(live_nodes(graph));
}

Graph simplify(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  Rebuild rebuild(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[id]) rebuild.copy(id, true);
  }
  return dce(rebuild.finish());
}

}  // namespace rnnc
