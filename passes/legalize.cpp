// What the plan needs of every graph: see passes.h.
#include "ir/places.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

constexpr size_t kMostTerms = 8;  // of a sum: more would make its kernel depend on the number of time steps

/// Σ of many terms as a chain of sums of few, from left to right; and no copies.
Graph split_sums(const Graph& graph) {
  Rebuild r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op == Op::Copy) {  // they are made anew where they are needed, and each for one place only
      r.map[id] = r.map[graph.arg(id, 0)];
      continue;
    }
    if (graph[id].op != Op::Sum || graph.args(id).size() <= kMostTerms) {
      r.copy(id);
      continue;
    }
    r.origin_of(id);
    const std::vector<NodeId> terms = r.mapped_args(id);
    std::vector<NodeId> few(terms.begin(), terms.begin() + kMostTerms);
    for (size_t at = kMostTerms;;) {
      r.map[id] = r.to.sum(few);
      if (at == terms.size()) break;
      few.assign(1, r.map[id]);
      while (few.size() < kMostTerms && at < terms.size()) few.push_back(terms[at++]);
    }
  }
  return r.finish();
}

/// Constants have no place in memory; these operands of a node need one.
std::vector<bool> constants_in_memory(const Graph& graph, NodeId id) {
  const Node& n = graph[id];
  std::vector<bool> result(n.arg_count);
  auto constant = [&](int i) { return graph[graph.arg(id, i)].op == Op::Constant; };
  if (n.op == Op::MatMul || n.op == Op::ScatterAdd || n.op == Op::ScatterMax)
    result = {constant(0), constant(1)};
  if (n.op == Op::Gather || n.op == Op::LastRows || n.op == Op::SplitCols || n.op == Op::JoinRows)
    result[0] = constant(0);
  if (n.op == Op::PadRows || (is_view(n.op) && n.arg_count == 1)) result[0] = constant(0);
  return result;
}

}  // namespace

Graph legalize(const Graph& graph) {
  const Graph from = dce(split_sums(graph));
  Places places(from);
  Rebuild r(from);
  std::vector<bool> given;  // places are given once: two joins of one value need two copies
  auto is_given = [&](NodeId id) { return id < given.size() && given[id]; };
  auto give = [&](NodeId id) {
    if (id >= given.size()) given.resize(id + 1);
    given[id] = true;
    return id;
  };
  auto own_copy = [&](NodeId id) {
    do id = r.to.unary(Op::Copy, id);
    while (is_given(id));
    return give(id);
  };
  for (NodeId id = 0; id < from.size(); ++id) {
    const Op op = from[id].op;
    const bool join = op == Op::ConcatCols || op == Op::ConcatRows;
    const std::vector<bool> copy = join ? places.claim(id) : constants_in_memory(from, id);
    std::vector<NodeId> args = r.mapped_args(id);
    for (size_t i = 0; i < args.size(); ++i) {
      if (!copy[i]) continue;
      r.origin_of(from.arg(id, int(i)));
      args[i] = join ? own_copy(args[i]) : r.to.unary(Op::Copy, args[i]);
    }
    r.origin_of(id);
    r.map[id] = r.to.add(op, args, from[id].attr, from[id].shape);
  }
  for (Root root : from.roots) {
    // The new value of a variable is written over the old one by its own kernel.
    const NodeId old = root.node;
    const Op op = from[old].op;
    root.node = r.map[old];
    if (root.assign) {
      const bool own = is_computed(op) && places.home(old).root == old && !is_given(root.node);
      root.node = own ? give(root.node) : own_copy(root.node);
    } else if (op == Op::Constant) {
      root.node = r.to.unary(Op::Copy, root.node);
    }
    r.to.roots.push_back(root);
  }
  r.to.set_origin(0);
  r.to.set_backward(false);
  r.to.set_phase(0);
  return std::move(r.to);
}

}  // namespace rnnc
