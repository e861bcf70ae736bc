// Merges products along N: see passes.h.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "passes/groups.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

constexpr int32_t kVector = 16;  // columns of a panel: a product computes at least so many

/// Joined right operands [A B ...] of one merge, as columns or, if they are used transposed, as rows of Bᵀ.
NodeId join(Graph& to, const std::vector<NodeId>& rights, uint8_t flags) {
  const Op op = flags & kTransposeRight ? Op::ConcatRows : Op::ConcatCols;
  return add_simplified(to, op, rights, {}, {});
}

/// One product for all members, which have the same left operand; each member becomes a slice of it.
void emit_joined(Rebuild& r, const Merge& merge) {
  std::vector<NodeId> rights;
  for (NodeId id : merge.members) rights.push_back(r.map[r.from.arg(id, 1)]);
  const uint8_t flags = r.from[merge.members[0]].attr.flags;
  const NodeId left = r.map[r.from.arg(merge.members[0], 0)];
  const NodeId product = r.to.matmul(left, join(r.to, rights, flags), flags);
  int32_t at = 0;
  for (NodeId id : merge.members) {
    r.origin_of(id);
    r.map[id] = r.to.slice_cols(product, at, r.from.shape(id).cols);
    at += r.from.shape(id).cols;
  }
}

/// Products that go on from each other: the first, and what each of the others becomes together with those
/// before it.
struct Chain {
  std::vector<NodeId> products, results;
};

/// Products that go on are joined with what they go on from, which their own merge has joined before.
///
///   dA' = onto dA (xᵀ·di)     [dA' dB'] = onto [dA dB] (xᵀ·[di df])
///   dB' = onto dB (xᵀ·df)  →
void join_results(Merge& merge, std::vector<NodeId> results) {
  const std::vector<NodeId> products = merge.members;
  merge.members.insert(merge.members.end(), results.begin(), results.end());
  merge.emit = [products, results = std::move(results)](Rebuild& r, const Merge&) {
    emit_joined(r, {products, {}});
    const NodeId product = r.to.arg(r.map[products[0]], 0);
    r.origin_of(results[0]);
    std::vector<NodeId> before;
    for (NodeId id : results) before.push_back(r.map[r.from.arg(id, 0)]);
    const NodeId sum = add_simplified(r.to, Op::ConcatCols, before, {}, {});
    const NodeId after = r.to.binary(Op::Onto, sum, product);
    int32_t at = 0;
    for (NodeId id : results) {
      r.origin_of(id);
      r.map[id] = r.to.slice_cols(after, at, r.from.shape(id).cols);
      at += r.from.shape(id).cols;
    }
  };
}

std::string shape_of(const Graph& graph, NodeId right) {
  return fmt::format("[{}, {}]", graph.shape(right).rows.begin, graph.shape(right).cols);
}

/// What members of a merge are and what they become, said at the first of them.
void tell_joined(Notes& notes, std::string_view pass, const Graph& graph, const Merge& merge) {
  std::string names;
  int32_t cols = 0;
  for (NodeId id : merge.members) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", called(graph, graph.arg(id, 1)));
    cols += graph.shape(id).cols;
  }
  const NodeId first = merge.members[0];
  notes.made(pass, graph, first,
             fmt::format("{} products of {} with {}", merge.members.size(),
                         called(graph, graph.arg(first, 0)), names),
             fmt::format("one with {} columns", cols));
}

/// Merges that would have to wait for each other.
Graph apply(const Graph& graph, std::vector<Merge> merges, std::string_view pass, Notes* notes) {
  std::vector<NodeId> refused;
  Graph result = dce(apply_merges(graph, std::move(merges), &refused));
  for (size_t i = 0; notes && i < refused.size(); ++i)
    notes->refused(pass, graph, refused[i], "products with one left operand",
                   "their merge would wait for another merge, and that one for it");
  return result;
}

/// The cost rule. A product whose parts have different numbers of columns has no epilogue: what follows is a
/// kernel of its own, and the parts are written and read once more. That costs more than one pass over the
/// left operand saves, unless all parts together are one vector, which one of them alone would not fill
/// (bench/merges.cpp, `gates`). So only parts of one width are joined.
std::vector<std::vector<size_t>> worth_joining(const Graph& graph, const std::vector<Group>& groups,
                                               const std::vector<size_t>& alike) {
  int32_t all = 0;
  std::map<int32_t, std::vector<size_t>> by_width;
  for (size_t k : alike) {
    const int32_t cols = graph.shape(groups[k].members[0]).cols;
    all += cols;
    by_width[cols].push_back(k);
  }
  if (all <= kVector) return {alike};
  std::vector<std::vector<size_t>> lists;
  for (auto& [width, list] : by_width) lists.push_back(std::move(list));
  return lists;
}

