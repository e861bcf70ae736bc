// Places, live ranges, offsets and loops: from drafts to a Program. See plan.h.
#include "codegen/plan.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <tuple>
#include <unordered_map>

#include "codegen/plan_draft.h"
#include "codegen/plan_loops.h"
#include "codegen/plan_memory.h"

namespace rnnc {
namespace planning {
namespace {

RowRange range_of(Rows rows) {
  switch (rows.kind) {
    case Rows::Fixed: return {RowRange::Fixed, 0, rows.begin, 0};
    case Rows::Batch: return {RowRange::Batch, rows.dim, 0, 0};
    case Rows::Steps: break;
  }
  return {RowRange::Steps, rows.dim, rows.begin, rows.end};
}

/// Whole cache lines a row, and not so that all rows of a column meet in one set of the L1 cache (kernels.md
/// 7).
int64_t padded_stride(int64_t cols) {
  if (cols == 1) return 1;
  const int64_t stride = (cols + 15) / 16 * 16;
  return stride % 256 == 0 ? stride + 16 : stride;
}

/// Differs for kernels that differ, a constant 0 from a constant -0 too.
uint64_t hash_of(const Kernel& k) {
  uint64_t hash = 0;
  const auto mix = [&](uint64_t word) { hash = (hash ^ word) * 0x9e3779b97f4a7c15u + (hash >> 29); };
  for (int number :
       {int(k.kind), k.operands, k.row_counts, k.product.parts, k.product.chunks, k.product.rows_limit,
        int(k.sum_value), int(k.sum_operand), int(k.sum_op), k.chunks, int(k.goes_on)})
    mix(uint64_t(uint32_t(number)));
  for (const Instr& i : k.body) {
    mix(uint64_t(i.code) << 24 | uint64_t(i.op) << 16 | uint64_t(i.access) << 8 | uint64_t(i.type));
    mix(uint64_t(uint16_t(i.a)) << 48 | uint64_t(uint16_t(i.b)) << 32 | uint64_t(uint16_t(i.operand)) << 16 |
        uint16_t(i.index));
    mix(uint64_t(std::bit_cast<uint32_t>(i.value)) << 32 | uint32_t(i.place));
    mix(uint64_t(uint16_t(i.limit)));
  }
  return hash;
}

class Planner {
 public:
  Planner(const Graph& graph, const PlanOptions& options)
      : g_(graph),
        options_(options),
        drafts_(draft_commands(graph)),
        places_(graph),
        slab_of_(graph.size(), -1) {}

  Plan run() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (g_[id].op != Op::ConcatCols && g_[id].op != Op::ConcatRows) continue;
      const std::vector<bool> copy = places_.claim(id);
      if (std::find(copy.begin(), copy.end(), true) != copy.end())
        throw GraphError(
            fmt::format("plan: %{} joins what has no place of its own; the graph is not legalized", id));
    }
    check_steps();
    number_kernels();
    join_families();
    place_assignments();
    place_sums();
    p_.capacity = options_.time_steps;
    p_.inner_rows = options_.inner_rows;
    p_.batch_capacity = options_.batch_capacity;
    p_.dimensions = options_.dimensions;
    for (const Draft& draft : drafts_.commands) p_.commands.push_back(command_of(draft));
    for (const auto& [from, to] : copies_) add_copy_back(from, to);
    find_lasting_packs();
    for (const Root& root : g_.roots) {
      if (root.assign) continue;
      const Shape s = g_.shape(root.node);
      p_.outputs.push_back({root.name, place_of(root.node), range_of(s.rows), s.cols, s.type == Type::I32});
      p_.slabs[size_t(p_.outputs.back().place.slab)].last = int32_t(p_.commands.size());
    }
    mark_barriers(p_, written_);
    assign_offsets(p_);
    roll_loops(p_);
    plan_.program = std::move(p_);
    return std::move(plan_);
  }

