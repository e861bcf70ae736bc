// The reverse sweep: see differentiate.h. The rules stand in adjoints.cpp.
#include "passes/differentiate.h"

#include <algorithm>

#include "passes/rebuild.h"

namespace rnnc {

Adjoints::Adjoints(Graph& graph, std::span<const NodeId> wrt)
    : g_(graph), active_(graph.size()), terms_(graph.size()), pieces_(graph.size()) {
  for (NodeId id : wrt) active_[id] = true;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (NodeId a : graph.args(id)) {
      if (active_[a]) active_[id] = true;
    }
  }
}

void Adjoints::give(NodeId node, NodeId d) {
  if (!active_[node]) return;
  const Shape want = g_.shape(node);
  if (g_.shape(d).cols != want.cols)
    d = add_simplified(g_, Op::SumCols, std::array{d}, {}, {});  // stretched along columns
  if (g_.shape(d).rows != want.rows)
    d = add_simplified(g_, Op::SumRows, std::array{d}, {}, {});  // stretched along rows
  if (g_.is_constant(d, 0)) return;
  terms_[node].push_back(d);
}

void Adjoints::give_rows(NodeId stack, Rows rows, int32_t offset, NodeId d) {
  if (active_[stack] && !g_.is_constant(d, 0)) pieces_[stack].push_back({rows, offset, d});
}

/// One value of the shape of `stack` from derivatives of parts of it: parts given twice are summed, gaps are
/// 0.
NodeId Adjoints::assemble(NodeId stack, std::vector<Piece>& pieces) {
  const Shape shape = g_.shape(stack);
  const bool steps = shape.rows.kind == Rows::Steps;
  auto begin = [&](const Piece& p) { return steps ? p.rows.begin : p.offset; };
  auto end = [&](const Piece& p) { return steps ? p.rows.end : p.offset + p.rows.begin; };
  std::stable_sort(pieces.begin(), pieces.end(),
                   [&](const Piece& a, const Piece& b) { return begin(a) < begin(b); });

  std::vector<NodeId> parts;
  auto gap = [&](int32_t a, int32_t b) {  // step by step: a stack is made of steps
    if (!steps) parts.push_back(g_.constant(0, Rows::fixed(b - a), shape.cols));
    for (int32_t t = a; steps && t < b; ++t)
      parts.push_back(g_.constant(0, Rows::step(shape.rows.dim, t), shape.cols));
  };
  int32_t at = steps ? shape.rows.begin : 0;
  const int32_t last = steps ? shape.rows.end : shape.rows.begin;
  for (size_t i = 0; i < pieces.size();) {
    std::vector<NodeId> same;
    const Piece& first = pieces[i];
    for (; i < pieces.size() && begin(pieces[i]) == begin(first); ++i) {
      if (end(pieces[i]) != end(first))
        throw GraphError("differentiate: slices of one stack overlap unevenly");
      same.push_back(pieces[i].d);
    }
    if (begin(first) < at) throw GraphError("differentiate: slices of one stack overlap unevenly");
    if (begin(first) > at) gap(at, begin(first));
    parts.push_back(g_.sum(same));
    at = end(first);
  }
  if (at < last) gap(at, last);
  return add_simplified(g_, Op::ConcatRows, parts, {}, {});
}

NodeId Adjoints::take(NodeId node) {
  if (!pieces_[node].empty()) terms_[node].push_back(assemble(node, pieces_[node]));
  std::vector<NodeId> terms;
  terms.swap(terms_[node]);
  pieces_[node].clear();
  return terms.empty() ? kNoNode : g_.sum(terms);
}

std::vector<NodeId> differentiate(Graph& graph, NodeId loss, std::span<const NodeId> wrt) {
  if (!graph.shape(loss).is_scalar())
    throw GraphError("differentiate: the loss is " + to_string(graph.shape(loss)));
  Adjoints adjoints(graph, wrt);
  std::vector<NodeId> gradient(graph.size(), kNoNode);
  graph.set_backward(true);
  adjoints.give(loss, graph.constant(1));
  for (NodeId id = loss + 1; id-- > 0;) {
    if (!adjoints.active(id)) continue;
    graph.set_origin(graph[id].origin);
    const NodeId d = adjoints.take(id);
    if (d == kNoNode) continue;
    gradient[id] = d;
    apply_adjoint(graph, id, d, adjoints);
  }
  std::vector<NodeId> result;
  for (NodeId id : wrt) {
    result.push_back(gradient[id] != kNoNode ? gradient[id] : graph.same_shape_constant(0, id));
  }
  graph.set_origin(0);
  graph.set_backward(false);
  return result;
}

}  // namespace rnnc
