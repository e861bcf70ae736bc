// Programs that do not train: see passes.h.
#include <algorithm>

#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {

Graph settle_coins(const Graph& graph) {
  bool any = false;
  for (NodeId id = 0; id < graph.size(); ++id) any = any || graph[id].op == Op::Coin;
  if (!any) return graph;
  Rebuild r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    r.origin_of(id);
    if (node.op == Op::Coin) r.map[id] = r.to.constant(node.attr.value, node.shape.rows, node.shape.cols);
    else r.copy(id, true);
  }
  return r.finish();
}

}  // namespace rnnc
