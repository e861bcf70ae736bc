// Islands become kernels: bodies, operands, stores. See plan_draft.h.
#include "codegen/plan_draft.h"

#include <algorithm>
#include <array>

#include "ir/chance.h"

namespace rnnc::planning {
namespace {

/// Builds the kernels of a graph. Bodies are built first, which shows what must be stored; stores follow.
class DraftBuilder {
 public:
  explicit DraftBuilder(const Graph& graph)
      : g_(graph),
        live_(live_nodes(graph)),
        stored_(graph.size()),
        scattered_(graph.size(), true),
        result_of_(graph.size(), kNoNode) {
    for (NodeId id = 0; id < g_.size(); ++id) {
      fused_ = fused_ || g_[id].island >= 0;
      const bool scatter = g_[id].op == Op::ScatterAdd;
      if (!live_[id] || g_[id].op == Op::RowCount) continue;
      for (size_t i = 0; i < g_.args(id).size(); ++i)
        if (!scatter || i != 0) scattered_[g_.args(id)[i]] = false;
    }
    const std::vector<uint32_t> uses = use_counts(g_);
    for (NodeId id = 0; id < g_.size(); ++id)
      if (live_[id] && goes_on(g_, id, uses)) result_of_[g_.arg(id, 1)] = id;
    for (const Root& root : g_.roots) scattered_[root.node] = false;
    for (const Root& root : g_.roots) need(root.node);
  }

  Drafts run() {
    for (NodeId id = 0; id < g_.size();) {
      const int32_t island = g_[id].island;
      NodeId end = id + 1;
      while (island >= 0 && end < g_.size() && g_[end].island == island) ++end;
      add(id, end);
      id = end;
    }
    for (size_t i = 0; i < islands_.size(); ++i) add_stores(islands_[i]);
    // A value that every user computes again for itself is computed for nobody.
    Drafts out;
    out.packed = packed_;
    for (Island& island : islands_) {
      const auto& ops = island.draft.operands;
      const bool writes =
          std::any_of(ops.begin(), ops.end(), [](const DraftOperand& o) { return o.written; });
      if (writes) out.commands.push_back(std::move(island.draft));
    }
    return out;
  }

 private:
  struct Island {
    Draft draft;
    NodeId begin = 0, end = 0;
    NodeId product = kNoNode;
    int32_t width = 0;                 // columns of the iteration space
    std::map<NodeId, int16_t> values;  // computed nodes: number of their value
  };

  bool inside(const Island& island, NodeId id) const { return id >= island.begin && id < island.end; }

  /// Notes that the memory of `id` is read: what lies there must be written.
  void need(NodeId id) {
    std::vector<NodeId> stack{id};
    while (!stack.empty()) {
      const NodeId top = stack.back();
      stack.pop_back();
      if (stored_[top]) continue;
      stored_[top] = true;
      if (is_view(g_[top].op)) stack.insert(stack.end(), g_.args(top).begin(), g_.args(top).end());
    }
  }

  int16_t operand(Draft& d, DraftOperand o) {
    for (size_t i = 0; i < d.operands.size(); ++i) {
      const DraftOperand& p = d.operands[i];
      if (p.node == o.node && p.col == o.col && p.packed == o.packed && p.written == o.written)
        return int16_t(i);
    }
    d.operands.push_back(o);
    return int16_t(d.operands.size() - 1);
  }
  int16_t reads(Draft& d, NodeId id) {
    need(id);
    return operand(d, {id});
  }
  int16_t row_count(Draft& d, Rows rows) {
    const auto it = std::find(d.rows.begin(), d.rows.end(), rows);
    if (it != d.rows.end()) return int16_t(it - d.rows.begin());
    d.rows.push_back(rows);
    return int16_t(d.rows.size() - 1);
  }
  int16_t push(Draft& d, const Instr& instr) {
    // Equal loads and constants are one.
    if (instr.code != Instr::Store) {
      const auto& body = d.kernel.body;
      const auto it = std::find(body.begin(), body.end(), instr);
      if (it != body.end()) return int16_t(it - body.begin());
    }
    d.kernel.body.push_back(instr);
    return int16_t(d.kernel.body.size() - 1);
  }

  // ---- bodies

