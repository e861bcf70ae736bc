// Building nodes: shape check at birth, hash-consing, the short forms of graph.h.
#include "ir/graph.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

namespace rnnc {
namespace {

constexpr OpInfo kInfo[] = {
#define OP(id, name, arity, cls, flags) {name, arity, OpClass::cls, OpFlag::flags},
#include "ir/ops.def"
};
constexpr Op kOps[] = {
#define OP(id, name, arity, cls, flags) Op::id,
#include "ir/ops.def"
};

void mix(uint64_t& hash, uint64_t word) {
  hash ^= word + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 32;
}

uint64_t hash_of(Op op, std::span<const NodeId> args, const Attr& attr, const Shape& shape, int32_t phase) {
  uint64_t hash = uint64_t(op) + 1;
  uint64_t bits;
  std::memcpy(&bits, &attr.value, sizeof bits);
  mix(hash, bits);
  mix(hash, uint64_t(uint32_t(attr.name)) << 32 | uint32_t(attr.offset));
  mix(hash, uint64_t(attr.flags) << 40 | uint64_t(shape.type) << 32 | uint32_t(shape.cols));
  mix(hash, uint64_t(shape.rows.kind) << 8 | shape.rows.dim);
  mix(hash, uint64_t(uint32_t(shape.rows.begin)) << 32 | uint32_t(shape.rows.end));
  if (phase != 0) mix(hash, uint32_t(phase));
  for (NodeId a : args) mix(hash, a);
  return hash;
}

}  // namespace

const OpInfo& info(Op op) {
  return kInfo[size_t(op)];
}
std::span<const Op> all_ops() {
  return kOps;
}

bool Graph::equal(NodeId id, Op op, std::span<const NodeId> args, const Attr& attr, const Shape& shape,
                  int32_t phase) const {
  const Node& n = nodes_[id];
  return n.op == op && n.attr == attr && n.shape == shape && n.phase == phase && n.arg_count == args.size() &&
         std::equal(args.begin(), args.end(), args_.begin() + n.first_arg);
}

/// The slot of the node for which `equal(id)` holds, or the free one where it belongs. Open addressing in two
/// places: first near twice the number of the last operand, so that nodes that are made one after the other
/// meet in the same few cache lines; where that is full (an operand with many users), anywhere.
template <typename Equal>
Graph::Slot& Graph::slot_of(std::span<const NodeId> args, uint32_t hash, Equal equal) {
  constexpr size_t kNear = 16;
  const size_t mask = table_.size() - 1;
  const auto found = [&](const Slot& slot) {
    return slot.id == kNoNode || (slot.hash == hash && equal(slot.id));
  };
  size_t near = 0;
  for (NodeId a : args) near = std::max<size_t>(near, a);
  for (size_t i = 0; i < kNear; ++i) {
    Slot& slot = table_[(near * 2 + i) & mask];
    if (found(slot)) return slot;
  }
  for (size_t at = hash;; ++at) {
    Slot& slot = table_[at & mask];
    if (found(slot)) return slot;
  }
}

/// Room for one node more, and every node in the table.
void Graph::fill_table() {
  if (nodes_.size() * 2 >= table_.size()) {
    table_.assign(std::bit_ceil(std::max<size_t>({512, nodes_.capacity(), nodes_.size() + 1}) * 2), {});
    hashed_ = 0;
  }
  for (; hashed_ < nodes_.size(); ++hashed_) {
    const Node& n = nodes_[hashed_];
    const auto hash = uint32_t(hash_of(n.op, args(hashed_), n.attr, n.shape, n.phase));
    slot_of(args(hashed_), hash, [](NodeId) { return false; }) = {hashed_, hash};
  }
}

NodeId Graph::add(Op op, std::span<const NodeId> args, const Attr& attr, const Shape& wanted) {
  // The operands may be a view of args_ itself, which grows below.
  std::array<NodeId, 4> few;
  std::vector<NodeId> many;
  if (args.size() <= few.size()) {
    std::copy(args.begin(), args.end(), few.begin());
    args = std::span(few).first(args.size());
  } else {
    many.assign(args.begin(), args.end());
    args = many;
  }
  if (args.size() == 2 && info(op).flag == OpFlag::Commutative && args[0] > args[1])
    std::swap(few[0], few[1]);
  std::array<Shape, 4> few_shapes;
  std::vector<Shape> many_shapes;
  std::span<Shape> shapes(few_shapes);
  if (args.size() > few_shapes.size()) {
    many_shapes.resize(args.size());
    shapes = many_shapes;
  }
  shapes = shapes.first(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] >= nodes_.size())
      throw GraphError(std::string(info(op).name) + ": operand is not in the graph");
    shapes[i] = nodes_[args[i]].shape;
  }
  const Shape shape = infer_shape(op, shapes, attr, wanted);

  fill_table();
  const int32_t phase = info(op).cls == OpClass::Leaf ? 0 : phase_;
  const auto hash = uint32_t(hash_of(op, args, attr, shape, phase));
  Slot& slot = slot_of(args, hash, [&](NodeId id) { return equal(id, op, args, attr, shape, phase); });
  if (slot.id != kNoNode) return slot.id;
  const NodeId id = NodeId(nodes_.size());
  slot = {id, hash};
  ++hashed_;
  Node node;
  node.attr = attr;
  node.shape = shape;
  node.first_arg = uint32_t(args_.size());
  node.arg_count = uint32_t(args.size());
  node.origin = origin_;
  node.op = op;
  node.phase = phase;
  node.backward = backward_;
  args_.insert(args_.end(), args.begin(), args.end());
  nodes_.push_back(node);
  return id;
}

