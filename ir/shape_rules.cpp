// The shape of every op from the shapes of its operands: one of the four facts of an op. Nonsense is refused
// here, at birth, in the words of the op and the shapes it was given.
#include <fmt/format.h>

#include <limits>

#include "ir/graph.h"

namespace rnnc {
namespace {

/// One application of an op, as the rules read it.
struct Use {
  Op op;
  std::span<const Shape> args;
  const Attr& attr;
  const Shape& wanted;

  [[noreturn]] void refuse(std::string_view why) const {
    std::string shapes;
    for (const Shape& s : args) shapes += (shapes.empty() ? "" : ", ") + to_string(s);
    throw GraphError(fmt::format("{}({}): {}", info(op).name, shapes, why));
  }
  void need(bool condition, std::string_view why) const {
    if (!condition) refuse(why);
  }
  void need_f32() const {
    for (const Shape& s : args) need(s.type == Type::F32, "operands must be f32");
  }
  void need_index(const Shape& index) const {
    need(index.type == Type::I32 && index.cols == 1, "the index must be i32 with one column");
  }
};

bool in_order(Rows rows) {
  switch (rows.kind) {
    case Rows::Fixed: return rows.begin >= 1 && rows.dim == 0 && rows.end == 0;
    case Rows::Batch: return rows == Rows::batch(rows.dim);
    case Rows::Steps: break;
  }
  if (rows == Rows::here(rows.dim)) return true;
  return rows.begin >= 0 && (rows.end == Rows::kAll || rows.end > rows.begin);
}

/// A leaf's shape, or another that the operands do not decide: it only has to be one.
Shape given(const Use& use) {
  if (!(in_order(use.wanted.rows) && use.wanted.cols >= 1))
    use.refuse(fmt::format("{} is no shape", to_string(use.wanted)));
  return use.wanted;
}

bool is_stack(Rows rows) {
  return rows.kind == Rows::Steps && rows != Rows::here(rows.dim);
}
bool is_here(Rows rows) {
  return rows.kind == Rows::Steps && rows == Rows::here(rows.dim);
}

/// `inner` is some of the steps of `outer`. In a Model the step at hand is one of all steps.
bool steps_within(Rows inner, Rows outer) {
  if (inner.kind != Rows::Steps || !is_stack(outer) || inner.dim != outer.dim) return false;
  if (is_here(inner)) return outer == Rows::all(outer.dim);
  if (inner.begin < outer.begin) return false;
  return outer.end == Rows::kAll || (inner.end != Rows::kAll && inner.end <= outer.end);
}

/// `fewer` is a prefix of `more`: the rows that still run at the same or a later step.
bool is_prefix(Rows fewer, Rows more) {
  if (is_here(fewer)) return more == Rows::batch(fewer.dim) || fewer == more;
  if (!fewer.is_step()) return false;
  return more == Rows::batch(fewer.dim) ||
         (more.is_step() && more.dim == fewer.dim && more.begin <= fewer.begin);
}

/// Equal extents, or one of them stretches.
Shape stretch(const Use& use) {
  const Shape &a = use.args[0], &b = use.args[1];
  use.need(a.rows == b.rows || a.rows.is_one() || b.rows.is_one(), "the rows differ and neither is one row");
  use.need(a.cols == b.cols || a.cols == 1 || b.cols == 1, "the columns differ and neither is one column");
  return {Type::F32, a.rows.is_one() ? b.rows : a.rows, std::max(a.cols, b.cols)};
}

Shape sum(const Use& use) {
  use.need_f32();
  for (const Shape& s : use.args) use.need(s == use.args[0], "the terms must have equal shapes");
  return use.args[0];
}

std::string extents(const Shape& shape, bool transposed) {
  return fmt::format("[{}, {}]{}", to_string(shape.rows), shape.cols, transposed ? "^T" : "");
}

/// [M, K] times [K, N], where a flag says that the operand stands there transposed.
Shape matmul(const Use& use) {
  use.need_f32();
  const Shape &a = use.args[0], &b = use.args[1];
  const bool left = (use.attr.flags & kTransposeLeft) != 0, right = (use.attr.flags & kTransposeRight) != 0;
  use.need((use.attr.flags & ~(kTransposeLeft | kTransposeRight)) == 0, "unknown flags");
  auto need = [&](bool fits) {
    if (fits) return;
    throw GraphError(fmt::format("matmul: {} times {} do not multiply", extents(a, left), extents(b, right)));
  };
  if (left && right) {
    need(a.rows.kind == Rows::Fixed && b.rows.kind == Rows::Fixed && a.rows.begin == b.cols);
    return {Type::F32, Rows::fixed(a.cols), b.rows.begin};
  }
  if (left) {
    need(a.rows == b.rows);
    return {Type::F32, Rows::fixed(a.cols), b.cols};
  }
  need(b.rows.kind == Rows::Fixed);
  need(a.cols == (right ? b.cols : b.rows.begin));
  return {Type::F32, a.rows, right ? b.rows.begin : b.cols};
}

Shape slice_cols(const Use& use) {
  use.need_f32();
  const Shape& a = use.args[0];
  const int64_t first = use.attr.offset, cols = use.wanted.cols;
  if (!(first >= 0 && cols >= 1 && first + cols <= a.cols))
    use.refuse(fmt::format("columns {} .. {} are not among its {}", first, first + cols, a.cols));
  return {a.type, a.rows, use.wanted.cols};
}

Shape slice_rows(const Use& use) {
  const Shape& a = use.args[0];
  const Rows want = use.wanted.rows;
  if (a.rows.kind == Rows::Fixed) {
    const int64_t first = use.attr.offset, count = want.begin;
    if (!(want.kind == Rows::Fixed && in_order(want) && first >= 0 && first + count <= a.rows.begin))
      use.refuse(fmt::format("rows {} .. {} ({}) are not among its {}", first, first + count, to_string(want),
                             a.rows.begin));
  } else {
    use.need(use.attr.offset == 0, "an offset is for rows of a matrix, not for steps");
    if (!(in_order(want) && steps_within(want, a.rows)))
      use.refuse(fmt::format("{} are not among its steps", to_string(want)));
  }
  return {a.type, want, a.cols};
}

Shape concat_cols(const Use& use) {
  use.need_f32();
  int64_t cols = 0;
  for (const Shape& s : use.args) {
    use.need(s.rows == use.args[0].rows, "the parts must have equal rows");
    cols += s.cols;
  }
  use.need(cols <= std::numeric_limits<int32_t>::max(), "too many columns");
  return {Type::F32, use.args[0].rows, int32_t(cols)};
}

/// Steps that follow each other become a stack; matrices, one below the other, a taller matrix.
Shape concat_rows(const Use& use) {
  const Shape& first = use.args[0];
  Rows rows = first.rows;
  use.need(rows.kind == Rows::Fixed || is_stack(rows), "only matrices and steps can be stacked");
  for (const Shape& s : use.args.subspan(1)) {
    use.need(s.type == first.type && s.cols == first.cols, "the parts must have equal types and columns");
    if (rows.kind == Rows::Fixed) {
      use.need(s.rows.kind == Rows::Fixed, "a matrix and steps cannot be stacked");
      use.need(s.rows.begin <= std::numeric_limits<int32_t>::max() - rows.begin, "too many rows");
      rows.begin += s.rows.begin;
    } else {
      use.need(
          is_stack(s.rows) && s.rows.dim == rows.dim && rows.end != Rows::kAll && s.rows.begin == rows.end,
          "each part must begin at the step where the one before ends");
      rows.end = s.rows.end;
    }
  }
  return {first.type, rows, first.cols};
}

Shape prefix(const Use& use) {
  const Shape& a = use.args[0];
  const Rows want = use.wanted.rows;
  const bool fits = use.op == Op::TakeRows ? is_prefix(want, a.rows) : is_prefix(a.rows, want);
  if (!(fits && in_order(want))) use.refuse(fmt::format("cannot go to rows {}", to_string(want)));
  return {a.type, want, a.cols};
}

Shape tail_rows(const Use& use) {
  use.need_f32();
  const Shape& a = use.args[0];
  const int32_t step = use.attr.offset;
  if (!(step >= 0 && (a.rows.kind == Rows::Batch || (a.rows.is_step() && step >= a.rows.begin))))
    use.refuse(fmt::format("the rows of step {} are not among its first rows", step));
  return a;
}

Shape gather(const Use& use) {
  use.need_index(use.args[1]);
  return {use.args[0].type, use.args[1].rows, use.args[0].cols};
}

/// Into a table: with fixed rows, or rows of examples.
Shape scatter(const Use& use) {
  const Shape &d = use.args[0], &index = use.args[1];
  use.need(d.type == Type::F32, "the summands must be f32");
  use.need_index(index);
  use.need(d.rows == index.rows, "each summand needs its index");
  use.need(in_order(use.wanted.rows), "the table needs rows");
  return {Type::F32, use.wanted.rows, d.cols};
}

Shape last_rows(const Use& use) {
  const Shape &stack = use.args[0], &index = use.args[1];
  use.need(is_stack(stack.rows), "the first operand must be steps");
  use.need_index(index);
  use.need(index.rows.kind == Rows::Batch, "there must be one index a row of the batch");
  return {stack.type, index.rows, stack.cols};
}

/// How many rows an example has is for the spaces to say; the columns must divide.
Shape split_or_join(const Use& use) {
  const Shape &a = use.args[0], &want = use.wanted;
  use.need(in_order(want.rows) && a.rows.kind == want.rows.kind, "rows of one kind are needed");
  const int32_t wide = use.op == Op::SplitCols ? a.cols : want.cols;
  const int32_t narrow = use.op == Op::SplitCols ? want.cols : a.cols;
  use.need(narrow >= 1 && wide % narrow == 0, "the columns must divide evenly");
  const Rows &more = use.op == Op::SplitCols ? want.rows : a.rows,
             &fewer = use.op == Op::SplitCols ? a.rows : want.rows;
  if (a.rows.kind == Rows::Fixed)
    use.need(int64_t{more.begin} * narrow == int64_t{fewer.begin} * wide, "the numbers must be as many");
  else use.need(more.begin == fewer.begin && more.end == fewer.end, "it stays with its steps");
  return {a.type, want.rows, want.cols};
}

Shape pair_index(const Use& use) {
  use.need_index(use.args[0]);
  use.need_index(use.args[1]);
  use.need(use.args[0].rows == use.args[1].rows, "each index needs its partner");
  return use.args[0];
}

Shape transpose(const Use& use) {
  use.need_f32();
  const Shape& a = use.args[0];
  use.need(a.rows.kind == Rows::Fixed, "only a matrix with fixed rows can be transposed");
  return {Type::F32, Rows::fixed(a.cols), a.rows.begin};
}

/// Which attributes an op reads; the others keep their defaults, so that equal nodes are one node.
void check_attributes(const Use& use) {
  const Op op = use.op;
  const Attr& attr = use.attr;
  const bool named = op == Op::Variable || op == Op::Input;
  const bool cuts = op == Op::SliceCols || op == Op::SliceRows || op == Op::TailRows;
  const bool scans = op == Op::Scan || op == Op::ScanResult;
  use.need(named ? attr.name >= 0 : attr.name == -1, named ? "it needs a name" : "it takes no name");
  const bool valued = op == Op::Constant || op == Op::Coin || op == Op::ClipGradient || op == Op::Gather;
  use.need(valued || std::bit_cast<uint64_t>(attr.value) == 0, "it takes no value");
  use.need(cuts || scans || op == Op::Coin || op == Op::PairIndex || attr.offset == 0, "it takes no offset");
  use.need(op == Op::MatMul || attr.flags == 0, "it takes no flags");
}

Shape coin(const Use& use) {
  const Shape &row = use.args[0], &key = use.args[1];
  use.need(row.type == Type::I32 && row.cols <= 2, "the rows must be i32: a number, or a number and a step");
  use.need(key == Shape{Type::I32, Rows::fixed(1), 2}, "the key must be i32[1, 2]");
  use.need(use.attr.value >= 0 && use.attr.value <= 1, "a probability is a number from 0 to 1");
  use.need(use.attr.offset >= 0, "a place is at least 0");
  use.need(use.wanted.cols >= 1, "it needs one column or more");
  return {Type::F32, row.rows, use.wanted.cols};
}

Shape one_hot(const Use& use) {
  use.need_index(use.args[0]);
  use.need(use.wanted.cols >= 1, "it needs one column or more");
  return {Type::F32, use.args[0].rows, use.wanted.cols};
}

}  // namespace

Shape infer_shape(Op op, std::span<const Shape> args, const Attr& attr, const Shape& wanted) {
  const Use use{op, args, attr, wanted};
  const int arity = info(op).arity;
  if (!(arity < 0 ? !args.empty() : args.size() == size_t(arity)))
    use.refuse(fmt::format("{} operands, but it takes {}", args.size(),
                           arity < 0 ? "one or more" : std::to_string(arity)));
  check_attributes(use);
  switch (op) {
    case Op::Variable:
      if (!(wanted.type == Type::F32 && wanted.rows.kind == Rows::Fixed))
        use.refuse(fmt::format("a variable is f32 with fixed rows, not {}", to_string(wanted)));
      return given(use);
    case Op::Input:
    case Op::Constant: return given(use);

    case Op::Copy:
    case Op::Keep:
    case Op::Stop: return args[0];
    case Op::Neg:
    case Op::Exp:
    case Op::Log:
    case Op::Sqrt:
    case Op::Abs:
    case Op::Sign:
    case Op::Sin:
    case Op::Cos:
    case Op::Sigmoid:
    case Op::Tanh:
    case Op::Relu:
    case Op::Softplus: use.need_f32(); return args[0];

    case Op::Equal: return stretch(use);  // numbers of either type
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::Pow:
    case Op::Max:
    case Op::Min:
    case Op::Less:
    case Op::LessEqual: use.need_f32(); return stretch(use);

    case Op::Onto:
      use.need_f32();
      use.need(args[0] == args[1], "the operands must have equal shapes");
      return args[0];
    case Op::Sum: return sum(use);
    case Op::OneHot: return one_hot(use);
    case Op::Coin: return coin(use);
    case Op::ClipGradient:
      use.need_f32();
      use.need(attr.value > 0, "the bound must be above 0");
      return args[0];
    case Op::RowCount: return {};

    case Op::SumCols:
    case Op::MaxCols: use.need_f32(); return {Type::F32, args[0].rows, 1};
    case Op::ArgMax: use.need_f32(); return {Type::I32, args[0].rows, 1};
    case Op::SumRows:
    case Op::MaxRows: use.need_f32(); return {Type::F32, Rows::fixed(1), args[0].cols};
    case Op::MatMul: return matmul(use);

    case Op::SliceCols: return slice_cols(use);
    case Op::ConcatCols: return concat_cols(use);
    case Op::SliceRows: return slice_rows(use);
    case Op::ConcatRows: return concat_rows(use);
    case Op::TakeRows:
    case Op::PadRows: return prefix(use);
    case Op::TailRows: return tail_rows(use);
    case Op::Gather: return gather(use);
    case Op::ScatterAdd:
    case Op::ScatterMax: return scatter(use);
    case Op::SplitCols:
    case Op::JoinRows: return split_or_join(use);
    case Op::PairIndex: return pair_index(use);
    case Op::LastRows: return last_rows(use);
    case Op::Transpose: return transpose(use);
    case Op::Scan:
    case Op::ScanResult: return given(use);
  }
  use.refuse("no such op");
}

}  // namespace rnnc
