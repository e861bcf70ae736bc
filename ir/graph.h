// The graph: an append-only vector of small nodes, checked at birth and hash-consed.
//
// An operand is an id smaller than the node's own, so the order of the vector is a topological order: forward
// is a loop, back-propagation the loop backwards, dead code a loop backwards. A pass takes a graph and
// returns one.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/shape.h"

namespace rnnc {

enum class Op : uint8_t {
#define OP(id, name, arity, cls, flags) id,
#include "ir/ops.def"
};
enum class OpClass : uint8_t { Leaf, Elementwise, Reduction, Contraction, Structure };
enum class OpFlag : uint8_t { None, Commutative };

struct OpInfo {
  std::string_view name;
  int arity;  // -1: one or more
  OpClass cls;
  OpFlag flag;
};
const OpInfo& info(Op op);
std::span<const Op> all_ops();

using NodeId = uint32_t;
constexpr NodeId kNoNode = ~0u;

/// What a node is besides its op and operands. Which fields an op reads stands in shape_rules.cpp.
struct Attr {
  double value = 0;    // constant; coin: probability; clip_gradient: bound
  int32_t name = -1;   // variable, input: index into Graph::names
  int32_t offset = 0;  // slice_cols: first column; slice_rows of a matrix: first row; tail_rows: step;
                       // scan: index into Model::scans; scan_result: which; coin: its place
  uint8_t flags = 0;   // matmul: kTransposeLeft | kTransposeRight
  /// The value is compared by its bits: -0 is not 0, and a NaN is itself.
  bool operator==(const Attr& b) const {
    return std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(b.value) && name == b.name &&
           offset == b.offset && flags == b.flags;
  }
};
constexpr uint8_t kTransposeLeft = 1, kTransposeRight = 2;

/// Where a node comes from, for messages, profiles and pictures.
struct Origin {
  std::string equation;  // `h.gru z`
  uint32_t line = 0;
  bool operator==(const Origin&) const = default;
};

struct Node {
  Attr attr;
  Shape shape;
  uint32_t first_arg = 0;
  uint32_t arg_count = 0;
  uint32_t origin = 0;  // index into Graph::origins; 0: none
  int32_t island = -1;  // nodes of one kernel share a number (fuse_pointwise)
  int32_t phase = 0;    // a node stands before those of later phases, and nothing merges across (recompute)
  Op op = Op::Constant;
  bool backward = false;  // made by differentiation
};
static_assert(sizeof(Node) <= 80, "a million nodes must stay cheap");

/// A value the program gives back, or, with `assign`, the new value of the variable `name`.
struct Root {
  std::string name;
  NodeId node = kNoNode;
  bool assign = false;
  bool operator==(const Root&) const = default;
};

/// An operand or attribute that makes no sense: a mistake of ours, told with the op and the shapes given.
struct GraphError : std::logic_error {
  using std::logic_error::logic_error;
};

class Graph {
 public:
  /// Adds a node, or finds the equal one that is there. `wanted` is read by ops whose shape is not decided by
  /// their operands (leaves, take_rows, pad_rows, slices, one_hot, scatter_add). Throws GraphError.
  NodeId add(Op op, std::span<const NodeId> args, const Attr& attr = {}, const Shape& wanted = {});