int32_t Graph::name_id(std::string_view name) {
  auto it = name_ids_.find(name);
  if (it != name_ids_.end()) return it->second;
  const int32_t id = int32_t(names.size());
  names.emplace_back(name);
  name_ids_.emplace(std::string(name), id);
  return id;
}

uint32_t Graph::add_origin(Origin origin) {
  if (origins.back() == origin) return uint32_t(origins.size() - 1);
  origins.push_back(std::move(origin));
  return uint32_t(origins.size() - 1);
}

Graph Graph::empty_copy() const {
  Graph g;
  g.names = names;
  g.name_ids_ = name_ids_;
  g.origins = origins;
  g.nodes_.reserve(nodes_.size());
  g.args_.reserve(args_.size());
  return g;
}

Graph Graph::kept(const std::vector<bool>& keep) const {
  Graph g = empty_copy();
  std::vector<NodeId> map(size(), kNoNode);
  for (NodeId id = 0; id < size(); ++id) {
    if (!keep[id]) continue;
    Node node = nodes_[id];
    node.first_arg = uint32_t(g.args_.size());
    node.island = -1;
    for (NodeId a : args(id)) g.args_.push_back(map[a]);
    // The order of the operands of `a + b` is that of their numbers, which stays.
    map[id] = NodeId(g.nodes_.size());
    g.nodes_.push_back(node);
  }
  g.roots = roots;
  for (Root& root : g.roots) root.node = map[root.node];
  return g;
}

