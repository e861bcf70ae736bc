// Merges the terms of sums along K: see passes.h.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_set>

#include "passes/groups.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// What sums over the rows of its operands: terms over different steps can be joined along these rows.
bool contracts_rows(const Node& node) {
  return (node.op == Op::MatMul && node.attr.flags == kTransposeLeft) || node.op == Op::SumRows ||
         node.op == Op::ScatterAdd;
}

class FuseSums {
 public:
  FuseSums(const Graph& graph, Notes* notes)
      : graph_(graph),
        notes_(notes),
        groups_(find_groups(graph)),
        group_of_(group_of(graph, groups_)),
        uses_(use_counts(graph)),
        r_(graph) {
    for (const Group& group : groups_) free_.push_back(group.free());
  }

  Graph run() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (uses_[id] == 0) continue;
      const Op op = graph_[id].op;
      if ((op == Op::Sum || op == Op::Add) && fuse(id)) continue;
      r_.copy(id);
    }
    return dce(r_.finish());
  }

 private:
  /// The terms of a tree of additions of equal shape, from left to right.
  void collect(NodeId id, std::vector<NodeId>& terms) const {
    std::vector<NodeId> stack{id};
    while (!stack.empty()) {
      const NodeId top = stack.back();
      stack.pop_back();
      const Node& node = graph_[top];
      const bool inner = top == id || (uses_[top] == 1 && node.shape == graph_.shape(id));
      if (inner && (node.op == Op::Sum || node.op == Op::Add)) {
        const auto args = graph_.args(top);
        stack.insert(stack.end(), args.rbegin(), args.rend());
      } else {
        terms.push_back(top);
      }
    }
  }

  bool fuse(NodeId id) {
    std::vector<NodeId> terms;
    collect(id, terms);
    // Products of recurrent groups and of free ones stay apart, so that the free ones can leave the
    // recurrence.
    using Key = std::tuple<int, uint8_t, bool, Rows::Kind, uint8_t, int32_t, int32_t>;
    std::map<Key, std::vector<NodeId>> alike;
    std::vector<std::vector<NodeId>*> order;
    for (NodeId term : terms) {
      if (uses_[term] != 1 || graph_.shape(term) != graph_.shape(id)) continue;
      const NodeId inner = unpadded(term);
      const Node& node = graph_[inner];
      std::vector<NodeId>* list = nullptr;
      if (contracts_rows(node)) {
        const Rows rows = graph_.shape(graph_.arg(term, 0)).rows;
        if (rows.kind != Rows::Steps) continue;
        list = &alike[{1, uint8_t(node.op), false, rows.kind, rows.dim, 0, 0}];
      } else if (node.op == Op::MatMul) {
        const Group& group = groups_[group_of_[inner]];
        if (graph_.shape(group.right).rows.kind != Rows::Fixed) {
          tell_apart(term, "its right operand is no weight: it differs from row to row");
          continue;
        }
        const Rows rows = node.shape.rows;
        const bool free = free_[size_t(group_of_[inner])];
        list = &alike[{0, node.attr.flags, free, rows.kind, rows.dim, rows.begin, rows.end}];
      }
      if (!list) continue;
      if (list->empty()) order.push_back(list);
      list->push_back(term);
    }
    if (notes_) tell_lists(order);
    std::vector<NodeId> joined;
    std::unordered_set<NodeId> gone;
    for (auto* list : order) {
      if (list->size() < 2) continue;
      if (contracts_rows(graph_[(*list)[0]])) {
        join_steps(*list, joined);
      } else {
        join_products(*list, joined);
      }
      gone.insert(list->begin(), list->end());
    }
    if (joined.empty()) return false;
    for (NodeId term : terms) {
      if (!gone.contains(term)) joined.push_back(r_.map[term]);
    }
    r_.origin_of(id);
    // Terms of other shapes (a bias) are added one by one, terms of this shape at once.
    std::vector<NodeId> same, other;
    for (NodeId term : joined) (r_.to.shape(term) == graph_.shape(id) ? same : other).push_back(term);
    NodeId sum = r_.to.sum(same);
    for (NodeId term : other) sum = r_.to.binary(Op::Add, sum, term);
    r_.map[id] = sum;
    return true;
  }

  void tell_apart(NodeId term, std::string reason) {
    if (notes_) notes_->refused("fuse_sums", graph_, term, term_of(term), std::move(reason));
  }

  std::string term_of(NodeId term) const {
    const NodeId inner = unpadded(term);
    if (graph_[inner].op != Op::MatMul) return std::string(info(graph_[inner].op).name);
    return fmt::format("the product with {}", called(graph_, graph_.arg(inner, 1)));
  }

  /// What becomes one term of a sum, and which products stay terms of their own.
  void tell_lists(const std::vector<std::vector<NodeId>*>& order) {
    const std::vector<NodeId>* products = nullptr;  // the first list of products that are no sums over rows
    for (const auto* list : order) {
      const Node& inner = graph_[unpadded(list->front())];
      const bool over_rows = contracts_rows(inner);
      if (list->size() > 1) {
        const char* kind = inner.op == Op::MatMul ? "products" : info(inner.op).name.data();
        notes_->made("fuse_sums", graph_, list->front(),
                     over_rows ? fmt::format("a sum of {} {} over time", list->size(), kind)
                               : fmt::format("a sum of {} products, with {} and others", list->size(),
                                             called(graph_, graph_.arg(unpadded(list->front()), 1))),
                     over_rows ? "one over the rows of all steps" : "one product of the joined operands");
      }
      if (over_rows) continue;
      if (products == nullptr) {
        products = list;
        continue;
      }
      const Node &a = graph_[unpadded(products->front())], &b = graph_[unpadded(list->front())];
      if (a.attr.flags != b.attr.flags) {
        tell_apart(list->front(), "it is transposed, the other products of this sum are not");
      } else if (a.shape.rows != b.shape.rows) {
        tell_apart(list->front(), "it has other rows than the other products of this sum");
      } else {
        const bool free = groups_[size_t(group_of_[unpadded(list->front())])].free();
        tell_apart(free ? list->front() : products->front(),
                   "it does not recur and can leave the time loop, the others of this sum cannot");
      }
    }
  }

  /// A product whose rows are padded afterwards counts as the product.
  NodeId unpadded(NodeId term) const {
    if (graph_[term].op != Op::PadRows) return term;
    const NodeId inner = graph_.arg(term, 0);
    return graph_[inner].op == Op::MatMul && uses_[inner] == 1 && !contracts_rows(graph_[inner]) ? inner
                                                                                                 : term;
  }

  /// a·A + b·B = [a b]·[A; B], or with transposed right operands [a b]·[A B]ᵀ.
  void join_products(std::vector<NodeId> terms, std::vector<NodeId>& out) {
    const Rows rows = graph_.shape(terms[0]).rows;
    for (NodeId& term : terms) term = unpadded(term);
    const uint8_t flags = graph_[terms[0]].attr.flags;
    std::vector<NodeId> lefts, rights;
    for (NodeId term : terms) {
      lefts.push_back(r_.map[graph_.arg(term, 0)]);
      rights.push_back(r_.map[graph_.arg(term, 1)]);
    }
    r_.origin_of(terms[0]);
    const NodeId left = add_simplified(r_.to, Op::ConcatCols, lefts, {}, {});
    const Op op = flags & kTransposeRight ? Op::ConcatCols : Op::ConcatRows;
    const NodeId right = add_simplified(r_.to, op, rights, {}, {});
    out.push_back(r_.to.pad_rows(r_.to.matmul(left, right, flags), rows));
  }

  /// Σ_t f(x_t, d_t) = f([x_0; ...], [d_0; ...]) for runs of steps without gaps; a step that has two terms
  /// takes part in two runs.
  void join_steps(std::vector<NodeId> terms, std::vector<NodeId>& out) {
    auto rows = [&](NodeId term) { return graph_.shape(graph_.arg(term, 0)).rows; };
    std::stable_sort(terms.begin(), terms.end(),
                     [&](NodeId a, NodeId b) { return rows(a).begin < rows(b).begin; });
    std::vector<std::vector<NodeId>> runs;
    for (NodeId term : terms) {
      auto fits = [&](const std::vector<NodeId>& run) { return rows(run.back()).end == rows(term).begin; };
      const auto run = std::find_if(runs.begin(), runs.end(), fits);
      if (run == runs.end()) runs.push_back({term});
      else run->push_back(term);
    }
    for (const std::vector<NodeId>& run : runs) {
      if (run.size() == 1) {
        out.push_back(r_.map[run[0]]);
        continue;
      }
      const Node& node = graph_[run[0]];
      std::vector<NodeId> stacks;
      r_.origin_of(run[0]);
      for (size_t k = 0; k < graph_.args(run[0]).size(); ++k) {
        std::vector<NodeId> steps;
        for (NodeId term : run) steps.push_back(r_.map[graph_.arg(term, int(k))]);
        stacks.push_back(add_simplified(r_.to, Op::ConcatRows, steps, {}, {}));
      }
      out.push_back(r_.to.add(node.op, stacks, node.attr, node.shape));
    }
  }

  const Graph& graph_;
  Notes* notes_;
  const std::vector<Group> groups_;
  const std::vector<int32_t> group_of_;
  std::vector<bool> free_;  // of each group
  const std::vector<uint32_t> uses_;
  Rebuild r_;
};

}  // namespace

Graph fuse_sums(const Graph& graph, Notes* notes) {
  return FuseSums(graph, notes).run();
}

}  // namespace rnnc
