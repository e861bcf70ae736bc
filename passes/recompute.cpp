// See recompute.h. Three steps: what is wide is cut, every node gets a phase, what is needed again is cloned.
#include "passes/recompute.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "ir/places.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

bool is_leaf(const Node& n) {
  return info(n.op).cls == OpClass::Leaf;
}

class Cutter {
 public:
  explicit Cutter(const Segments& segments) : dim_(segments.dim), steps_(segments.steps) {}

  bool along(Rows rows) const { return rows.kind == Rows::Steps && rows.dim == dim_; }
  int32_t first(Rows rows) const { return rows.begin / steps_; }
  int32_t last(Rows rows) const { return (rows.end - 1) / steps_; }
  bool wide(Rows rows) const { return along(rows) && first(rows) != last(rows); }
  /// The segment that rows lie in, or -1.
  int32_t segment(Rows rows) const { return along(rows) && !wide(rows) ? first(rows) : -1; }
  Rows part(Rows rows, int32_t segment) const {
    return Rows::steps(rows.dim, std::max(rows.begin, segment * steps_),
                       std::min(rows.end, (segment + 1) * steps_));
  }

 private:
  int dim_;
  int32_t steps_;
};

/// Computes row r of its result from row r of its operands alone (and from whole operands of other rows).
bool row_by_row(const Node& n) {
  switch (n.op) {
    case Op::RowCount:
    case Op::Onto:
    case Op::Keep: return false;
    case Op::MatMul:  // with its left operand transposed its rows are columns, no steps
    case Op::SumCols:
    case Op::MaxCols:
    case Op::ArgMax:
    case Op::SliceCols:
    case Op::SliceRows:
    case Op::ConcatCols:
    case Op::ConcatRows:
    case Op::Gather:
    case Op::PairIndex: return true;
    default: return info(n.op).cls == OpClass::Elementwise;
  }
}

/// Operand `i` of a node that works row by row is needed whole.
bool needed_whole(const Node& n, size_t i) {
  return (n.op == Op::Gather && i == 0) || (n.op == Op::MatMul && i == 1) || (n.op == Op::Coin && i == 1);
}

/// What is wide becomes one node a segment.
class Cut {
 public:
  Cut(const Graph& graph, const Cutter& cutter)
      : g_(graph),
        cutter_(cutter),
        r_(graph),
        live_(live_nodes(graph)),
        fits_(graph.size()),
        pieces_(graph.size()) {
    for (NodeId id = 0; id < g_.size(); ++id)
      fits_[id] = live_[id] && cutter_.wide(rows(id)) && row_by_row(g_[id]);
    for (const Root& root : g_.roots) fits_[root.node] = false;
    for (NodeId user = g_.size(); user-- > 0;) {
      if (!live_[user]) continue;
      for (size_t i = 0; i < g_.args(user).size(); ++i) {
        const NodeId a = g_.args(user)[i];
        if (fits_[a] && !takes_pieces(user, i)) fits_[a] = false;
      }
    }
  }

