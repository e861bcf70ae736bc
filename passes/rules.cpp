// The algebra: what a node equals, one rule a line or block, the identity beside it. Used wherever nodes are
// made by passes, and by `simplify` for a whole graph.
#include <cmath>
#include <optional>

#include "ir/inverse_map.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

using Args = std::span<const NodeId>;
using Found = std::optional<NodeId>;

bool is_constant(const Graph& g, NodeId id) {
  return g[id].op == Op::Constant;
}
double value(const Graph& g, NodeId id) {
  return g[id].attr.value;
}
bool is(const Graph& g, NodeId id, double v) {
  return g.is_constant(id, v);
}

/// c op d of two constants. Only what a double computes as the kernels' f32 would after rounding.
Found fold_binary(Graph& g, Op op, NodeId a, NodeId b, const Shape& shape) {
  if (!is_constant(g, a) || !is_constant(g, b)) return {};
  const double x = value(g, a), y = value(g, b);
  double r;
  if (op == Op::Add) r = x + y;
  else if (op == Op::Sub) r = x - y;
  else if (op == Op::Mul) r = x * y;
  else if (op == Op::Div && y != 0) r = x / y;
  else return {};
  return g.constant(r, shape.rows, shape.cols);
}

Found binary(Graph& g, Op op, NodeId a, NodeId b) {
  const Shape sa = g.shape(a), sb = g.shape(b);
  const Shape shape = infer_shape(op, std::array{sa, sb}, {}, {});
  if (Found f = fold_binary(g, op, a, b, shape)) return f;
  auto zero = [&] { return g.constant(0, shape.rows, shape.cols); };
  switch (op) {
    case Op::Add:
      if (is(g, a, 0) && sb == shape) return b;  // 0 + b = b
      if (is(g, b, 0) && sa == shape) return a;  // a + 0 = a
      return {};
    case Op::Sub:
      if (is(g, b, 0) && sa == shape) return a;                                                  // a - 0 = a
      if (is(g, a, 0) && sb == shape) return add_simplified(g, Op::Neg, std::array{b}, {}, {});  // 0 - b = -b
      return {};
    case Op::Mul:
      // 0 b = 0; but not in the first step of a scan: its gates would become unlike those of the other steps,
      // and products of unlike steps do not merge
      if ((is(g, a, 0) || is(g, b, 0)) && shape.rows.kind != Rows::Steps) return zero();
      if (is(g, a, 1) && sb == shape) return b;  // 1 b = b
      if (is(g, b, 1) && sa == shape) return a;  // a 1 = a
      return {};
    case Op::Div:
      if (is(g, a, 0)) return zero();            // 0 / b = 0
      if (is(g, b, 1) && sa == shape) return a;  // a / 1 = a
      return {};
    case Op::Pow:
      if (sa != shape || !is_constant(g, b)) return {};
      if (is(g, b, 1)) return a;                                              // a^1 = a
      if (is(g, b, 2)) return g.binary(Op::Mul, a, a);                        // a^2 = a a
      if (is(g, b, 3)) return g.binary(Op::Mul, a, g.binary(Op::Mul, a, a));  // a^3 = a a a
      if (is(g, b, 0.5)) return g.unary(Op::Sqrt, a);                         // a^½ = √a
      if (is(g, b, 0)) return g.constant(1, shape.rows, shape.cols);          // a^0 = 1
      return {};
    default: return {};
  }
}

Found unary(Graph& g, Op op, NodeId a) {
  if (op == Op::Neg && g[a].op == Op::Neg) return g.arg(a, 0);  // -(-a) = a
  if (is_constant(g, a)) {
    const Shape s = g.shape(a);
    const double x = value(g, a);
    if (op == Op::Neg) return g.constant(-x, s.rows, s.cols);
    if (op == Op::Sqrt && x >= 0) return g.constant(std::sqrt(x), s.rows, s.cols);
    if (op == Op::Stop) return a;
  }
  return {};
}

/// Sums: zeros go, one term is itself.
Found sum(Graph& g, Args args) {
  std::vector<NodeId> terms;
  bool changed = false;
  for (NodeId a : args) {
    if (is(g, a, 0)) changed = true;
    else terms.push_back(a);
  }
  if (terms.size() == 1) return terms[0];
  if (terms.empty()) return args[0];
  if (!changed) return {};
  return g.sum(terms);
}

