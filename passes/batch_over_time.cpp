// Merges products and gathers along M: see passes.h.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "passes/groups.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// The operand that differs from step to step: the left one of a product, the indices of a gather.
int moving_operand(Op op) {
  return op == Op::MatMul ? 0 : 1;
}

/// One product of the stacked left operands; members are consecutive steps, each becomes a slice of rows.
void emit_stacked(Rebuild& r, const Merge& merge) {
  std::vector<NodeId> steps;
  const Node& node = r.from[merge.members[0]];
  const int moving = moving_operand(node.op);
  for (NodeId id : merge.members) steps.push_back(r.map[r.from.arg(id, moving)]);
  std::vector<NodeId> args = r.mapped_args(merge.members[0]);
  args[moving] = add_simplified(r.to, Op::ConcatRows, steps, {}, {});
  const NodeId all = r.to.add(node.op, args, node.attr, node.shape);
  for (NodeId id : merge.members) {
    r.origin_of(id);
    r.map[id] = r.to.slice_rows(all, r.from.shape(id).rows);
  }
}

std::string what(const Graph& graph, const Group& group) {
  return fmt::format("{} {}", group.op == Op::MatMul ? "products with" : "gathers from",
                     called(graph, group.right));
}

}  // namespace

Graph batch_over_time(const Graph& graph, Notes* notes) {
  std::vector<Merge> merges;
  for (const Group& group : find_groups(graph)) {
    std::map<std::tuple<int32_t, int32_t, uint8_t>, std::vector<NodeId>> by_depth;  // phase, depth, space
    size_t merged = 0, steps = 0;
    for (size_t i = 0; i < group.members.size(); ++i) {
      const Rows rows = graph.shape(group.members[i]).rows;
      // Of several steps already (cut by recompute): a stack of them would have no place.
      if (rows.is_step())
        by_depth[{graph[group.members[i]].phase, group.depth[i], rows.dim}].push_back(group.members[i]),
            ++steps;
    }
    for (auto& [key, members] : by_depth) {
      auto begin = [&](NodeId id) { return graph.shape(id).rows.begin; };
      std::stable_sort(members.begin(), members.end(),
                       [&](NodeId a, NodeId b) { return begin(a) < begin(b); });
      std::vector<Merge> runs;  // runs of steps without gaps
      for (NodeId id : members) {
        auto fits = [&](const Merge& run) { return graph.shape(run.members.back()).rows.end == begin(id); };
        const auto run = std::find_if(runs.begin(), runs.end(), fits);
        if (run == runs.end()) runs.push_back({{id}, emit_stacked});
        else run->members.push_back(id);
      }
      for (Merge& run : runs) {
        if (run.members.size() < 2) continue;
        merged += run.members.size();
        if (notes)
          notes->made("batch_over_time", graph, run.members[0],
                      fmt::format("{} {} at steps {} to {}", run.members.size(), what(graph, group),
                                  begin(run.members.front()), begin(run.members.back())),
                      group.free() ? "one before or after the time loop" : "one");
        merges.push_back(std::move(run));
      }
    }
    if (notes && merged < steps && steps > 1)
      notes->refused(
          "batch_over_time", graph, group.members[0],
          fmt::format("{} {}", steps - merged, what(graph, group)),
          group.free() ? "no step beside theirs has one" : "each waits for the one of the step before");
  }
  std::vector<NodeId> refused;
  const bool none = merges.empty();
  Graph result = none ? graph : dce(apply_merges(graph, std::move(merges), &refused));
  for (size_t i = 0; notes && i < refused.size(); ++i)
    notes->refused("batch_over_time", graph, refused[i], "products of several steps",
                   "their merge would wait for another merge, and that one for it");
  return result;
}

}  // namespace rnnc