  Graph run() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!live_[id]) continue;
      r_.origin_of(id);
      const Op op = g_[id].op;
      if (fits_[id]) {
        for (int32_t s = cutter_.first(rows(id)); s <= cutter_.last(rows(id)); ++s)
          pieces_[id].push_back(piece_of(id, s));
      } else if (sums_pieces(id)) {
        r_.map[id] = chain(id);
      } else if (op == Op::RowCount && cutter_.wide(rows(g_.arg(id, 0)))) {  // it needs no values
        r_.map[id] = r_.to.unary(Op::RowCount, r_.to.constant(0, rows(g_.arg(id, 0))));
      } else if (op == Op::SliceRows && fits_[g_.arg(id, 0)]) {
        r_.map[id] = slice(piece(g_.arg(id, 0), cutter_.segment(rows(id))), rows(id));
      } else {
        r_.copy(id);
      }
    }
    return dce(r_.finish());
  }

 private:
  Rows rows(NodeId id) const { return g_.shape(id).rows; }

  bool sums_pieces(NodeId id) const {
    return is_row_sum(g_[id]) && cutter_.wide(rows(g_.arg(id, 0))) && !cutter_.along(rows(id));
  }
  bool takes_pieces(NodeId user, size_t i) const {
    const NodeId a = g_.args(user)[i];
    if (sums_pieces(user) || g_[user].op == Op::RowCount) return true;
    if (g_[user].op == Op::SliceRows) return fits_[user] || cutter_.segment(rows(user)) >= 0;
    if (g_[user].op == Op::ConcatRows) return false;  // of wide parts
    return fits_[user] && rows(a) == rows(user) && !needed_whole(g_[user], i);
  }

  NodeId slice(NodeId value, Rows rows) {
    const Shape s = r_.to.shape(value);
    return add_simplified(r_.to, Op::SliceRows, std::array{value}, {}, {s.type, rows, s.cols});
  }

  /// The rows of a value that lie in segment `s`, in the new graph.
  NodeId piece(NodeId id, int32_t s) {
    if (fits_[id]) return pieces_[id][size_t(s - cutter_.first(rows(id)))];
    return slice(r_.map[id], cutter_.part(rows(id), s));
  }

  NodeId piece_of(NodeId id, int32_t s) {
    const Node& n = g_[id];
    const Rows part = cutter_.part(n.shape.rows, s);
    if (n.op == Op::SliceRows) return slice(piece(g_.arg(id, 0), s), part);
    std::vector<NodeId> args;
    for (size_t i = 0; i < g_.args(id).size(); ++i) {
      const NodeId a = g_.args(id)[i];
      if (n.op == Op::ConcatRows) {
        if (cutter_.segment(rows(a)) == s) args.push_back(r_.map[a]);
      } else {
        const bool cut = rows(a) == rows(id) && !needed_whole(n, i);
        args.push_back(cut ? piece(a, s) : r_.map[a]);
      }
    }
    if (n.op == Op::ConcatRows) return add_simplified(r_.to, n.op, args, {}, {});
    return r_.to.add(n.op, args, n.attr, {n.shape.type, part, n.shape.cols});
  }

  NodeId chain(NodeId id) {
    const Rows all = rows(g_.arg(id, 0));
    NodeId sum = kNoNode;
    for (int32_t s = cutter_.last(all); s >= cutter_.first(all); --s) {
      std::vector<NodeId> args;
      for (NodeId a : g_.args(id)) args.push_back(piece(a, s));
      const NodeId part = r_.to.add(g_[id].op, args, g_[id].attr, g_[id].shape);
      sum = sum == kNoNode ? part : r_.to.binary(Op::Onto, sum, part);
    }
    return sum;
  }

  const Graph& g_;
  const Cutter& cutter_;
  Rebuild r_;
  std::vector<bool> live_, fits_;            // fits_: it is cut
  std::vector<std::vector<NodeId>> pieces_;  // of what is cut
};

/// Phases and clones of a graph in which nothing is wide that need not be.
class Recompute {
 public:
  Recompute(const Graph& graph, const Cutter& cutter)
      : g_(graph),
        cutter_(cutter),
        segment_(graph.size(), -1),
        phase_(graph.size()),
        backward_(graph.size()),
        stored_(graph.size()),
        kept_(graph.size()),
        keep_(graph.size(), kNoNode),
        r_(graph) {
    for (NodeId id = 0; id < g_.size(); ++id) {
      const Node& n = g_[id];
      stored_[id] = is_leaf(n);
      if (is_leaf(n)) continue;
      backward_[id] = n.backward;
      for (NodeId a : g_.args(id)) backward_[id] = backward_[id] || backward_[a];
      segment_[id] = cutter_.segment(is_row_sum(n) ? g_.shape(g_.arg(id, 0)).rows : n.shape.rows);
    }
    find_stored();
    find_phases();
  }