Found matmul(Graph& g, NodeId a, NodeId b, uint8_t flags) {
  const Shape shape = infer_shape(Op::MatMul, std::array{g.shape(a), g.shape(b)}, {.flags = flags}, {});
  if (is(g, a, 0) || is(g, b, 0)) return g.constant(0, shape.rows, shape.cols);  // 0 B = 0
  const bool left = flags & kTransposeLeft;
  if (g[b].op == Op::Transpose)  // A (Bᵀ) = A Bᵀ
    return add_simplified(g, Op::MatMul, std::array{a, g.arg(b, 0)},
                          {.flags = uint8_t(flags ^ kTransposeRight)}, {});
  if (g[a].op == Op::Transpose)  // (Aᵀ) B = Aᵀ B
    return add_simplified(g, Op::MatMul, std::array{g.arg(a, 0), b},
                          {.flags = uint8_t(flags ^ kTransposeLeft)}, {});
  if (!left && g[a].op == Op::PadRows) {  // [A; 0] B = [A B; 0]
    const NodeId product = g.matmul(g.arg(a, 0), b, flags);
    return g.pad_rows(product, shape.rows);
  }
  if (left && g[a].op == Op::PadRows) {  // [A; 0]ᵀ B = Aᵀ B'
    const NodeId inner = g.arg(a, 0);
    const NodeId rest = add_simplified(g, Op::TakeRows, std::array{b}, {}, g.shape(inner));
    return g.matmul(inner, rest, flags);
  }
  if (left && g[b].op == Op::PadRows) {  // Aᵀ [B; 0] = A'ᵀ B
    const NodeId inner = g.arg(b, 0);
    const NodeId rest = add_simplified(g, Op::TakeRows, std::array{a}, {}, g.shape(inner));
    return g.matmul(rest, inner, flags);
  }
  if (flags == 0 && g[a].op == Op::OneHot)  // one_hot(x) E = E[x]
    return g.add(Op::Gather, std::array{b, g.arg(a, 0)});
  return {};
}

/// take_rows and pad_rows give `rows`; between them, what remains of a chain of the two.
Found rows_of(Graph& g, Op op, NodeId a, Rows rows) {
  const Shape s = g.shape(a);
  if (s.rows == rows) return a;
  if (is_constant(g, a) && (op == Op::TakeRows || is(g, a, 0)))
    return g.add(Op::Constant, {}, g[a].attr, {s.type, rows, s.cols});
  if (op == Op::PadRows && (g[a].op == Op::Add || g[a].op == Op::Sum)) {  // [A + B; 0] = [A; 0] + [B; 0]
    std::vector<NodeId> terms(g.args(a).begin(), g.args(a).end());  // so that a product's epilogue can pad
    for (NodeId t : terms) {
      if (g.shape(t) != s) return {};
    }
    for (NodeId& t : terms) t = add_simplified(g, Op::PadRows, std::array{t}, {}, {s.type, rows, s.cols});
    return add_simplified(g, g[a].op, terms, {}, {});
  }
  if (g[a].op != Op::TakeRows && g[a].op != Op::PadRows) return {};
  const NodeId inner = g.arg(a, 0);
  if (g[a].op == op) {  // take(take a) = take a, pad(pad a) = pad a
    return add_simplified(g, op, std::array{inner}, {}, {s.type, rows, s.cols});
  }
  if (op == Op::PadRows) return {};  // pad(take a): rows became 0
  // take(pad a): two steps of one sequence
  const Rows have = g.shape(inner).rows;
  if (!have.is_step() || !rows.is_step() || have.dim != rows.dim) return {};
  const Op rest = rows.begin >= have.begin ? Op::TakeRows : Op::PadRows;
  return add_simplified(g, rest, std::array{inner}, {}, {s.type, rows, s.cols});
}