void tell_pair(Notes& notes, const Graph& graph, const Group& a, const Group& b, std::string reason) {
  notes.refused("fuse_gates", graph, b.members[0],
                fmt::format("products with {} {} and {} {}", called(graph, a.right), shape_of(graph, a.right),
                            called(graph, b.right), shape_of(graph, b.right)),
                std::move(reason));
}

/// Groups that have left operands in common with an earlier one, but not all of them.
void tell_apart(Notes& notes, const Graph& graph, const std::vector<Group>& groups) {
  std::map<NodeId, size_t> first;  // left operand -> the first group that has it
  std::map<std::pair<size_t, size_t>, int> common;
  for (size_t k = 0; k < groups.size(); ++k) {
    if (groups[k].op != Op::MatMul) continue;
    for (NodeId id : groups[k].members) {
      const auto [it, fresh] = first.try_emplace(graph.arg(id, 0), k);
      if (!fresh && it->second != k) ++common[{it->second, k}];
    }
  }
  for (const auto& [pair, count] : common) {
    const Group &a = groups[pair.first], &b = groups[pair.second];
    const size_t both = std::max(a.members.size(), b.members.size());
    std::string reason;
    if (graph.shape(a.right).rows.kind != Rows::Fixed || graph.shape(b.right).rows.kind != Rows::Fixed)
      reason = "a right operand is no weight: it differs from row to row";
    else if (a.flags != b.flags) reason = "one right operand is transposed, the other is not";
    else if (a.free() != b.free())
      reason = fmt::format("{} does not recur and can leave the time loop, {} cannot",
                           called(graph, a.free() ? a.right : b.right),
                           called(graph, a.free() ? b.right : a.right));
    else if (size_t(count) < both)
      reason = fmt::format("they have a left operand in common at {} of {} steps only", count, both);
    else continue;  // equal lists
    tell_pair(notes, graph, a, b, std::move(reason));
  }
}

/// Sums over the rows of parts of one stack are parts of the sum over its rows.
///
///   db_i = Σ_rows [di_0; di_1; ...]     s = Σ_rows [[di_0 df_0]; [di_1 df_1]; ...]
///   db_f = Σ_rows [df_0; df_1; ...]  →  db_i = s[0:n], db_f = s[n:2n]
Graph fuse_bias_gradients(const Graph& graph, Notes* notes) {
  const std::vector<bool> live = live_nodes(graph);
  struct Part {
    NodeId stack;
    int32_t offset;
  };
  std::map<std::vector<NodeId>, Part> parts;  // the steps of a column of parts -> where they stand
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[id] || graph[id].op != Op::ConcatRows) continue;
    const auto steps = graph.args(id);
    const size_t width = graph[steps[0]].arg_count;
    auto joined = [&](NodeId step) {
      return graph[step].op == Op::ConcatCols && graph[step].arg_count == width;
    };
    if (!std::all_of(steps.begin(), steps.end(), joined)) continue;
    int32_t offset = 0;
    for (size_t k = 0; k < width; ++k) {
      std::vector<NodeId> column;
      for (NodeId step : steps) column.push_back(graph.arg(step, int(k)));
      parts.try_emplace(std::move(column), Part{id, offset});
      offset += graph.shape(graph.arg(steps[0], int(k))).cols;
    }
  }
  std::vector<bool> chained(graph.size());  // it goes on from another sum, or one goes on from it
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[id] || graph[id].op != Op::Onto) continue;
    for (NodeId a : graph.args(id)) chained[a] = true;
  }
  std::map<NodeId, std::vector<std::pair<NodeId, int32_t>>> sums;  // stack -> sums over its parts
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[id] || graph[id].op != Op::SumRows || graph[graph.arg(id, 0)].op != Op::ConcatRows) continue;
    if (chained[id] || graph[id].phase != graph[graph.arg(id, 0)].phase) continue;
    const auto steps = graph.args(graph.arg(id, 0));
    const auto part = parts.find({steps.begin(), steps.end()});
    if (part != parts.end()) sums[part->second.stack].push_back({id, part->second.offset});
  }
  std::vector<Merge> merges;
  for (auto& [stack, members] : sums) {
    Merge merge;
    for (const auto& member : members) merge.members.push_back(member.first);
    if (notes)
      notes->made("fuse_weight_gradients", graph, merge.members[0],
                  fmt::format("{} sums over the rows of parts of one stack", members.size()),
                  "one sum over its rows");
    // The sums wait for the whole stack, which is no operand of theirs.
    merge.also_needs = {stack};
    merge.emit = [stack = stack, members = members](Rebuild& r, const Merge&) {
      const NodeId sum = r.to.unary(Op::SumRows, r.map[stack]);
      for (const auto& [id, offset] : members) {
        r.origin_of(id);
        r.map[id] = r.to.slice_cols(sum, offset, r.from.shape(id).cols);
      }
    };
    merges.push_back(std::move(merge));
  }
  return merges.empty() ? graph : dce(apply_merges(graph, std::move(merges)));
}

}  // namespace