  // short forms, one an op
  NodeId variable(std::string_view name, int32_t rows, int32_t cols);
  NodeId input(std::string_view name, Shape shape);
  NodeId constant(double value, Rows rows = {}, int32_t cols = 1);
  NodeId unary(Op op, NodeId a) { return add(op, std::array{a}); }
  NodeId binary(Op op, NodeId a, NodeId b) { return add(op, std::array{a, b}); }
  NodeId sum(std::span<const NodeId> terms);  // one term: itself
  NodeId matmul(NodeId a, NodeId b, uint8_t flags = 0) {
    return add(Op::MatMul, std::array{a, b}, {.flags = flags});
  }
  NodeId one_hot(NodeId index, int32_t cols);
  NodeId slice_cols(NodeId a, int32_t offset, int32_t cols);   // all columns: itself
  NodeId slice_rows(NodeId a, Rows rows, int32_t offset = 0);  // all rows: itself
  NodeId concat_cols(std::span<const NodeId> parts);           // one part: itself
  NodeId concat_rows(std::span<const NodeId> parts);
  NodeId take_rows(NodeId a, Rows rows);  // the same rows: itself
  NodeId pad_rows(NodeId a, Rows rows);
  NodeId tail_rows(NodeId a, int32_t step);
  NodeId coin(double probability, int32_t place, NodeId row, NodeId key, int32_t cols);
  NodeId gather(NodeId table, NodeId index, double missing = 0);
  NodeId scatter(Op op, NodeId d, NodeId index, Rows rows);  // scatter_add, scatter_max
  NodeId split_cols(NodeId a, Rows rows, int32_t cols);      // of as many columns: itself
  NodeId join_rows(NodeId a, Rows rows, int32_t cols);
  NodeId same_shape_constant(double value, NodeId like);

  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::span<const NodeId> args(NodeId id) const {
    return {args_.data() + nodes_[id].first_arg, nodes_[id].arg_count};
  }
  NodeId arg(NodeId id, int i) const { return args_[nodes_[id].first_arg + i]; }
  const Shape& shape(NodeId id) const { return nodes_[id].shape; }
  uint32_t size() const { return uint32_t(nodes_.size()); }
  bool is_constant(NodeId id, double value) const {
    return nodes_[id].op == Op::Constant && nodes_[id].attr.value == value;
  }

  uint32_t arg_total() const { return uint32_t(args_.size()); }

  int32_t name_id(std::string_view name);
  const std::string& name(NodeId id) const { return names[nodes_[id].attr.name]; }
  void set_island(NodeId id, int32_t island) { nodes_[id].island = island; }

  /// Nodes added from now on carry this origin. Returns the one before.
  uint32_t set_origin(uint32_t origin) { return std::exchange(origin_, origin); }
  bool set_backward(bool backward) { return std::exchange(backward_, backward); }
  uint32_t add_origin(Origin origin);
  /// Nodes added from now on stand in this phase; leaves stand in phase 0. Returns the one before.
  int32_t set_phase(int32_t phase) { return std::exchange(phase_, phase); }

  /// A graph without nodes or roots, with the same names and origins (their numbers stay valid), and room for
  /// as many nodes.
  Graph empty_copy() const;

  /// Only the nodes that `keep` marks (with a node, its operands) and the roots, in the same order.
  Graph kept(const std::vector<bool>& keep) const;

  std::vector<std::string> names;
  std::vector<Origin> origins{Origin{}};
  std::vector<Root> roots;

 private:
  friend struct GraphBreaker;  // tests of the verifier make graphs with it that `add` refuses
  bool equal(NodeId id, Op op, std::span<const NodeId> args, const Attr& attr, const Shape& shape,
             int32_t phase) const;
  /// A slot tells by the hash that a node is another one, without looking at the node.
  struct Slot {
    NodeId id = kNoNode;  // kNoNode: free
    uint32_t hash = 0;
  };
  template <typename Equal>
  Slot& slot_of(std::span<const NodeId> args, uint32_t hash, Equal equal);
  void fill_table();

  std::vector<Node> nodes_;
  std::vector<NodeId> args_;
  std::vector<Slot> table_;  // hash-consing: see slot_of
  uint32_t hashed_ = 0;      // so many nodes are in the table; the others go there when one is added
  std::map<std::string, int32_t, std::less<>> name_ids_;
  uint32_t origin_ = 0;
  int32_t phase_ = 0;
  bool backward_ = false;
};

/// Every node that a root needs, directly or not.
std::vector<bool> live_nodes(const Graph& graph);
/// How many times each live node is an operand or a root.
std::vector<uint32_t> use_counts(const Graph& graph);

/// The shape of `op` applied to operands of these shapes; throws GraphError with the shapes in the message.
Shape infer_shape(Op op, std::span<const Shape> args, const Attr& attr, const Shape& wanted);

}  // namespace rnnc
