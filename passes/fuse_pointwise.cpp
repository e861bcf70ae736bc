// Islands of element-wise ops: see passes.h.
//
// Every node gets a depth: the number of island borders on the longest path before it. An edge within an
// island (same rows, same columns or one of them stretched along the columns, or a product and its epilogue)
// does not count, any other counts one. Nodes of equal depth joined by such edges form an island. Depth never
// falls along a path, so a path that leaves an island does not come back: islands can stand one after the
// other.
//
// A value that reads two products can stand behind one of them only. It does behind the later one, which
// waits for the earlier: else each island would wait for the other. Rows gathered from one table have nothing
// to say to each other, but one loop over the rows can fetch them all.
//
// Nodes made by differentiation sink to the depth of their users first: σ'(a) = y(1-y) depends on the forward
// pass only, and would be computed and stored there.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "ir/places.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

constexpr int32_t kNever = std::numeric_limits<int32_t>::max();
/// Of an island, in units of so many instructions of LLVM: its time grows faster than the block, which stays
/// below 4,000.
constexpr uint32_t kMostCost = 160, kInstructions = 20;

uint32_t cost_of(Op op) {
  switch (op) {
    case Op::Coin: return 12;
    case Op::Pow: return 6;
    case Op::Softplus: return 4;
    case Op::Sin:
    case Op::Cos:
    case Op::Exp:
    case Op::Log:
    case Op::Sigmoid:
    case Op::Tanh: return 2;
    default: return 1;
  }
}

enum class Role : uint8_t { Alone, View, Pointwise, RowReduction, Product };

Role role_of(const Node& n) {
  switch (n.op) {
    case Op::PadRows:
    case Op::TailRows:
    case Op::PairIndex:
    case Op::Gather:
    case Op::LastRows: return Role::Pointwise;
    case Op::SumCols:
    case Op::MaxCols:
    case Op::ArgMax: return Role::RowReduction;
    case Op::Keep:
    case Op::Onto: return Role::Alone;
    case Op::MatMul: return n.attr.flags & kTransposeLeft ? Role::Alone : Role::Product;
    default: break;
  }
  if (info(n.op).cls == OpClass::Elementwise) return Role::Pointwise;
  return info(n.op).cls == OpClass::Leaf || is_view(n.op) ? Role::View : Role::Alone;
}

std::string count_of(size_t operations) {
  return operations == 1 ? "an operation" : fmt::format("{} operations", operations);
}

/// How the users of a product see it.
struct Parts {
  int32_t width = 0;          // columns of a part; 0: it has no epilogue
  bool padded = false;        // every user in the epilogue pads the rows first
  Rows rows;                  // of the epilogue
  const char* why = nullptr;  // it has none
};

struct Island {
  NodeId product = kNoNode;
  int32_t cols = 1;
  bool reduces = false;
  NodeId last = kNoNode;  // of its nodes, which are chained
  uint32_t size = 0;      // 0: no island, or part of another
  uint32_t cost = 0;
};