 private:
  /// A step past the last has no row count in the tables.
  void check_steps() const {
    for (NodeId id = 0; id < g_.size(); ++id) {
      const Node& n = g_[id];
      if (n.op != Op::TailRows) continue;
      const size_t dim = n.shape.rows.dim;
      if (dim < options_.time_steps.size() && n.attr.offset < options_.time_steps[dim]) continue;
      throw GraphError(
          fmt::format("plan: %{} names step {} of a sequence that has fewer", id, n.attr.offset));
    }
  }

  void number_kernels() {
    std::unordered_multimap<uint64_t, int32_t> numbers;  // by hash: a key's text is long, and most are equal
    for (const Draft& draft : drafts_.commands) {
      if (draft.does != Draft::Call) {
        kernel_of_.push_back(draft.does == Draft::Pack ? Command::kPack : Command::kReshape);
        continue;
      }
      const uint64_t hash = hash_of(draft.kernel);
      const auto [begin, end] = numbers.equal_range(hash);
      const auto known = std::find_if(begin, end, [&](const auto& entry) {
        const Kernel& other = plan_.kernels[size_t(entry.second)];
        return other == draft.kernel || other.key() == draft.kernel.key();  // a NaN is not equal to itself
      });
      if (known != end) {
        kernel_of_.push_back(known->second);
        continue;
      }
      kernel_of_.push_back(int32_t(plan_.kernels.size()));
      numbers.emplace(hash, int32_t(plan_.kernels.size()));
      plan_.kernels.push_back(draft.kernel);
    }
  }

  /// The same result of the same kernel at consecutive steps of a phase is a family: one array, so that
  /// addresses advance evenly. Stacks have claimed theirs before.
  void join_families() {
    struct Open {
      NodeId last;
    };
    std::map<std::tuple<int32_t, size_t, int32_t>, std::vector<Open>> open;  // of a kernel in a phase
    for (size_t c = 0; c < drafts_.commands.size(); ++c) {
      const Draft& draft = drafts_.commands[c];
      for (size_t k = 0; k < draft.operands.size(); ++k) {
        const DraftOperand& o = draft.operands[k];
        if (!o.written || o.node == kNoNode) continue;
        const NodeId root = places_.home(o.node).root;
        const Rows rows = g_.shape(root).rows;
        if (!rows.is_step()) continue;
        auto& families = open[{kernel_of_[c], k, g_[root].phase}];
        bool joined = false;
        for (Open& family : families) {
          const int32_t apart = rows.begin - g_.shape(family.last).rows.begin;
          const bool known = places_.find(family.last) == places_.find(root);
          if (!known && ((apart != 1 && apart != -1) || !places_.join(root, family.last))) continue;
          family.last = root;
          joined = true;
          break;
        }
        if (!joined) families.push_back({root});
      }
    }
  }

  /// The new value of a variable is written over the old one, if nobody reads the old one later; else beside
  /// it, and copied at the end.
  void place_assignments() {
    std::vector<int32_t> last_read(g_.size(), -1);  // of a variable: the last command that reads it
    std::vector<int32_t> written(g_.size(), -1);
    for (size_t c = 0; c < drafts_.commands.size(); ++c) {
      for (const DraftOperand& o : drafts_.commands[c].operands) {
        if (o.node == kNoNode) continue;
        if (o.written) written[o.node] = int32_t(c);
        else last_read[base_of(o.node)] = int32_t(c);
      }
    }
    std::map<std::string, NodeId> variables;
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (g_[id].op == Op::Variable) variables[g_.name(id)] = id;
    }
    for (const Root& root : g_.roots) {
      if (!root.assign) continue;
      const auto variable = variables.find(root.name);
      const NodeId old = variable == variables.end() ? kNoNode : variable->second;
      const int32_t at = written[root.node];
      if (at < 0) throw GraphError("plan: no command writes the new value of " + root.name);
      const int32_t read = old == kNoNode ? -1 : last_read[old];
      const bool own_read_is_even = [&] {  // the writing command itself may read only element by element
        for (const Instr& i : drafts_.commands[size_t(at)].kernel.body) {
          if (i.code != Instr::Load ||
              base_of(drafts_.commands[size_t(at)].operands[size_t(i.operand)].node) != old)
            continue;
          if (i.access != Access::Matrix) return false;
        }
        const Draft& writer = drafts_.commands[size_t(at)];
        return writer.does == Draft::Call && writer.kernel.kind == KernelKind::Rows;
      }();
      const int32_t slab = variable_slab(root.name, g_.shape(root.node));
      if (old == kNoNode || read < 0 || (read <= at && own_read_is_even)) {
        slab_of_[root.node] = slab;
      } else {
        copies_.push_back({root.node, slab});
      }
    }
  }