Graph fuse_gates(const Graph& graph, Notes* notes) {
  const std::vector<Group> groups = find_groups(graph);
  // Equal lists of left operands, flags and profile; and right operands that stand at the same place:
  // weights.
  std::map<std::tuple<std::vector<NodeId>, uint8_t, bool>, std::vector<size_t>> alike;
  std::vector<std::vector<size_t>*> order;
  for (size_t k = 0; k < groups.size(); ++k) {
    if (groups[k].op != Op::MatMul || graph.shape(groups[k].right).rows.kind != Rows::Fixed) continue;
    std::vector<NodeId> lefts;
    for (NodeId id : groups[k].members) lefts.push_back(graph.arg(id, 0));
    auto& list = alike[{std::move(lefts), groups[k].flags, groups[k].free()}];
    if (list.empty()) order.push_back(&list);
    list.push_back(k);
  }
  std::vector<Merge> merges;
  for (const auto* list : order) {
    const std::vector<std::vector<size_t>> lists = worth_joining(graph, groups, *list);
    for (const std::vector<size_t>& joined : lists) {
      if (notes && joined != lists[0])
        tell_pair(*notes, graph, groups[lists[0][0]], groups[joined[0]],
                  "parts of different widths have no epilogue, which costs more than one product less saves");
      if (joined.size() < 2) continue;
      for (size_t i = 0; i < groups[joined[0]].members.size(); ++i) {
        Merge merge{{}, emit_joined};
        for (size_t k : joined) merge.members.push_back(groups[k].members[i]);
        if (notes) tell_joined(*notes, "fuse_gates", graph, merge);
        merges.push_back(std::move(merge));
      }
    }
  }
  if (notes) tell_apart(*notes, graph, groups);
  return merges.empty() ? graph : apply(graph, std::move(merges), "fuse_gates", notes);
}

Graph fuse_weight_gradients(const Graph& graph, Notes* notes) {
  const std::vector<bool> live = live_nodes(graph);
  std::vector<NodeId> next(graph.size(), kNoNode);  // of a sum that another one goes on from: their `onto`
  std::vector<bool> goes_on(graph.size());          // a product that goes on
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[id] || graph[id].op != Op::Onto) continue;
    next[graph.arg(id, 0)] = id;
    goes_on[graph.arg(id, 1)] = true;
  }
  // Chains of products that go on from each other are joined link by link, or not at all.
  std::map<std::vector<int64_t>, std::vector<Chain>> alike;  // by left operands and phases
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (!live[id] || node.op != Op::MatMul || node.attr.flags != kTransposeLeft || goes_on[id]) continue;
    if (graph.shape(graph.arg(id, 1)).rows.kind == Rows::Fixed) continue;
    Chain chain{{id}, {id}};
    std::vector<int64_t> key{graph.arg(id, 0), node.phase};
    for (NodeId onto = next[id]; onto != kNoNode; onto = next[onto]) {
      const NodeId product = graph.arg(onto, 1);
      chain.products.push_back(product);
      chain.results.push_back(onto);
      key.insert(key.end(), {graph.arg(product, 0), graph[product].phase, graph[onto].phase});
    }
    alike[std::move(key)].push_back(std::move(chain));
  }
  std::vector<Merge> merges;
  for (const auto& [key, chains] : alike) {
    if (chains.size() < 2) continue;
    for (size_t link = 0; link < chains[0].products.size(); ++link) {
      Merge merge{{}, emit_joined};
      for (const Chain& chain : chains) merge.members.push_back(chain.products[link]);
      if (notes) tell_joined(*notes, "fuse_weight_gradients", graph, merge);
      if (link > 0) {
        std::vector<NodeId> results;
        for (const Chain& chain : chains) results.push_back(chain.results[link]);
        join_results(merge, std::move(results));
      }
      merges.push_back(std::move(merge));
    }
  }
  return fuse_bias_gradients(
      merges.empty() ? graph : apply(graph, std::move(merges), "fuse_weight_gradients", notes), notes);
}

}  // namespace rnnc