Found slice_cols(Graph& g, NodeId a, int32_t offset, const Shape& wanted) {
  if (offset == 0 && wanted.cols == g.shape(a).cols) return a;
  if (is_constant(g, a)) return g.constant(value(g, a), g.shape(a).rows, wanted.cols);
  if (g[a].op == Op::SliceCols) return g.slice_cols(g.arg(a, 0), offset + g[a].attr.offset, wanted.cols);
  if (g[a].op == Op::ConcatCols) {  // a part of [A B] alone
    int32_t at = 0;
    for (NodeId part : g.args(a)) {
      const int32_t cols = g.shape(part).cols;
      if (offset >= at && offset + wanted.cols <= at + cols)
        return add_simplified(g, Op::SliceCols, std::array{part}, {.offset = offset - at},
                              {wanted.type, wanted.rows, wanted.cols});
      at += cols;
    }
  }
  return {};
}

Found slice_rows(Graph& g, NodeId a, int32_t offset, const Shape& wanted) {
  if (wanted.rows == g.shape(a).rows) return a;
  if (is_constant(g, a))
    return g.add(Op::Constant, {}, g[a].attr, {g.shape(a).type, wanted.rows, wanted.cols});
  if (wanted.rows.kind != Rows::Steps) return {};
  if (g[a].op == Op::SliceRows) return g.slice_rows(g.arg(a, 0), wanted.rows, offset);
  if (g[a].op == Op::ConcatRows) {  // one step of a stack of steps
    const int32_t first = g.shape(a).rows.begin;
    const size_t guess = size_t(wanted.rows.begin - first);  // steps are mostly single
    const Args parts = g.args(a);
    if (guess < parts.size() && g.shape(parts[guess]).rows == wanted.rows) return parts[guess];
    for (NodeId part : parts) {
      const Rows have = g.shape(part).rows;
      if (have == wanted.rows) return part;
      if (have.begin <= wanted.rows.begin && wanted.rows.end <= have.end)
        return add_simplified(g, Op::SliceRows, std::array{part}, {}, wanted);
    }
  }
  return {};
}

/// All slices of one value, in order and without gaps, are that value.
Found concat(Graph& g, Op op, Args args) {
  if (args.size() == 1) return args[0];
  const Op slice = op == Op::ConcatCols ? Op::SliceCols : Op::SliceRows;
  bool whole = true, zeros = true;
  int32_t at = 0;
  for (NodeId a : args) {
    zeros = zeros && is(g, a, 0);
    whole = whole && g[a].op == slice && g.arg(a, 0) == g.arg(args[0], 0);
    if (!whole) continue;
    if (op == Op::ConcatCols) {
      whole = g[a].attr.offset == at;
      at += g.shape(a).cols;
    } else {
      whole = g.shape(a).rows.kind == Rows::Steps;
    }
  }
  const Shape shape = [&] {
    std::vector<Shape> shapes;
    for (NodeId a : args) shapes.push_back(g.shape(a));
    return infer_shape(op, shapes, {}, {});
  }();
  if (zeros) return g.constant(0, shape.rows, shape.cols);
  if (whole && shape == g.shape(g.arg(args[0], 0))) return g.arg(args[0], 0);
  if (whole && op == Op::ConcatRows && shape.rows.kind == Rows::Steps)  // some of its steps
    return g.slice_rows(g.arg(args[0], 0), shape.rows);
  if (op != Op::ConcatCols) return {};
  // [stack a_t, stack b_t] = stack [a_t b_t]: one way to write it, so that the pieces have one place
  for (NodeId a : args) {
    if (g[a].op != Op::ConcatRows || g.args(a).size() != g.args(args[0]).size()) return {};
    for (size_t t = 0; t < g.args(a).size(); ++t) {
      if (g.shape(g.args(a)[t]).rows != g.shape(g.args(args[0])[t]).rows) return {};
    }
  }
  std::vector<NodeId> columns(args.begin(), args.end()), steps, parts(args.size());
  for (size_t t = 0; t < g.args(columns[0]).size(); ++t) {
    for (size_t k = 0; k < columns.size(); ++k) parts[k] = g.args(columns[k])[t];
    steps.push_back(add_simplified(g, Op::ConcatCols, parts, {}, {}));
  }
  return g.concat_rows(steps);
}

