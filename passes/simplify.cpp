// Algebra over the whole graph, and dead code: see passes.h and rules.cpp.
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

Graph copy_live(const Graph& graph, bool simplify) {
  const std::vector<bool> live = live_nodes(graph);
  Rebuild rebuild(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[id]) rebuild.copy(id, simplify);
  }
  return rebuild.finish();
}

}  // namespace

Graph dce(const Graph& graph) {
  return copy_live(graph, false);
}

Graph simplify(const Graph& graph) {
  return dce(copy_live(graph, true));
}

}  // namespace rnnc