class Fuse {
 public:
  Fuse(const Graph& graph, Notes* notes)
      : g_(graph), notes_(notes), live_(live_nodes(graph)), role_(graph.size()), parts_(graph.size()) {
    for (NodeId id = 0; id < g_.size(); ++id) role_[id] = role_of(g_[id]);
    find_users();
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (role_[id] == Role::Product) parts_[id] = parts_of(id);
    }
  }

  Graph run() {
    for (bool changed = true; changed;) changed = !find_depths();
    sink();
    find_islands();
    if (notes_) tell();
    return emit();
  }

 private:
  std::span<const NodeId> users(NodeId id) const {
    return {users_.data() + first_user_[id], first_user_[id + 1] - first_user_[id]};
  }

  void find_users() {
    first_user_.assign(g_.size() + 2, 0);
    auto each = [&](auto&& f) {
      for (NodeId id = 0; id < g_.size(); ++id) {
        if (!live_[id] || g_[id].op == Op::RowCount) continue;  // a count of rows needs no values
        for (NodeId a : g_.args(id)) f(a, id);
      }
    };
    each([&](NodeId a, NodeId) { ++first_user_[a + 1]; });
    std::partial_sum(first_user_.begin(), first_user_.end(), first_user_.begin());
    users_.resize(first_user_.back());
    std::vector<uint32_t> at = first_user_;
    each([&](NodeId a, NodeId user) { users_[at[a]++] = user; });
  }

  bool is_root(NodeId id) const {
    return std::any_of(g_.roots.begin(), g_.roots.end(), [&](const Root& root) { return root.node == id; });
  }

  static Parts none(const char* why) {
    Parts parts;
    parts.why = why;
    return parts;
  }

  Parts parts_of(NodeId product) const {
    const Shape shape = g_.shape(product);
    Parts parts;
    parts.rows = shape.rows;
    bool sliced = false, direct = false, unpadded = is_root(product);
    auto see = [&](NodeId value) {  // a value with the columns of one part
      for (NodeId user : users(value)) {
        if (g_[user].op == Op::PadRows && (!parts.padded || parts.rows == g_.shape(user).rows)) {
          parts.padded = true;
          parts.rows = g_.shape(user).rows;
        } else if (g_[user].op != Op::SliceCols || value != product) {
          unpadded = true;
        }
        direct = direct || (value == product && role_[user] == Role::Pointwise);
      }
    };
    see(product);
    for (NodeId user : users(product)) {
      if (g_[user].op != Op::SliceCols) continue;
      const int32_t width = g_.shape(user).cols;
      if (sliced && width != parts.width) return none("its parts have different numbers of columns");
      parts.width = width;
      sliced = true;
      if (g_[user].attr.offset % width != 0 || shape.cols % width != 0)
        return none("its parts do not divide its columns evenly");
      unpadded = unpadded || is_root(user);
      see(user);
    }
    if (sliced && direct) return none("it is used whole and in parts");
    // Stored with the rows of the epilogue, the product would run over what lies behind it.
    if (parts.padded && unpadded) return none("it is used with and without padded rows");
    if (!sliced) parts.width = shape.cols;
    return parts;
  }

  /// The product whose part `id` is, or kNoNode.
  NodeId product_of(NodeId id) const {
    if (role_[id] == Role::Product) return id;
    if (g_[id].op == Op::SliceCols && role_[g_.arg(id, 0)] == Role::Product) return g_.arg(id, 0);
    return kNoNode;
  }

  /// Whether operand `a` of `user` can be computed in the same kernel.
  bool fusible(NodeId a, NodeId user) const {
    if (role_[user] != Role::Pointwise && role_[user] != Role::RowReduction) return false;
    const Op op = g_[user].op;
    if (op == Op::Gather || op == Op::LastRows || g_[a].phase != g_[user].phase) return false;
    const Shape sa = g_.shape(a), su = g_.shape(user);
    if (const NodeId product = product_of(a); product != kNoNode) {
      const Parts& parts = parts_[product];
      if (parts.width == 0 || sa.cols != parts.width || su.cols != parts.width ||
          role_[user] == Role::RowReduction)
        return false;
      return parts.padded ? op == Op::PadRows && su.rows == parts.rows
                          : op != Op::PadRows && su.rows == sa.rows;
    }
    if (op == Op::PadRows || (role_[a] != Role::Pointwise && role_[a] != Role::RowReduction)) return false;
    if (sa.rows != su.rows) return false;
    if (role_[user] == Role::RowReduction) return owner_[a] == kNoNode;
    return sa.cols == su.cols || (sa.cols == 1 && !sa.rows.is_one());
  }

  /// False if products were found that must stand one after the other, and depths change.
  bool find_depths() {
    depth_.assign(g_.size(), 0);  // of a view: the depth of what may use it
    owner_.assign(g_.size(), kNoNode);
    bool settled = true;
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!live_[id] || g_[id].op == Op::RowCount) continue;
      if (const auto before = after_.find(id); before != after_.end())
        for (const NodeId product : before->second) depth_[id] = std::max(depth_[id], depth_[product] + 1);
      for (NodeId a : g_.args(id)) {
        int32_t d = depth_[a];
        if (role_[id] == Role::View) {
          d += role_[a] != Role::View;
        } else if (fusible(a, id)) {
          if (const NodeId product = product_of(a); product != kNoNode) d = depth_[product];
        } else {
          d += role_[a] != Role::View;
        }
        depth_[id] = std::max(depth_[id], d);
      }
      if (role_[id] == Role::View) continue;
      for (NodeId a : g_.args(id)) {
        const NodeId product = product_of(a);
        const NodeId owner = product != kNoNode ? product : owner_[a];
        const bool here = owner != kNoNode && depth_[product != kNoNode ? product : a] == depth_[id];
        if (!here || !fusible(a, id) || owner == owner_[id]) continue;
        if (owner_[id] == kNoNode) {
          owner_[id] = owner;
          continue;
        }
        const NodeId later = std::max(owner, owner_[id]);
        after_[later].push_back(std::min(owner, owner_[id]));  // deeper from now on, so they meet once only
        settled = false;
        owner_[id] = later;
      }
    }
    return settled;
  }

  /// The node reads a part of a product in whose epilogue it stands: it stays there.
  bool reads_product(NodeId id) const {
    for (NodeId a : g_.args(id)) {
      const NodeId product = product_of(a);
      if (product != kNoNode && depth_[product] == depth_[id] && fusible(a, id)) return true;
    }
    return false;
  }

  /// Moves nodes to the depth of the first user they can share an island with, if no other user needs them
  /// before: backward nodes always, forward nodes if all their users are there.
  void sink() {
    std::vector<int32_t> needed(g_.size(), kNever), shared(g_.size(), kNever), latest(g_.size(), 0);
    for (const Root& root : g_.roots) needed[root.node] = -1;
    for (NodeId id = g_.size(); id-- > 0;) {
      if (!live_[id]) continue;
      const bool pointwise = role_[id] == Role::Pointwise || role_[id] == Role::RowReduction;
      if (pointwise && !reads_product(id) && shared[id] != kNever && shared[id] <= needed[id] &&
          (g_[id].backward || latest[id] == shared[id])) {
        depth_[id] = std::max(depth_[id], shared[id]);
      }
      if (g_[id].op == Op::RowCount) continue;
      for (NodeId a : g_.args(id)) {
        latest[a] = role_[id] == Role::View ? kNever : std::max(latest[a], depth_[id]);
        if (role_[id] == Role::View) {
          needed[a] = std::min(needed[a], needed[id]);
        } else if (fusible(a, id)) {
          shared[a] = std::min(shared[a], depth_[id]);
          needed[a] = std::min(needed[a], depth_[id]);
        } else {
          needed[a] = std::min(needed[a], depth_[id] - 1);
        }
      }
    }
  }

  NodeId find(NodeId id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }

  bool unite(NodeId x, NodeId y) {
    NodeId a = find(x), b = find(y);
    if (a == b) return true;
    Island &p = islands_[a], &q = islands_[b];
    if (p.cost + q.cost > kMostCost) {
      if (notes_)
        notes_->refused(
            "fuse_pointwise", g_, y, "a longer kernel",
            fmt::format("it would have more than {} instructions, and compiling takes longer than "
                        "linearly",
                        kMostCost * kInstructions));
      return false;
    }
    if (p.product != kNoNode && q.product != kNoNode) return false;
    const bool product = p.product != kNoNode || q.product != kNoNode;
    const bool equal = p.cols == q.cols;
    if (product ? !equal || p.reduces || q.reduces : !equal && p.cols != 1 && q.cols != 1) return false;
    next_[p.last] = b;  // the chain of an island begins with its name
    p.last = q.last;
    p.size += q.size;
    p.cost += q.cost;
    if (q.product != kNoNode) p.product = q.product;
    p.cols = std::max(p.cols, q.cols);
    p.reduces = p.reduces || q.reduces;
    q = {};
    parent_[b] = a;
    return true;
  }

  void find_islands() {
    parent_.resize(g_.size());
    std::iota(parent_.begin(), parent_.end(), 0);
    islands_.resize(g_.size());
    next_.assign(g_.size(), kNoNode);
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!live_[id] || role_[id] == Role::View || role_[id] == Role::Alone) continue;
      const Shape s = g_.shape(id);
      const bool product = role_[id] == Role::Product && parts_[id].width > 0;
      islands_[id].cols = product ? parts_[id].width : s.cols;
      islands_[id].product = product ? id : kNoNode;
      islands_[id].reduces = role_[id] == Role::RowReduction;
      islands_[id].last = id;
      islands_[id].size = 1;
      islands_[id].cost = cost_of(g_[id].op);
      if (role_[id] == Role::RowReduction)
        islands_[id].cols = std::max(islands_[id].cols, g_.shape(g_.arg(id, 0)).cols);
      if (role_[id] == Role::Product || g_[id].op == Op::RowCount) continue;
      for (NodeId a : g_.args(id)) {
        if (!fusible(a, id)) continue;
        const NodeId product_node = product_of(a);
        const NodeId source = product_node != kNoNode ? product_node : a;
        if (depth_[source] == depth_[id]) unite(source, id);
      }
    }
    join_gathers();
  }

  /// Joins islands that gather from one table, row by row.
  void join_gathers() {
    using Key = std::tuple<NodeId, int32_t, int32_t, int, int, int32_t, int32_t, int32_t>;
    std::map<Key, NodeId> first;
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!live_[id] || g_[id].op != Op::Gather || islands_[find(id)].product != kNoNode) continue;
      const Shape s = g_.shape(id);
      const Key key{g_.arg(id, 0),   depth_[id],   g_[id].phase, int(s.rows.kind),
                    int(s.rows.dim), s.rows.begin, s.rows.end,   s.cols};
      const auto [it, fresh] = first.try_emplace(key, id);
      if (!fresh && !unite(it->second, id)) it->second = id;
    }
  }

  std::vector<NodeId> nodes_of(NodeId island) const {
    std::vector<NodeId> nodes;
    nodes.reserve(islands_[island].size);
    for (NodeId id = island; id != kNoNode; id = next_[id]) nodes.push_back(id);
    return nodes;
  }

  /// Why nothing of what follows a product is computed in its kernel.
  const char* why_alone(NodeId product) const {
    if (parts_[product].why) return parts_[product].why;
    if (role_[product] == Role::Alone) return "it sums over rows";
    bool elementwise = false;
    auto look = [&](NodeId value) {
      for (NodeId user : users(value)) elementwise = elementwise || fusible(value, user);
    };
    look(product);
    for (NodeId user : users(product)) {
      if (g_[user].op == Op::SliceCols) look(user);
    }
    if (!elementwise) return "what follows has other rows or is no element-wise operation";
    return "what follows also waits for a later kernel";
  }

  void tell() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!live_[id] || role_[id] == Role::View) continue;
      const Island& island = islands_[id];
      const bool product = island.product != kNoNode;
      if (island.size > 1) {
        const std::vector<NodeId> nodes = nodes_of(id);
        notes_->made(
            "fuse_pointwise", g_, product ? island.product : *std::min_element(nodes.begin(), nodes.end()),
            fmt::format("{}{}", count_of(nodes.size() - size_t(product)),
                        product ? " after the product with " + called(g_, g_.arg(island.product, 1)) : ""),
            product ? "its epilogue" : "one kernel");
      }
      if (g_[id].op == Op::MatMul && islands_[find(id)].size < 2)
        notes_->refused("fuse_pointwise", g_, id,
                        fmt::format("an epilogue of the product with {}", called(g_, g_.arg(id, 1))),
                        why_alone(id));
    }
  }

  Graph emit() {
    std::vector<Merge> merges;
    int32_t number = 0;
    for (NodeId id = 0; id < g_.size(); ++id) {
      Island& island = islands_[id];
      if (island.size < 2) continue;
      std::vector<NodeId> members = nodes_of(id);
      if (island.product != kNoNode) {  // the parts belong to the kernel
        for (NodeId user : users(island.product)) {
          if (g_[user].op == Op::SliceCols) members.push_back(user);
        }
      }
      std::sort(members.begin(), members.end());
      members.erase(std::unique(members.begin(), members.end()), members.end());
      ++number;
      merges.push_back({std::move(members), [number](Rebuild& r, const Merge& merge) {
                          for (NodeId member : merge.members) {
                            r.to.set_island(r.copy(member), number);
                          }
                        }});
    }
    return merges.empty() ? g_ : apply_merges(g_, std::move(merges));
  }

  const Graph& g_;
  Notes* notes_;
  const std::vector<bool> live_;
  std::vector<Role> role_;
  std::vector<Parts> parts_;
  std::vector<uint32_t> first_user_;
  std::vector<NodeId> users_;
  std::vector<int32_t> depth_;
  std::vector<NodeId> owner_;                    // the product in whose epilogue a node stands
  std::map<NodeId, std::vector<NodeId>> after_;  // of a product: those that must stand before it
  std::vector<NodeId> parent_;
  std::vector<Island> islands_;
  std::vector<NodeId> next_;  // of the same island
};

}  // namespace

Graph fuse_pointwise(const Graph& graph, Notes* notes) {
  return Fuse(dce(graph), notes).run();
}

}  // namespace rnnc
