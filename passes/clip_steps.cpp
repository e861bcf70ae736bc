// Clipping inside the recurrence: see passes.h.
#include <array>
#include <string>

#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// The body with its states clipped where they enter.
ScanBody clipped(const ScanBody& scan, double c) {
  const int first = scan.sequences + scan.constants;
  Rebuild r(scan.body);
  for (NodeId id = 0; id < scan.body.size(); ++id) {
    r.copy(id);
    if (scan.body[id].op != Op::Input) continue;
    for (int k = 0; k < scan.states; ++k) {
      if (scan.body.name(id) == "%" + std::to_string(first + k))
        r.map[id] = r.to.add(Op::ClipGradient, std::array{r.map[id]}, {.value = c});
    }
  }
  ScanBody result = scan;
  for (NodeId& next : result.next) next = r.map[next];
  for (NodeId& given : result.results) given = r.map[given];
  result.body = r.finish();
  return result;
}

}  // namespace

Model clip_steps(const Model& model, double c) {
  Model result = model;
  for (ScanBody& scan : result.scans) {
    if (scan.cell) scan = clipped(scan, c);
  }
  return result;
}

Graph drop_clips(const Graph& graph) {
  Rebuild r(graph);
  bool any = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const bool clip = graph[id].op == Op::ClipGradient;
    any = any || clip;
    if (clip) r.map[id] = r.map[graph.arg(id, 0)];
    else r.copy(id);
  }
  return any ? r.finish() : graph;
}

}  // namespace rnnc