  /// A sum that goes on lies where the one before it does.
  void place_sums() {
    for (const Draft& draft : drafts_.commands) {
      if (!draft.kernel.goes_on) continue;
      const auto result = std::ranges::find_if(draft.operands, &DraftOperand::written);
      slab_of_[result->node] = slab_of(g_.arg(result->node, 0));
    }
  }

  /// The leaf or value whose memory a chain of views looks at.
  NodeId base_of(NodeId id) const {
    while (is_view(g_[id].op) && g_.args(id).size() == 1) id = g_.arg(id, 0);
    return id;
  }

  int32_t variable_slab(const std::string& name, const Shape& shape) {
    const auto it = variable_slabs_.find(name);
    if (it != variable_slabs_.end()) return it->second;
    Slab slab;
    slab.name = name;
    slab.rows = range_of(shape.rows);
    slab.cols = shape.cols;
    slab.stride = shape.cols;
    slab.variable = int32_t(p_.variable_names.size());
    p_.variable_names.push_back(name);
    p_.slabs.push_back(slab);
    return variable_slabs_[name] = int32_t(p_.slabs.size() - 1);
  }

  int64_t inside(size_t space) const {
    return space < options_.inner_rows.size() ? options_.inner_rows[space] : 1;
  }

  int64_t capacity(const RowRange& rows) const {
    switch (rows.kind) {
      case RowRange::Fixed: return rows.begin;
      case RowRange::Batch: return options_.batch_capacity * inside(rows.dim);
      case RowRange::Steps: break;
    }
    return options_.batch_capacity * inside(rows.dim) * (rows.end - rows.begin);
  }

  int32_t add_slab(std::string name, RowRange rows, int32_t cols, Type type) {
    Slab slab;
    slab.name = std::move(name);
    slab.rows = rows;
    slab.cols = cols;
    slab.stride = padded_stride(cols);
    slab.bytes = capacity(rows) * slab.stride * 4;
    slab.integer = type == Type::I32;
    p_.slabs.push_back(std::move(slab));
    return int32_t(p_.slabs.size() - 1);
  }

  /// The slab of a value of its own: of its whole family, if it has one.
  int32_t slab_of(NodeId root) {
    const NodeId family = g_.shape(root).rows.is_step() ? places_.find(root) : root;
    if (slab_of_[family] >= 0) return slab_of_[family];
    const Node& n = g_[root];
    if (n.op == Op::Variable) return slab_of_[root] = variable_slab(g_.name(root), n.shape);
    RowRange rows = range_of(n.shape.rows);
    if (family != root || n.shape.rows.is_step()) {
      const auto [first, last] = places_.ends(root);
      rows.begin = g_.shape(first).rows.begin;
      rows.end = g_.shape(last).rows.end;
    }
    std::string name = n.op == Op::Input ? g_.name(root) : g_.origins[n.origin].equation;
    slab_of_[family] = add_slab(std::move(name), rows, n.shape.cols, n.shape.type);
    if (n.op == Op::Input) {
      p_.inputs[g_.name(root)] = slab_of_[family];
      p_.slabs.back().first = 0;
    }
    return slab_of_[family];
  }

