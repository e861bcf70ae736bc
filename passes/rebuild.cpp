// Copying graphs: see rebuild.h.
#include "passes/rebuild.h"

#include <queue>

namespace rnnc {

std::vector<NodeId> Rebuild::mapped_args(NodeId id) const {
  std::vector<NodeId> args;
  args.reserve(from.args(id).size());
  for (NodeId a : from.args(id)) args.push_back(map[a]);
  return args;
}

void Rebuild::origin_of(NodeId id) {
  to.set_origin(from[id].origin);
  to.set_backward(from[id].backward);
  to.set_phase(from[id].phase);
}

NodeId Rebuild::copy(NodeId id, bool simplify) {
  origin_of(id);
  const Node& node = from[id];
  args_.clear();
  for (NodeId a : from.args(id)) args_.push_back(map[a]);
  map[id] = simplify ? add_simplified(to, node.op, args_, node.attr, node.shape)
                     : to.add(node.op, args_, node.attr, node.shape);
  return map[id];
}

Graph Rebuild::finish() {
  for (Root root : from.roots) {
    root.node = map[root.node];
    to.roots.push_back(root);
  }
  to.set_origin(0);
  to.set_backward(false);
  to.set_phase(0);
  return std::move(to);
}

namespace {

/// One try at ordering: the groups (a merge, or a single node) in an order in which every operand comes
/// first. Gives the index of a merge that takes part in a cycle, or -1.
class Order {
 public:
  Order(const Graph& graph, const std::vector<Merge>& merges, const std::vector<bool>& dissolved) {
    merge_of_.assign(graph.size(), -1);
    for (size_t m = 0; m < merges.size(); ++m) {
      if (dissolved[m]) continue;
      for (NodeId id : merges[m].members) merge_of_[id] = int32_t(m);
    }
    missing_.assign(merges.size(), 0);
    waiting_.assign(graph.size(), 0);
    std::vector<uint32_t> count(graph.size() + 1);
    auto each_edge = [&](auto&& f) {  // but those inside a merge: it is ready without them
      for (NodeId id = 0; id < graph.size(); ++id) {
        for (NodeId a : graph.args(id)) {
          if (merge_of_[a] < 0 || merge_of_[a] != merge_of_[id]) f(a, id);
        }
      }
      for (size_t m = 0; m < merges.size(); ++m) {
        if (dissolved[m]) continue;
        for (NodeId a : merges[m].also_needs) f(a, merges[m].members[0]);
      }
    };
    each_edge([&](NodeId a, NodeId) { ++count[a + 1]; });
    for (size_t i = 1; i < count.size(); ++i) count[i] += count[i - 1];
    first_user_ = count;
    users_.resize(count.back());
    each_edge([&](NodeId a, NodeId id) {
      users_[count[a]++] = id;
      ++(merge_of_[id] < 0 ? waiting_[id] : missing_[merge_of_[id]]);
    });
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (merge_of_[id] < 0 && waiting_[id] == 0) ready_.push(id);
    }
    for (size_t m = 0; m < merges.size(); ++m) {
      if (!dissolved[m] && missing_[m] == 0) ready_.push(merges[m].members[0]);
    }
    run(merges);
    for (size_t m = 0; m < merges.size(); ++m) {
      if (!dissolved[m] && missing_[m] != 0) {
        stuck = int(m);
        break;
      }
    }
  }

  std::vector<NodeId> order;  // a merge stands as its first member
  int stuck = -1;

 private:
  void done(NodeId id) {
    for (uint32_t u = first_user_[id]; u < first_user_[id + 1]; ++u) {
      const NodeId user = users_[u];
      if (merge_of_[user] < 0) {
        if (--waiting_[user] == 0) ready_.push(user);
      } else if (--missing_[merge_of_[user]] == 0) {
        ready_.push((*merges_)[merge_of_[user]].members[0]);
      }
    }
  }
  void run(const std::vector<Merge>& merges) {
    merges_ = &merges;
    while (!ready_.empty()) {
      const NodeId id = ready_.top();
      ready_.pop();
      order.push_back(id);
      if (merge_of_[id] < 0) {
        done(id);
      } else {
        for (NodeId member : merges[merge_of_[id]].members) done(member);
      }
    }
  }

  const std::vector<Merge>* merges_ = nullptr;
  std::vector<int32_t> merge_of_;
  std::vector<uint32_t> missing_, waiting_, first_user_, users_;
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready_;
};

}  // namespace

Graph apply_merges(const Graph& graph, std::vector<Merge> merges, std::vector<NodeId>* refused) {
  std::vector<bool> dissolved(merges.size());
  for (;;) {
    const Order order(graph, merges, dissolved);
    if (order.stuck >= 0) {
      dissolved[order.stuck] = true;
      if (refused) refused->push_back(merges[size_t(order.stuck)].members[0]);
      continue;
    }
    std::vector<int32_t> merge_of(graph.size(), -1);
    for (size_t m = 0; m < merges.size(); ++m) {
      if (!dissolved[m]) merge_of[merges[m].members[0]] = int32_t(m);
    }
    Rebuild rebuild(graph);
    for (NodeId id : order.order) {
      if (merge_of[id] < 0) {
        rebuild.copy(id);
      } else {
        rebuild.origin_of(id);
        merges[merge_of[id]].emit(rebuild, merges[merge_of[id]]);
      }
    }
    return rebuild.finish();
  }
}

}  // namespace rnnc