  Graph run() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      for (NodeId a : g_.args(id)) {
        if (crosses(id, a)) kept_[a] = true;
      }
    }
    std::vector<NodeId> order(g_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](NodeId a, NodeId b) { return phase_[a] < phase_[b]; });
    for (size_t at = 0; at < order.size();) {
      size_t end = at;
      while (end < order.size() && phase_[order[end]] == phase_[order[at]]) ++end;
      emit(std::span(order).subspan(at, end - at));
      at = end;
    }
    return dce(r_.finish());
  }

 private:
  /// What has its place for the whole run anyway: leaves, results, steps of a stack that is needed whole.
  void find_stored() {
    for (const Root& root : g_.roots) stored_[root.node] = true;
    for (NodeId id = g_.size(); id-- > 0;) {
      const Op op = g_[id].op;
      const bool stack = op == Op::ConcatRows && cutter_.wide(g_.shape(id).rows);
      if (!stack && !(stored_[id] && is_view(op))) continue;
      for (NodeId a : g_.args(id)) stored_[a] = true;
    }
  }

  int32_t after(NodeId a, NodeId id) const {
    const bool border = segment_[a] >= 0 && segment_[id] >= 0 && segment_[a] != segment_[id];
    return phase_[a] + (border && backward_[a] == backward_[id] ? 1 : 0);
  }

  void find_phases() {
    int32_t last = 0, segments = 0;
    for (NodeId id = 0; id < g_.size(); ++id) {
      segments = std::max(segments, segment_[id] + 1);
      if (backward_[id]) continue;
      for (NodeId a : g_.args(id)) phase_[id] = std::max(phase_[id], after(a, id));
      if (segment_[id] >= 0) last = std::max(last, phase_[id]);
    }
    // What depends on no state yet (a lookup, the product with the input) waits for what needs it.
    constexpr int32_t kNone = std::numeric_limits<int32_t>::max();
    std::vector<int32_t> needed(g_.size(), kNone);
    for (NodeId id = g_.size(); id-- > 0;) {
      if (backward_[id] || is_leaf(g_[id])) continue;
      if (segment_[id] >= 0 && needed[id] != kNone) phase_[id] = std::max(phase_[id], needed[id]);
      for (NodeId a : g_.args(id))
        needed[a] = segment_[a] == segment_[id] ? std::min(needed[a], phase_[id]) : -1;
    }
    // Backward segments follow, the last one first.
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!backward_[id]) continue;
      if (segment_[id] >= 0) phase_[id] = last + segments - 1 - segment_[id];
      for (NodeId a : g_.args(id)) phase_[id] = std::max(phase_[id], after(a, id));
    }
  }

  bool earlier(NodeId a, NodeId id) const { return !stored_[a] && phase_[a] < phase_[id]; }
  /// The backward node `id` needs a forward value of its own segment that was computed in an earlier phase.
  bool again(NodeId id, NodeId a) const {
    return earlier(a, id) && backward_[id] && !backward_[a] && segment_[a] >= 0 &&
           segment_[a] == segment_[id];
  }
  /// Node `id` needs a step of another segment, which must leave the arrays of its own.
  bool crosses(NodeId id, NodeId a) const {
    return earlier(a, id) && !again(id, a) && cutter_.along(g_.shape(a).rows) && g_.shape(a).rows.is_step();
  }

  /// All nodes of one phase, with what they need again before them.
  void emit(std::span<const NodeId> nodes) {
    const int32_t phase = phase_[nodes[0]];
    clones_.clear();
    arrived_.clear();
    std::vector<NodeId> wanted, order;
    for (NodeId id : nodes) {
      for (NodeId a : g_.args(id)) {
        if (again(id, a)) wanted.push_back(a);
      }
    }
    while (!wanted.empty()) {
      const NodeId id = wanted.back();
      wanted.pop_back();
      if (!clones_.try_emplace(id, kNoNode).second) continue;
      order.push_back(id);
      for (NodeId a : g_.args(id)) {
        if (!stored_[a] && segment_[a] == segment_[id]) wanted.push_back(a);
      }
    }
    std::sort(order.begin(), order.end());
    for (NodeId id : order) {
      std::vector<NodeId> args;
      for (NodeId a : g_.args(id)) {
        const auto clone = clones_.find(a);
        const bool border = !stored_[a] && segment_[a] >= 0 && g_.shape(a).rows.is_step();
        args.push_back(clone != clones_.end() ? clone->second : border ? arrived(a, phase) : r_.map[a]);
      }
      start(id, phase);
      clones_[id] = r_.to.add(g_[id].op, args, g_[id].attr, g_[id].shape);
    }
    for (NodeId id : nodes) {
      std::vector<NodeId> args;
      for (NodeId a : g_.args(id)) {
        if (again(id, a)) args.push_back(clones_.at(a));
        else if (crosses(id, a)) args.push_back(arrived(a, phase));
        else args.push_back(r_.map[a]);
      }
      start(id, phase);
      r_.map[id] = r_.to.add(g_[id].op, args, g_[id].attr, g_[id].shape);
      if (kept_[id]) keep_[id] = r_.to.unary(Op::Keep, r_.map[id]);
    }
  }

  void start(NodeId id, int32_t phase) {
    r_.origin_of(id);
    r_.to.set_phase(phase);
  }

  /// A kept value among those of this phase, so that stacks can begin with it.
  NodeId arrived(NodeId id, int32_t phase) {
    const auto [it, fresh] = arrived_.try_emplace(id, kNoNode);
    if (fresh) {
      start(id, phase);
      it->second = r_.to.unary(Op::Keep, keep_[id]);
    }
    return it->second;
  }

  const Graph& g_;
  const Cutter& cutter_;
  std::vector<int32_t> segment_, phase_;
  std::vector<bool> backward_, stored_, kept_;
  std::vector<NodeId> keep_;          // of a kept value: its copy
  std::map<NodeId, NodeId> clones_;   // of the phase at hand
  std::map<NodeId, NodeId> arrived_;  // likewise: values of other segments
  Rebuild r_;
};

}  // namespace

Graph recompute(const Graph& graph, const Segments& segments) {
  if (!segments.on()) return graph;
  const Cutter cutter(segments);
  const Graph cut = Cut(graph, cutter).run();
  return Recompute(cut, cutter).run();
}

}  // namespace rnnc