NodeId Graph::variable(std::string_view name, int32_t rows, int32_t cols) {
  return add(Op::Variable, {}, {.name = name_id(name)}, {Type::F32, Rows::fixed(rows), cols});
}
NodeId Graph::input(std::string_view name, Shape shape) {
  return add(Op::Input, {}, {.name = name_id(name)}, shape);
}
NodeId Graph::constant(double value, Rows rows, int32_t cols) {
  return add(Op::Constant, {}, {.value = value}, {Type::F32, rows, cols});
}
NodeId Graph::same_shape_constant(double value, NodeId like) {
  return constant(value, nodes_[like].shape.rows, nodes_[like].shape.cols);
}
NodeId Graph::sum(std::span<const NodeId> terms) {
  return terms.size() == 1 ? terms[0] : add(Op::Sum, terms);
}
NodeId Graph::coin(double probability, int32_t place, NodeId row, NodeId key, int32_t cols) {
  return add(Op::Coin, std::array{row, key}, {.value = probability, .offset = place},
             {Type::F32, shape(row).rows, cols});
}
NodeId Graph::one_hot(NodeId index, int32_t cols) {
  return add(Op::OneHot, std::array{index}, {}, {Type::F32, shape(index).rows, cols});
}
NodeId Graph::slice_cols(NodeId a, int32_t offset, int32_t cols) {
  if (offset == 0 && cols == shape(a).cols) return a;
  return add(Op::SliceCols, std::array{a}, {.offset = offset}, {shape(a).type, shape(a).rows, cols});
}
NodeId Graph::slice_rows(NodeId a, Rows rows, int32_t offset) {
  if (rows == shape(a).rows) return a;
  return add(Op::SliceRows, std::array{a}, {.offset = offset}, {shape(a).type, rows, shape(a).cols});
}
NodeId Graph::concat_cols(std::span<const NodeId> parts) {
  return parts.size() == 1 ? parts[0] : add(Op::ConcatCols, parts);
}
NodeId Graph::concat_rows(std::span<const NodeId> parts) {
  return parts.size() == 1 ? parts[0] : add(Op::ConcatRows, parts);
}
NodeId Graph::take_rows(NodeId a, Rows rows) {
  if (rows == shape(a).rows) return a;
  return add(Op::TakeRows, std::array{a}, {}, {shape(a).type, rows, shape(a).cols});
}
NodeId Graph::pad_rows(NodeId a, Rows rows) {
  if (rows == shape(a).rows) return a;
  return add(Op::PadRows, std::array{a}, {}, {shape(a).type, rows, shape(a).cols});
}
NodeId Graph::tail_rows(NodeId a, int32_t step) {
  return add(Op::TailRows, std::array{a}, {.offset = step});
}
NodeId Graph::gather(NodeId table, NodeId index, double missing) {
  return add(Op::Gather, std::array{table, index}, {.value = missing});
}
NodeId Graph::scatter(Op op, NodeId d, NodeId index, Rows rows) {
  return add(op, std::array{d, index}, {}, {Type::F32, rows, shape(d).cols});
}
NodeId Graph::split_cols(NodeId a, Rows rows, int32_t cols) {
  return cols == shape(a).cols ? a : add(Op::SplitCols, std::array{a}, {}, {Type::F32, rows, cols});
}
NodeId Graph::join_rows(NodeId a, Rows rows, int32_t cols) {
  return cols == shape(a).cols ? a : add(Op::JoinRows, std::array{a}, {}, {Type::F32, rows, cols});
}

std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<bool> live(graph.size());
  std::vector<bool> assigned(graph.names.size());
  for (const Root& root : graph.roots) {
    live[root.node] = true;
    if (!root.assign) continue;
    const auto name = std::find(graph.names.begin(), graph.names.end(), root.name);
    if (name != graph.names.end()) assigned[size_t(name - graph.names.begin())] = true;
  }
  for (NodeId id = 0; id < graph.size(); ++id) {  // a variable that is only written is still one
    if (graph[id].op == Op::Variable && assigned[size_t(graph[id].attr.name)]) live[id] = true;
  }
  for (NodeId id = graph.size(); id-- > 0;) {
    if (live[id]) {
      for (NodeId a : graph.args(id)) live[a] = true;
    }
  }
  return live;
}

std::vector<uint32_t> use_counts(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  std::vector<uint32_t> uses(graph.size());
  for (const Root& root : graph.roots) ++uses[root.node];
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[id]) {
      for (NodeId a : graph.args(id)) ++uses[a];
    }
  }
  return uses;
}

}  // namespace rnnc