  Place2D place_of(NodeId id) {
    const Node& n = g_[id];
    if (n.op == Op::SliceCols) {
      Place2D p = place_of(g_.arg(id, 0));
      p.col += n.attr.offset;
      return p;
    }
    if (n.op == Op::SliceRows) {
      Place2D p = place_of(g_.arg(id, 0));
      if (n.shape.rows.kind == Rows::Steps) p.step = n.shape.rows.begin;
      else p.row += n.attr.offset;
      return p;
    }
    if (n.op == Op::TakeRows) return place_of(g_.arg(id, 0));
    if (n.op == Op::ConcatRows && n.shape.rows.kind == Rows::Steps) return place_of(g_.arg(id, 0));
    const Places::Home home = places_.home(id);
    Place2D p;
    p.slab = slab_of(home.root);
    p.row = home.row;
    p.col = home.col;
    const Rows rows = g_.shape(home.root).rows;
    p.step = rows.kind == Rows::Steps ? rows.begin : -1;
    return p;
  }

  int32_t packed_slab(int32_t index) {
    if (packed_slabs_.empty()) packed_slabs_.assign(drafts_.packed.size(), -1);
    int32_t& slab = packed_slabs_[size_t(index)];
    if (slab >= 0) return slab;
    const Packed& packed = drafts_.packed[size_t(index)];
    const int64_t floats = packed.shape.panels() * packed.shape.k * packed.shape.width();
    slab = add_slab("packed " + g_.origins[g_[packed.right].origin].equation, {},
                    int32_t(packed.shape.width()), Type::F32);
    p_.slabs.back().bytes = floats * 4;
    p_.slabs.back().stride = packed.shape.width();
    return slab;
  }

  void touch(int32_t slab, int32_t command) {
    Slab& s = p_.slabs[size_t(slab)];
    if (s.first < 0) s.first = command;
    s.last = std::max(s.last, command);
  }

  Command command_of(const Draft& draft) {
    Command c;
    const auto index = int32_t(p_.commands.size());
    c.kernel = kernel_of_[size_t(index)];
    c.cols = draft.cols;
    c.depth = draft.depth;
    c.name = g_.origins[g_[draft.node].origin].equation;
    std::vector<bool> writes;
    for (const DraftOperand& o : draft.operands) {
      Place2D p;
      if (o.packed >= 0) p.slab = packed_slab(o.packed);
      else p = place_of(o.node);
      p.col += o.col;
      touch(p.slab, index);
      c.operands.push_back(p);
      writes.push_back(o.written);
    }
    written_.push_back(writes);
    for (Rows rows : draft.rows) c.rows.push_back({range_of(rows)});
    switch (draft.does) {
      case Draft::Call: set_units(draft, c); break;
      case Draft::Pack: set_pack(draft, c); break;
      case Draft::Reshape: set_reshape(draft, c); break;
    }
    if (draft.kernel.kind == KernelKind::WeightGradient) set_segments(draft, c);
    return c;
  }

  void set_pack(const Draft& draft, Command& c) {
    const Packed& packed = drafts_.packed[size_t(draft.operands[0].packed)];
    c.panels = packed.shape;
    c.units = packed.shape.panels();
    c.unit_cost = packed.shape.k * packed.shape.width();
    const std::vector<PieceOf> pieces = pieces_of(g_, packed.right, packed.transposed);
    for (const PieceOf& piece : pieces) {
      // A piece that crosses parts is cut between them.
      for (int64_t at = piece.first_col; at < piece.first_col + piece.cols;) {
        const int part = int(at / packed.shape.n);
        const int64_t end = std::min(piece.first_col + piece.cols, (part + 1) * packed.shape.n);
        Place2D p = place_of(piece.node);
        if (piece.transposed) p.row += int32_t(at - piece.first_col);
        else p.col += int32_t(at - piece.first_col);
        c.pieces.push_back(
            {p, piece.transposed, piece.first_k, piece.k, part, at - part * packed.shape.n, end - at});
        at = end;
      }
    }
  }

  void set_reshape(const Draft& draft, Command& c) {
    const bool split = g_[draft.node].op == Op::SplitCols;
    const int32_t narrow = g_.shape(draft.operands[split ? 1 : 0].node).cols;
    c.reshape = {narrow, c.cols / narrow, split};
    c.unit_cost = c.cols;
  }