  /// Cheap to compute again from one other value: c - x, 2 x, -x, one_hot(x). Not worth storing.
  NodeId cheap_source(NodeId id) const {
    const Node& n = g_[id];
    if (!fused_) return kNoNode;
    if (n.op == Op::Neg || n.op == Op::OneHot) return g_.arg(id, 0);
    if (n.op != Op::Add && n.op != Op::Sub && n.op != Op::Mul) return kNoNode;
    const NodeId a = g_.arg(id, 0), b = g_.arg(id, 1);
    const bool ca = g_[a].op == Op::Constant, cb = g_[b].op == Op::Constant;
    if (ca == cb) return kNoNode;
    const NodeId source = ca ? b : a;
    return g_.shape(source) == n.shape && g_[source].op != Op::Constant ? source : kNoNode;
  }

  /// Gathered rows, each times a number, that are only added up: `A @ h` by pairs of nodes, attention's
  /// weights times values. They are computed where they are added and lie nowhere.
  bool weighted_rows(NodeId id) const {
    if (!fused_ || g_[id].op != Op::Mul || !scattered_[id]) return false;
    bool gathered = false, number = false;
    for (const NodeId a : g_.args(id)) {
      const Shape s = g_.shape(a);
      if (s.type != Type::F32 || s.rows != g_.shape(id).rows) return false;
      gathered = gathered || (g_[a].op == Op::Gather && s.cols == g_.shape(id).cols);
      number = number || s.cols == 1;
    }
    return gathered && number;
  }

  int16_t load(Island& island, NodeId id, Rows limit_rows, bool limited) {
    Draft& d = island.draft;
    const Shape s = g_.shape(id);
    Instr i{.code = Instr::Load, .type = s.type};
    const bool one_row = s.rows.is_one() && !d.rows[0].is_one();
    if (s.cols == 1 && island.width != 1) i.access = s.rows.is_one() ? Access::Scalar : Access::ColVector;
    else if (one_row) i.access = s.cols == 1 ? Access::Scalar : Access::RowVector;
    i.operand = reads(d, id);
    if (limited) i.limit = row_count(d, limit_rows);
    return push(d, i);
  }

  /// The value of node `id` inside this island's body.
  int16_t value(Island& island, NodeId id) {
    const auto it = island.values.find(id);
    if (it != island.values.end()) return it->second;
    Draft& d = island.draft;
    const Node& n = g_[id];
    int16_t v;
    if (island.product != kNoNode && id == island.product) {
      v = push(d, {.code = Instr::Part, .operand = 0});
    } else if (island.product != kNoNode && n.op == Op::SliceCols && g_.arg(id, 0) == island.product) {
      v = push(d, {.code = Instr::Part, .operand = int16_t(n.attr.offset / island.width)});
    } else if (n.op == Op::Constant) {
      v = push(d, {.code = Instr::Constant, .value = float(n.attr.value)});
    } else if (const NodeId source = cheap_source(id); source != kNoNode && !inside(island, id)) {
      v = compute(island, id);
    } else {
      v = load(island, id, {}, false);
    }
    island.values[id] = v;
    return v;
  }

