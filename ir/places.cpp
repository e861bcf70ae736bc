// Places of values in others and in arrays over time: see places.h.
#include "ir/places.h"

#include <algorithm>
#include <numeric>

namespace rnnc {
namespace {

/// Nodes all of whose uses satisfy `good(user, operand index, result so far)`, and that are used at all.
template <typename Good>
std::vector<bool> only_used(const Graph& graph, Good good) {
  std::vector<bool> used(graph.size()), all(graph.size(), true);
  const std::vector<bool> live = live_nodes(graph);
  for (const Root& root : graph.roots) all[root.node] = false;
  for (NodeId user = graph.size(); user-- > 0;) {
    if (!live[user]) continue;
    all[user] = all[user] && used[user];
    const auto args = graph.args(user);
    for (size_t i = 0; i < args.size(); ++i) {
      used[args[i]] = true;
      if (!good(user, i, all)) all[args[i]] = false;
    }
  }
  for (NodeId id = 0; id < graph.size(); ++id) all[id] = all[id] && used[id];
  return all;
}

bool is_weight_gradient(const Node& n) {
  return n.op == Op::MatMul && n.attr.flags == kTransposeLeft;
}

/// The value that a part of a shifted stack takes its rows from.
NodeId source_of(const Graph& graph, NodeId part) {
  return graph[part].op == Op::TakeRows ? graph.arg(part, 0) : part;
}

}  // namespace

bool is_view(Op op) {
  return op == Op::SliceCols || op == Op::SliceRows || op == Op::ConcatCols || op == Op::ConcatRows ||
         op == Op::TakeRows;
}
bool is_computed(Op op) {
  return info(op).cls != OpClass::Leaf && !is_view(op);
}

bool is_row_sum(const Node& n) {
  return is_weight_gradient(n) || n.op == Op::SumRows || n.op == Op::ScatterAdd;
}
bool goes_on(const Graph& graph, NodeId onto, std::span<const uint32_t> uses) {
  if (graph[onto].op != Op::Onto) return false;
  const NodeId a = graph.arg(onto, 0), b = graph.arg(onto, 1);
  const auto root = [&](const Root& r) { return r.assign && r.node == onto; };
  return uses[a] == 1 && uses[b] == 1 && (is_row_sum(graph[a]) || graph[a].op == Op::Onto) &&
         is_row_sum(graph[b]) && std::ranges::none_of(graph.roots, root);
}

ShiftedStack shifted_stack(const Graph& graph, NodeId stack) {
  if (graph[stack].op != Op::ConcatRows) return {};
  ShiftedStack result;
  for (NodeId part : graph.args(stack)) {
    const NodeId source = source_of(graph, part);
    const Op op = graph[source].op;
    if (!graph.shape(part).rows.is_step() || !graph.shape(source).rows.is_step()) return {};
    if (!is_computed(op) && op != Op::ConcatCols) return {};
    const int32_t shift = graph.shape(source).rows.begin - graph.shape(part).rows.begin;
    if (result.member == kNoNode) result = {source, shift};
    if (shift != result.shift) return {};
  }
  return result;
}

Places::Places(const Graph& graph)
    : graph_(graph),
      shifted_(graph.size()),
      stacked_(graph.size()),
      owner_(graph.size(), kNoNode),
      row_(graph.size()),
      col_(graph.size()),
      parent_(graph.size()),
      family_(graph.size(), -1) {
  packed_ = only_used(graph, [&](NodeId user, size_t i, const std::vector<bool>& all) {
    const Node& n = graph[user];
    if (n.op == Op::MatMul && !(n.attr.flags & kTransposeLeft)) return i == 1;
    return (n.op == Op::ConcatCols || n.op == Op::ConcatRows) && n.shape.rows.kind == Rows::Fixed &&
           bool(all[user]);
  });
  contracted_ = only_used(
      graph, [&](NodeId user, size_t, const std::vector<bool>&) { return is_weight_gradient(graph[user]); });
  std::iota(parent_.begin(), parent_.end(), 0);
}

NodeId Places::find(NodeId id) const {
  while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
  return id;
}

bool Places::join(NodeId x, NodeId y) {
  NodeId a = find(x), b = find(y);
  if (a == b) return true;
  const auto size = [&](NodeId name) { return family_[name] < 0 ? 1 : members_of(name).size(); };
  if (size(a) > size(b)) std::swap(a, b);
  const Shape s = graph_.shape(a), t = graph_.shape(b);
  if (s.rows.dim != t.rows.dim || s.cols != t.cols || s.type != t.type || !s.rows.is_step() ||
      !t.rows.is_step())
    return false;
  auto step = [&](NodeId n) { return graph_.shape(n).rows.begin; };
  auto by_step = [&](NodeId m, NodeId n) { return step(m) < step(n); };
  std::deque<NodeId>& into = members_of(b);
  const std::deque<NodeId> from = size(a) == 1 ? std::deque<NodeId>{a} : members_of(a);
  for (NodeId n : from) {
    if (std::binary_search(into.begin(), into.end(), n, by_step)) return false;
  }
  for (NodeId n : from) into.insert(std::upper_bound(into.begin(), into.end(), n, by_step), n);
  if (family_[a] >= 0) members_[size_t(family_[a])].clear();
  parent_[a] = b;
  return true;
}

std::deque<NodeId>& Places::members_of(NodeId name) {
  if (family_[name] < 0) {
    family_[name] = int32_t(members_.size());
    members_.push_back({name});
  }
  return members_[size_t(family_[name])];
}

std::pair<NodeId, NodeId> Places::ends(NodeId root) const {
  const NodeId name = find(root);
  if (family_[name] < 0) return {name, name};
  const std::deque<NodeId>& members = members_[size_t(family_[name])];
  return {members.front(), members.back()};
}

Places::Home Places::home(NodeId id) const {
  Home h{id, 0, 0};
  while (owner_[h.root] != kNoNode) {
    h.row += row_[h.root];
    h.col += col_[h.root];
    h.root = owner_[h.root];
  }
  return h;
}

bool Places::claim_shifted(NodeId stack) {
  const ShiftedStack shifted = shifted_stack(graph_, stack);
  if (shifted.member == kNoNode) return false;
  const Home first = home(shifted.member);
  for (NodeId part : graph_.args(stack)) {
    const Home h = home(source_of(graph_, part));
    if (h.col != first.col || !graph_.shape(h.root).rows.is_step() || !join(h.root, first.root)) return false;
    stacked_[h.root] = true;
  }
  return true;
}

bool Places::claim_steps(NodeId stack) {
  const auto args = graph_.args(stack);
  const Home first = home(args[0]);
  for (NodeId a : args) {
    const Op op = graph_[a].op;
    if (!graph_.shape(a).rows.is_step() || !(is_computed(op) || op == Op::ConcatCols)) return false;
    const Home h = home(a);
    if (h.col != first.col || !graph_.shape(h.root).rows.is_step() || !join(h.root, first.root)) return false;
  }
  for (NodeId a : args) stacked_[home(a).root] = true;
  return true;
}

std::vector<bool> Places::claim(NodeId id) {
  const auto args = graph_.args(id);
  std::vector<bool> copy(args.size());
  if (packed_[id]) return copy;
  const bool rows = graph_[id].op == Op::ConcatRows;
  if (rows && graph_.shape(id).rows.kind == Rows::Steps) {
    shifted_[id] = contracted_[id] && claim_shifted(id);
    if (!shifted_[id] && !claim_steps(id)) copy.assign(args.size(), true);
    return copy;
  }
  int32_t at = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    const NodeId a = args[i];
    const Op op = graph_[a].op;  // a sum that goes on lies where the one before it does
    const bool value = op == Op::ConcatCols || (is_computed(op) && op != Op::Onto);
    copy[i] = !value || owner_[a] != kNoNode || stacked_[a] || packed_[a];
    if (!copy[i]) {
      owner_[a] = id;
      (rows ? row_ : col_)[a] = at;
    }
    at += rows ? graph_.shape(a).rows.begin : graph_.shape(a).cols;
  }
  return copy;
}

}  // namespace rnnc