  void set_units(const Draft& draft, Command& c) {
    const Kernel& k = draft.kernel;
    const int64_t chunks = (c.cols + kChunk - 1) / kChunk;
    switch (k.kind) {
      case KernelKind::Rows: {
        int64_t depth = 0;
        for (int64_t d : c.depth) depth += d;
        c.unit_cost = c.cols * (int64_t(k.body.size()) + 2 * depth * std::max(1, k.product.parts)) / 4;
        if (k.product.parts)
          c.grain = tiling(options_.target, k.product.parts > 1 ? k.product.parts : k.product.chunks).rows;
        break;
      }
      case KernelKind::ColumnSum:
      case KernelKind::Scatter:
        c.units = chunks;
        c.unit_cost = 16 * 200;  // rows are not known here; they are many
        break;
      case KernelKind::WeightGradient: {
        const KernelArgs args{nullptr, nullptr, nullptr, c.depth.data(), nullptr, 0, c.cols};
        c.units = unit_count(k, args, options_.target);
        c.unit_cost = 64 * 6 * 200;
        break;
      }
    }
  }

  void set_segments(const Draft& draft, Command& c) {
    const NodeId a = draft.operands[0].node, b = draft.operands[1].node;
    const Rows rows = g_.shape(a).rows;
    auto shift = [&](NodeId id) {
      return g_[id].op == Op::ConcatRows && places_.shifted(id) ? shifted_stack(g_, id).shift : 0;
    };
    const int32_t sa = shift(a), sb = shift(b);
    if (sa == 0 && sb == 0) return;
    c.segments = {true, rows.dim, rows.begin, rows.end, sa, sb};
  }

  void add_copy_back(NodeId from, int32_t to) {
    Kernel k;
    k.operands = 2;
    k.body = {{.code = Instr::Load, .operand = 0}, {.code = Instr::Store, .a = 0, .operand = 1}};
    int32_t number = 0;
    while (size_t(number) < plan_.kernels.size() && plan_.kernels[size_t(number)].key() != k.key()) ++number;
    if (size_t(number) == plan_.kernels.size()) plan_.kernels.push_back(k);
    Command c;
    c.kernel = number;
    c.cols = g_.shape(from).cols;
    c.rows = {{range_of(g_.shape(from).rows)}};
    c.operands = {place_of(from), {to}};
    c.unit_cost = c.cols;
    c.name = "assign";
    const auto index = int32_t(p_.commands.size());
    touch(c.operands[0].slab, index);
    touch(to, index);
    written_.push_back({false, true});
    p_.commands.push_back(std::move(c));
  }

  /// What is packed from variables that the program leaves alone may last from run to run: nothing else lies
  /// there.
  void find_lasting_packs() {
    std::vector<bool> written(p_.slabs.size());
    for (size_t i = 0; i < p_.commands.size(); ++i) {
      for (size_t k = 0; k < written_[i].size(); ++k)
        if (written_[i][k]) written[size_t(p_.commands[i].operands[k].slab)] = true;
    }
    for (Command& c : p_.commands) {
      if (c.kernel != Command::kPack) continue;
      c.once = std::ranges::all_of(c.pieces, [&](const PlacedPiece& piece) {
        const auto slab = size_t(piece.place.slab);
        return p_.slabs[slab].variable >= 0 && !written[slab];
      });
      Slab& packed = p_.slabs[size_t(c.operands[0].slab)];
      if (c.once) packed.first = 0, packed.last = int32_t(p_.commands.size());
    }
  }

  const Graph& g_;
  const PlanOptions& options_;
  Drafts drafts_;
  Places places_;
  std::vector<int32_t> slab_of_, kernel_of_, packed_slabs_;
  std::map<std::string, int32_t> variable_slabs_;
  std::vector<std::pair<NodeId, int32_t>> copies_;
  std::vector<std::vector<bool>> written_;  // of each command: which operands
  Program p_;
  Plan plan_;
};

}  // namespace
}  // namespace planning

Plan make_plan(const Graph& graph, const PlanOptions& options) {
  return planning::Planner(graph, options).run();
}

}  // namespace rnnc