  int16_t compute(Island& island, NodeId id) {
    Draft& d = island.draft;
    const Node& n = g_[id];
    auto arg = [&](int i) { return value(island, g_.arg(id, i)); };
    if (info(n.op).cls == OpClass::Reduction)
      return push(d, {.code = Instr::Reduce, .op = n.op, .a = arg(0)});
    switch (n.op) {
      case Op::Copy:
      case Op::Keep:
      case Op::Stop:
      case Op::ClipGradient: return arg(0);
      case Op::OneHot: return push(d, {.code = Instr::OneHot, .a = arg(0)});
      case Op::Coin: {
        const bool timed = g_.shape(g_.arg(id, 0)).cols == 2;
        const bool per_row = n.shape.cols == 1 && island.width != 1;
        Instr i{.code = per_row ? Instr::RowCoin : Instr::Coin,
                .access = timed ? Access::Matrix : Access::ColVector,
                .type = Type::I32};
        i.operand = reads(d, g_.arg(id, 0));
        i.index = reads(d, g_.arg(id, 1));
        i.value = float(coin_threshold(n.attr.value));
        i.place = n.attr.offset;
        return push(d, i);
      }
      case Op::RowCount:
        return push(d, {.code = Instr::RowCount, .limit = row_count(d, g_.shape(g_.arg(id, 0)).rows)});
      case Op::PadRows: {
        const NodeId a = g_.arg(id, 0);
        const bool part = island.product != kNoNode &&
                          (a == island.product || (inside(island, a) && g_[a].op == Op::SliceCols));
        return part ? value(island, a) : load(island, a, g_.shape(a).rows, true);
      }
      case Op::TailRows: {
        const Rows before = Rows::step(n.shape.rows.dim, n.attr.offset);
        const int16_t a = arg(0);
        return push(d, {.code = Instr::Tail, .a = a, .limit = row_count(d, before)});
      }
      case Op::Gather:
      case Op::LastRows: {
        const bool column = n.shape.cols == 1 && island.width != 1;
        Instr i{.code = Instr::Load,
                .access = column ? Access::GatherColumn : Access::Gather,
                .type = n.shape.type};
        i.operand = reads(d, g_.arg(id, 0));
        i.index = reads(d, g_.arg(id, 1));
        i.value = float(n.attr.value);
        return push(d, i);
      }
      case Op::PairIndex: {  // (a n + b) ok - (1 - ok), ok: neither is negative; exact below 2^24
        const int16_t a = arg(0), b = arg(1);
        auto compute = [&](Op o, int16_t x, int16_t y) {
          return push(d, {.code = Instr::Compute, .op = o, .a = x, .b = y});
        };
        auto number = [&](double v) { return push(d, {.code = Instr::Constant, .value = float(v)}); };
        const int16_t ok = compute(Op::LessEqual, number(0), compute(Op::Min, a, b));
        const int16_t pair = compute(Op::Add, compute(Op::Mul, a, number(n.attr.offset)), b);
        const int16_t none = compute(Op::Sub, number(1), ok);
        return compute(Op::Sub, compute(Op::Mul, pair, ok), none);
      }
      case Op::Sum: {
        int16_t so_far = arg(0);
        for (uint32_t i = 1; i < n.arg_count; ++i)
          so_far = push(d, {.code = Instr::Compute, .op = Op::Add, .a = so_far, .b = arg(int(i))});
        return so_far;
      }
      default: break;
    }
    if (info(n.op).cls != OpClass::Elementwise)
      throw GraphError("plan: no kernel computes `" + std::string(info(n.op).name) +
                       "` as a value of its own");
    Instr i{.code = Instr::Compute, .op = n.op, .a = arg(0)};
    if (n.arg_count == 2) i.b = arg(1);
    return push(d, i);
  }

  // ---- kernels

  /// Where a sum over rows lies: in its own place, or, starting from what is there, in that of its `onto`.
  NodeId result_of(NodeId sum) const { return result_of_[sum] == kNoNode ? sum : result_of_[sum]; }

  static bool weight_gradient(const Node& n) { return n.op == Op::MatMul && (n.attr.flags & kTransposeLeft); }

  void add(NodeId begin, NodeId end) {
    NodeId first = begin;
    while (first < end && (!live_[first] || !is_computed(g_[first].op))) ++first;
    if (first == end) return;
    if (result_of_[first] != kNoNode) return;  // it goes on in the place of another: see its `onto`
    if (g_[first].op == Op::Onto && result_of_[g_.arg(first, 1)] == first) {
      need(g_.arg(first, 0));
      first = g_.arg(first, 1);
    }
    const Node& n = g_[first];
    if (weight_gradient(n)) return add_weight_gradient(first);
    if (n.op == Op::SumRows || n.op == Op::MaxRows) return add_column_sum(first);
    if (n.op == Op::ScatterAdd || n.op == Op::ScatterMax) return add_scatter(first);
    if (n.op == Op::SplitCols || n.op == Op::JoinRows) return add_reshape(first);
    if (n.op == Op::Transpose || n.op == Op::Scan || n.op == Op::ScanResult)
      throw GraphError("plan: no kernel for `" + std::string(info(n.op).name) + "`");

    Island island;
    island.begin = begin;
    island.end = end;
    Draft& d = island.draft;
    for (NodeId id = first; id < end; ++id) {
      if (live_[id] && g_[id].op == Op::MatMul) island.product = id;
    }
    // The iteration space: the rows all nodes share (a product may have fewer), the widest columns.
    Rows rows = g_.shape(first).rows;
    for (NodeId id = first; id < end; ++id) {
      if (!live_[id] || !is_computed(g_[id].op) || id == island.product) continue;
      rows = g_.shape(id).rows;
      island.width = std::max(island.width, g_.shape(id).cols);
      if (info(g_[id].op).cls == OpClass::Reduction)
        island.width = std::max(island.width, g_.shape(g_.arg(id, 0)).cols);
    }
    d.rows = {rows};
    if (island.product != kNoNode) set_product(island);
    d.cols = island.width;
    d.node = island.product != kNoNode ? island.product : first;
    for (NodeId id = first; id < end; ++id) {
      if (!live_[id] || !is_computed(g_[id].op) || id == island.product) continue;
      island.values[id] = compute(island, id);
      d.node = id;
    }
    islands_.push_back(std::move(island));
  }