/// The rows of a value are those of the leaf they come from: counting must not wait for the value.
Found row_count(Graph& g, NodeId a) {
  const Rows rows = g.shape(a).rows;
  NodeId from = a;
  for (bool moved = true; moved;) {
    moved = false;
    for (NodeId arg : g.args(from)) {
      if (g.shape(arg).rows != rows) continue;
      from = arg;
      moved = true;
      break;
    }
  }
  if (from == a) return {};
  return g.unary(Op::RowCount, from);
}

/// Rows that go each to a place of its own are fetched from there.
Found scatter_add(Graph& g, NodeId a, NodeId index, const Shape& wanted) {
  if (is(g, a, 0)) return g.constant(0, wanted.rows, g.shape(a).cols);
  if (g[index].op != Op::Input || !is_row_map(g.name(index))) return {};
  const std::optional<RowMap> back = inverse(parse_row_map(g.name(index)));
  if (!back || back->to.kind != wanted.rows.kind || back->to.dim != wanted.rows.dim) return {};
  const NodeId from = g.input(to_string(*back), {Type::I32, wanted.rows, 1});
  return g.add(Op::Gather, std::array{a, from});
}

Found apply(Graph& g, Op op, Args args, const Attr& attr, const Shape& wanted) {
  switch (info(op).cls) {
    case OpClass::Leaf: return {};
    case OpClass::Contraction: return matmul(g, args[0], args[1], attr.flags);
    case OpClass::Elementwise:
      if (op == Op::Sum) return sum(g, args);
      if (op == Op::RowCount) return row_count(g, args[0]);
      if (op == Op::OneHot || op == Op::Coin || op == Op::ClipGradient) return {};
      return args.size() == 2 ? binary(g, op, args[0], args[1]) : unary(g, op, args[0]);
    case OpClass::Reduction: {
      const Shape s = g.shape(args[0]);
      if (op == Op::SumCols && is_constant(g, args[0]))
        return g.constant(value(g, args[0]) * s.cols, s.rows, 1);
      if (op == Op::SumCols && s.cols == 1) return args[0];
      if ((op == Op::SumRows || op == Op::MaxRows) && s.rows.is_one()) return args[0];
      if (op == Op::SumRows && is(g, args[0], 0)) return g.constant(0, {}, s.cols);
      if (op == Op::SumRows && g[args[0]].op == Op::PadRows)  // Σ [A; 0] = Σ A
        return g.unary(Op::SumRows, g.arg(args[0], 0));
      return {};
    }
    case OpClass::Structure: break;
  }
  if (op == Op::TakeRows || op == Op::PadRows) return rows_of(g, op, args[0], wanted.rows);
  if (op == Op::TailRows) {
    if (is(g, args[0], 0)) return args[0];
    if (g[args[0]].op == Op::TailRows && g[args[0]].attr.offset == attr.offset) return args[0];
    return {};
  }
  if (op == Op::SliceCols) return slice_cols(g, args[0], attr.offset, wanted);
  if (op == Op::SliceRows) return slice_rows(g, args[0], attr.offset, wanted);
  if (op == Op::ConcatCols || op == Op::ConcatRows) return concat(g, op, args);
  if (op == Op::Transpose && g[args[0]].op == Op::Transpose) return g.arg(args[0], 0);  // (Aᵀ)ᵀ = A
  if (op == Op::SplitCols || op == Op::JoinRows) {
    if (is_constant(g, args[0])) return g.constant(value(g, args[0]), wanted.rows, wanted.cols);
    const NodeId from = g[args[0]].arg_count == 1 ? g.arg(args[0], 0) : args[0];  // cut and joined again
    const bool back = g[args[0]].op == (op == Op::SplitCols ? Op::JoinRows : Op::SplitCols);
    if (back && g.shape(from).rows == wanted.rows && g.shape(from).cols == wanted.cols) return from;
  }
  if (op == Op::ScatterAdd) return scatter_add(g, args[0], args[1], wanted);
  return {};
}

}  // namespace

NodeId add_simplified(Graph& graph, Op op, std::span<const NodeId> args, const Attr& attr,
                      const Shape& wanted) {
  if (Found found = apply(graph, op, args, attr, wanted)) return *found;
  return graph.add(op, args, attr, wanted);
}

}  // namespace rnnc
