// Groups of products and their depths: see groups.h.
#include "passes/groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "passes/rebuild.h"

namespace rnnc {
namespace {

constexpr size_t kTogether = 16;  // groups whose depths one sweep over the nodes finds

void find_depths(const Graph& graph, std::span<Group> groups, const std::vector<int32_t>& group_of,
                 int32_t first) {
  NodeId begin = graph.size();
  for (const Group& group : groups) begin = std::min(begin, group.members[0]);
  std::vector<std::array<int32_t, kTogether>> depth(graph.size() - begin);
  for (NodeId id = begin; id < graph.size(); ++id) {
    auto& mine = depth[id - begin];
    mine.fill(0);
    for (NodeId a : graph.args(id)) {
      if (a < begin) continue;
      for (size_t k = 0; k < kTogether; ++k) mine[k] = std::max(mine[k], depth[a - begin][k]);
    }
    const int32_t k = group_of[id] - first;
    if (group_of[id] >= 0 && k >= 0 && size_t(k) < groups.size()) groups[k].depth.push_back(mine[k]++);
  }
}

}  // namespace

bool Group::free() const {
  return std::all_of(depth.begin(), depth.end(), [](int32_t d) { return d == 0; });
}

std::vector<int32_t> group_of(const Graph& graph, const std::vector<Group>& groups) {
  std::vector<int32_t> of(graph.size(), -1);
  for (size_t k = 0; k < groups.size(); ++k) {
    for (NodeId id : groups[k].members) of[id] = int32_t(k);
  }
  return of;
}

std::vector<Group> find_groups(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  std::map<std::tuple<Op, NodeId, uint8_t>, size_t> index;
  std::vector<Group> groups;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (!live[id]) continue;
    const bool product = node.op == Op::MatMul && !(node.attr.flags & kTransposeLeft);
    if (!product && node.op != Op::Gather) continue;
    const NodeId right = graph.arg(id, product ? 1 : 0);
    const auto [it, fresh] = index.try_emplace({node.op, right, node.attr.flags}, groups.size());
    if (fresh) groups.push_back({right, node.attr.flags, node.op, {}, {}});
    groups[it->second].members.push_back(id);
  }
  const std::vector<int32_t> of = group_of(graph, groups);
  for (size_t first = 0; first < groups.size(); first += kTogether) {
    const size_t count = std::min(kTogether, groups.size() - first);
    find_depths(graph, std::span(groups).subspan(first, count), of, int32_t(first));
  }
  return groups;
}

}  // namespace rnnc