  void set_product(Island& island) {
    Draft& d = island.draft;
    const NodeId id = island.product;
    const int32_t n = g_.shape(id).cols;
    const NodeId left = g_.arg(id, 0), right = g_.arg(id, 1);
    const bool transposed = g_[id].attr.flags & kTransposeRight;
    const Shape rs = g_.shape(right);
    if (rs.rows.kind != Rows::Fixed)
      throw GraphError("plan: the right operand of a product differs from row to row");
    if (island.width == 0) {
      island.width = n;
      d.rows = {g_.shape(id).rows};
    }
    Product& p = d.kernel.product;
    p.parts = n / island.width;
    p.chunks = p.parts > 1 ? 1 : best_chunks(n);
    p.left = {reads(d, left)};
    const int64_t k = transposed ? rs.cols : rs.rows.begin;
    PanelShape shape{p.parts, p.chunks, k, island.width};
    p.right = {operand(d, {.packed = packed(right, transposed, shape)})};
    p.rows_limit = row_count(d, g_.shape(id).rows);
    d.depth = {k};
  }

  int32_t packed(NodeId right, bool transposed, const PanelShape& shape) {
    for (size_t i = 0; i < packed_.size(); ++i) {
      const Packed& p = packed_[i];
      if (p.right == right && p.transposed == transposed && p.shape.parts == shape.parts &&
          p.shape.chunks == shape.chunks)
        return int32_t(i);
    }
    packed_.push_back({right, transposed, shape});
    const int32_t index = int32_t(packed_.size() - 1);
    Island island;
    island.draft.does = Draft::Pack;
    island.draft.node = right;
    island.draft.rows = {Rows::fixed(1)};
    island.draft.operands.push_back({.packed = index, .written = true});
    for (const PieceOf& piece : pieces_of(g_, right, transposed)) {
      need(piece.node);
      island.draft.operands.push_back({piece.node});
    }
    islands_.push_back(std::move(island));
    return index;
  }

  void add_weight_gradient(NodeId id) {
    Island island{.draft = {}, .begin = id, .end = id + 1, .product = kNoNode, .width = 0, .values = {}};
    Draft& d = island.draft;
    const NodeId a = g_.arg(id, 0), b = g_.arg(id, 1);
    if (g_[id].attr.flags & kTransposeRight)
      throw GraphError("plan: no kernel for a product of two transposed operands");
    d.kernel.kind = KernelKind::WeightGradient;
    d.kernel.operands = 3;
    d.kernel.chunks = best_chunks(g_.shape(b).cols, true);
    need(a);
    need(b);
    d.operands = {{a}, {b}, {.node = result_of(id), .written = true}};
    d.kernel.goes_on = result_of(id) != id;
    d.rows = {g_.shape(a).rows};
    d.depth = {g_.shape(a).cols};
    d.cols = g_.shape(b).cols;
    d.node = id;
    islands_.push_back(std::move(island));
  }

  void add_column_sum(NodeId id) {
    Island island{.draft = {},
                  .begin = id,
                  .end = id + 1,
                  .product = kNoNode,
                  .width = g_.shape(id).cols,
                  .values = {}};
    Draft& d = island.draft;
    const NodeId a = g_.arg(id, 0);
    d.kernel.kind = KernelKind::ColumnSum;
    d.kernel.sum_op = g_[id].op;
    d.rows = {g_.shape(a).rows};
    d.cols = g_.shape(id).cols;
    d.kernel.sum_value = value(island, a);
    d.kernel.sum_operand = operand(d, {.node = result_of(id), .written = true});
    d.kernel.goes_on = result_of(id) != id;
    d.node = id;
    islands_.push_back(std::move(island));
  }

  void add_scatter(NodeId id) {
    Island island{.draft = {}, .begin = id, .end = id + 1, .product = kNoNode, .width = 0, .values = {}};
    Draft& d = island.draft;
    d.kernel.kind = KernelKind::Scatter;
    d.kernel.sum_op = g_[id].op == Op::ScatterMax ? Op::MaxRows : Op::SumRows;
    const NodeId source = g_.arg(id, 0);
    need(g_.arg(id, 1));
    d.rows = {g_.shape(source).rows, g_.shape(id).rows};
    d.cols = g_.shape(id).cols;
    if (weighted_rows(source)) {
      const NodeId index = g_.arg(id, 1);
      d.operands = {{index}, {index}, {.node = result_of(id), .written = true}};
      island.width = d.cols;
      std::array<int16_t, 2> factor{};
      for (int i : {0, 1}) {
        const NodeId f = g_.arg(source, i);
        factor[size_t(i)] = g_[f].op == Op::Gather && !stored_[f] ? compute(island, f) : value(island, f);
      }
      d.kernel.sum_value = push(d, {.code = Instr::Compute, .op = Op::Mul, .a = factor[0], .b = factor[1]});
    } else {
      need(source);
      d.operands = {{source}, {g_.arg(id, 1)}, {.node = result_of(id), .written = true}};
    }
    d.kernel.goes_on = result_of(id) != id;
    d.node = id;
    islands_.push_back(std::move(island));
  }

  void add_reshape(NodeId id) {
    Island island{.draft = {}, .begin = id, .end = id + 1, .product = kNoNode, .width = 0, .values = {}};
    Draft& d = island.draft;
    const NodeId a = g_.arg(id, 0);
    const bool split = g_[id].op == Op::SplitCols;
    d.does = Draft::Reshape;
    need(a);
    d.operands = {{a}, {.node = id, .written = true}};
    d.rows = {g_.shape(split ? a : id).rows, g_.shape(split ? id : a).rows};
    d.cols = g_.shape(split ? a : id).cols;
    d.node = id;
    islands_.push_back(std::move(island));
  }

  /// Every value of the island that somebody reads from memory is stored, in the order of the nodes.
  void add_stores(Island& island) {
    Draft& d = island.draft;
    if (d.does != Draft::Call) return;
    if (d.kernel.kind == KernelKind::Rows) {
      for (NodeId id = island.begin; id < island.end; ++id) {
        if (!live_[id] || !stored_[id] || !is_computed(g_[id].op)) continue;
        const int32_t cols = g_.shape(id).cols;
        if (id == island.product) {
          for (int part = 0; part < d.kernel.product.parts; ++part) {
            const int16_t v = push(d, {.code = Instr::Part, .operand = int16_t(part)});
            store(d, v, id, part * island.width, Access::Matrix);
          }
        } else {
          store(d, island.values.at(id), id, 0,
                cols == 1 && island.width != 1 ? Access::ColVector : Access::Matrix);
        }
      }
    }
    d.kernel.operands = int(d.operands.size());
    d.kernel.row_counts = int(d.rows.size());
  }

  void store(Draft& d, int16_t v, NodeId id, int32_t col, Access access) {
    const int16_t to = operand(d, {.node = id, .col = col, .written = true});
    push(d, {.code = Instr::Store, .access = access, .type = g_.shape(id).type, .a = v, .operand = to});
  }

  const Graph& g_;
  const std::vector<bool> live_;
  std::vector<bool> stored_;
  std::vector<bool> scattered_;    // the only users add its rows up
  std::vector<NodeId> result_of_;  // of a sum over rows that goes on: its `onto`
  std::vector<Island> islands_;
  std::vector<Packed> packed_;
  bool fused_ = false;
};

}  // namespace

std::vector<PieceOf> pieces_of(const Graph& graph, NodeId right, bool transposed) {
  std::vector<PieceOf> pieces;
  // Rows and columns of the stored matrix; transposed, its rows are the operand's columns.
  auto walk = [&](auto&& self, NodeId id, int32_t row, int32_t col) -> void {
    const Op op = graph[id].op;
    if (op == Op::ConcatCols || op == Op::ConcatRows) {
      for (NodeId a : graph.args(id)) {
        self(self, a, row, col);
        if (op == Op::ConcatCols) col += graph.shape(a).cols;
        else row += graph.shape(a).rows.begin;
      }
      return;
    }
    const int32_t rows = graph.shape(id).rows.begin, cols = graph.shape(id).cols;
    if (transposed) pieces.push_back({id, 0, 0, true, col, cols, row, rows});
    else pieces.push_back({id, 0, 0, false, row, rows, col, cols});
  };
  walk(walk, right, 0, 0);
  return pieces;
}

Drafts draft_commands(const Graph& graph) {
  return DraftBuilder(graph).run();
}

}  // namespace rnnc::planning
