// Shapes in words, row counts, and what the shape rules refuse.
#include "ir/shape.h"

#include <gtest/gtest.h>

#include "ir/graph.h"
#include "ir/parse.h"

namespace rnnc {
namespace {

TEST(Shape, InWords) {
  EXPECT_EQ(to_string(Rows::fixed(3)), "3");
  EXPECT_EQ(to_string(Rows::batch()), "B");
  EXPECT_EQ(to_string(Rows::step(0, 5)), "T0.5");
  EXPECT_EQ(to_string(Rows::steps(1, 0, 24)), "T1.0:24");
  EXPECT_EQ(to_string(Rows::all(0)), "T0.*");
  EXPECT_EQ(to_string(Rows::steps(0, 1, Rows::kAll)), "T0.1:*");
  EXPECT_EQ(to_string(Rows::here(0)), "T0.t");
  EXPECT_EQ(to_string(Shape{Type::I32, Rows::batch(), 1}), "i32[B, 1]");
}

TEST(Shape, RowsOfABatch) {
  static constexpr int64_t offsets[] = {0, 3, 5, 6};
  static constexpr const int64_t* tables[] = {offsets};
  static constexpr int32_t capacity[] = {3};
  const RowTable table{3, tables, capacity};
  EXPECT_EQ(table.count(Rows::fixed(7)), 7);
  EXPECT_EQ(table.count(Rows::batch()), 3);
  EXPECT_EQ(table.count(Rows::step(0, 1)), 2);
  EXPECT_EQ(table.count(Rows::steps(0, 1, 3)), 3);
  EXPECT_EQ(table.count(Rows::step(0, 3)), 0) << "past the capacity";
  EXPECT_EQ(table.count(Rows::steps(0, 2, 9)), 1);
}

const Shape f(Rows rows, int32_t cols) {
  return {Type::F32, rows, cols};
}
const Shape i(Rows rows) {
  return {Type::I32, rows, 1};
}

/// What is said about `op` of these operands, or its shape.
std::string said(Op op, const std::vector<Shape>& operands, Attr attr = {}, Shape wanted = {}) {
  try {
    return to_string(infer_shape(op, operands, attr, wanted));
  } catch (const GraphError& error) {
    return error.what();
  }
}

const Rows B = Rows::batch();
Rows N(int n) {
  return Rows::fixed(n);
}
Rows T(int t) {
  return Rows::step(0, t);
}
Rows T(int begin, int end) {
  return Rows::steps(0, begin, end);
}

TEST(ShapeRules, ElementsStretch) {
  EXPECT_EQ(said(Op::Add, {f(B, 3), f(N(1), 1)}), "f32[B, 3]");
  EXPECT_EQ(said(Op::Add, {f(B, 1), f(N(1), 3)}), "f32[B, 3]");
  EXPECT_EQ(said(Op::Add, {f(B, 3), f(T(0), 3)}),
            "add(f32[B, 3], f32[T0.0, 3]): the rows differ and neither is one row");
  EXPECT_EQ(said(Op::Mul, {f(B, 3), f(B, 4)}),
            "mul(f32[B, 3], f32[B, 4]): the columns differ and neither is one column");
  EXPECT_EQ(said(Op::Tanh, {i(B)}), "tanh(i32[B, 1]): operands must be f32");
  EXPECT_EQ(said(Op::Copy, {i(B)}), "i32[B, 1]");
  EXPECT_EQ(said(Op::Equal, {i(B), i(B)}), "f32[B, 1]");
  EXPECT_EQ(said(Op::Sum, {f(B, 3), f(B, 1)}), "sum(f32[B, 3], f32[B, 1]): the terms must have equal shapes");
  EXPECT_EQ(said(Op::Add, {f(B, 3)}), "add(f32[B, 3]): 1 operands, but it takes 2");
  EXPECT_EQ(said(Op::ConcatCols, {}), "concat_cols(): 0 operands, but it takes one or more");
}

TEST(ShapeRules, Leaves) {
  EXPECT_EQ(said(Op::Input, {}, {.name = 0}, i(B)), "i32[B, 1]");
  EXPECT_EQ(said(Op::Variable, {}, {.name = 0}, f(B, 2)),
            "variable(): a variable is f32 with fixed rows, not f32[B, 2]");
  EXPECT_EQ(said(Op::Constant, {}, {}, f(N(0), 2)), "constant(): f32[0, 2] is no shape");
  EXPECT_EQ(said(Op::Constant, {}, {}, f(T(3, 3), 2)), "constant(): f32[T0.3:3, 2] is no shape");
}

TEST(ShapeRules, AttributesThatAnOpDoesNotRead) {
  EXPECT_EQ(said(Op::Input, {}, {}, i(B)), "input(): it needs a name");
  EXPECT_EQ(said(Op::Neg, {f(B, 1)}, {.name = 0}), "neg(f32[B, 1]): it takes no name");
  EXPECT_EQ(said(Op::Neg, {f(B, 1)}, {.value = 1}), "neg(f32[B, 1]): it takes no value");
  EXPECT_EQ(said(Op::Neg, {f(B, 1)}, {.offset = 1}), "neg(f32[B, 1]): it takes no offset");
  EXPECT_EQ(said(Op::Neg, {f(B, 1)}, {.flags = 1}), "neg(f32[B, 1]): it takes no flags");
}

TEST(ShapeRules, Products) {
  const uint8_t both = kTransposeLeft | kTransposeRight;
  EXPECT_EQ(said(Op::MatMul, {f(B, 96), f(N(96), 288)}), "f32[B, 288]");
  EXPECT_EQ(said(Op::MatMul, {f(B, 96), f(N(64), 288)}), "matmul: [B, 96] times [64, 288] do not multiply");
  EXPECT_EQ(said(Op::MatMul, {f(T(3), 96), f(N(24), 96)}, {.flags = kTransposeRight}), "f32[T0.3, 24]");
  EXPECT_EQ(said(Op::MatMul, {f(T(3), 4), f(T(3), 9)}, {.flags = kTransposeLeft}), "f32[4, 9]");
  EXPECT_EQ(said(Op::MatMul, {f(T(3), 4), f(T(2), 9)}, {.flags = kTransposeLeft}),
            "matmul: [T0.3, 4]^T times [T0.2, 9] do not multiply");
  EXPECT_EQ(said(Op::MatMul, {f(N(3), 4), f(N(5), 3)}, {.flags = both}), "f32[4, 5]");
  EXPECT_EQ(said(Op::MatMul, {f(B, 4), f(N(5), 3)}, {.flags = both}),
            "matmul: [B, 4]^T times [5, 3]^T do not multiply");
  EXPECT_EQ(said(Op::MatMul, {f(B, 4), f(N(4), 3)}, {.flags = 4}),
            "matmul(f32[B, 4], f32[4, 3]): unknown flags");
  EXPECT_EQ(said(Op::Transpose, {f(B, 4)}),
            "transpose(f32[B, 4]): only a matrix with fixed rows can be transposed");
}

TEST(ShapeRules, CuttingAndJoining) {
  EXPECT_EQ(said(Op::SliceCols, {f(B, 4)}, {.offset = 2}, f(B, 2)), "f32[B, 2]");
  EXPECT_EQ(said(Op::SliceCols, {f(B, 4)}, {.offset = 2}, f(B, 3)),
            "slice_cols(f32[B, 4]): columns 2 .. 5 are not among its 4");
  EXPECT_EQ(said(Op::SliceRows, {f(N(4), 2)}, {.offset = 3}, f(N(1), 2)), "f32[1, 2]");
  EXPECT_EQ(said(Op::SliceRows, {f(N(4), 2)}, {.offset = 3}, f(N(2), 2)),
            "slice_rows(f32[4, 2]): rows 3 .. 5 (2) are not among its 4");
  EXPECT_EQ(said(Op::SliceRows, {f(T(2, 5), 2)}, {}, f(T(3), 2)), "f32[T0.3, 2]");
  EXPECT_EQ(said(Op::SliceRows, {f(T(2, 5), 2)}, {}, f(T(5), 2)),
            "slice_rows(f32[T0.2:5, 2]): T0.5 are not among its steps");
  EXPECT_EQ(said(Op::SliceRows, {f(Rows::all(0), 2)}, {}, f(Rows::here(0), 2)), "f32[T0.t, 2]");
  EXPECT_EQ(said(Op::SliceRows, {f(Rows::all(0), 2)}, {}, f(T(7), 2)), "f32[T0.7, 2]");
  EXPECT_EQ(said(Op::SliceRows, {f(Rows::all(0), 2)}, {}, f(Rows::here(1), 2)),
            "slice_rows(f32[T0.*, 2]): T1.t are not among its steps");
  EXPECT_EQ(said(Op::ConcatCols, {f(B, 4), f(B, 5)}), "f32[B, 9]");
  EXPECT_EQ(said(Op::ConcatCols, {f(B, 4), f(T(0), 5)}),
            "concat_cols(f32[B, 4], f32[T0.0, 5]): the parts must have equal rows");
  EXPECT_EQ(said(Op::ConcatRows, {f(T(0), 4), f(T(1, 3), 4)}), "f32[T0.0:3, 4]");
  EXPECT_EQ(said(Op::ConcatRows, {f(N(2), 4), f(N(3), 4)}), "f32[5, 4]");
  EXPECT_EQ(
      said(Op::ConcatRows, {f(T(0), 4), f(T(2), 4)}),
      "concat_rows(f32[T0.0, 4], f32[T0.2, 4]): each part must begin at the step where the one before ends");
  EXPECT_EQ(said(Op::ConcatRows, {f(B, 4)}),
            "concat_rows(f32[B, 4]): only matrices and steps can be stacked");
}

TEST(ShapeRules, RowsThatStillRun) {
  EXPECT_EQ(said(Op::TakeRows, {f(B, 4)}, {}, f(T(3), 4)), "f32[T0.3, 4]");
  EXPECT_EQ(said(Op::TakeRows, {f(T(2), 4)}, {}, f(T(3), 4)), "f32[T0.3, 4]");
  EXPECT_EQ(said(Op::TakeRows, {f(T(3), 4)}, {}, f(T(2), 4)),
            "take_rows(f32[T0.3, 4]): cannot go to rows T0.2");
  EXPECT_EQ(said(Op::TakeRows, {f(B, 4)}, {}, f(Rows::here(0), 4)), "f32[T0.t, 4]");
  EXPECT_EQ(said(Op::PadRows, {i(T(3))}, {}, i(B)), "i32[B, 1]");
  EXPECT_EQ(said(Op::PadRows, {f(T(2), 4)}, {}, f(T(3), 4)),
            "pad_rows(f32[T0.2, 4]): cannot go to rows T0.3");
  EXPECT_EQ(said(Op::TailRows, {f(T(2), 4)}, {.offset = 3}), "f32[T0.2, 4]");
  EXPECT_EQ(said(Op::TailRows, {f(B, 4)}, {.offset = 0}), "f32[B, 4]");
  EXPECT_EQ(said(Op::TailRows, {f(T(2), 4)}, {.offset = 1}),
            "tail_rows(f32[T0.2, 4]): the rows of step 1 are not among its first rows");
}

TEST(ShapeRules, Indices) {
  EXPECT_EQ(said(Op::OneHot, {i(B)}, {}, f(B, 7)), "f32[B, 7]");
  EXPECT_EQ(said(Op::OneHot, {f(B, 1)}, {}, f(B, 7)),
            "one_hot(f32[B, 1]): the index must be i32 with one column");
  EXPECT_EQ(said(Op::Gather, {f(N(9), 4), i(T(0, 3))}), "f32[T0.0:3, 4]");
  EXPECT_EQ(said(Op::ScatterAdd, {f(B, 4), i(B)}, {}, f(N(9), 4)), "f32[9, 4]");
  EXPECT_EQ(said(Op::ScatterAdd, {f(B, 4), i(T(0))}, {}, f(N(9), 4)),
            "scatter_add(f32[B, 4], i32[T0.0, 1]): each summand needs its index");
  EXPECT_EQ(said(Op::LastRows, {f(T(0, 3), 4), i(B)}), "f32[B, 4]");
  EXPECT_EQ(said(Op::LastRows, {f(B, 4), i(B)}),
            "last_rows(f32[B, 4], i32[B, 1]): the first operand must be steps");
  EXPECT_EQ(said(Op::ArgMax, {f(B, 4)}), "i32[B, 1]");
  const Shape key{Type::I32, N(1), 2};
  EXPECT_EQ(said(Op::Coin, {i(B), key}, {.value = 0.5}, f(B, 7)), "f32[B, 7]");
  EXPECT_EQ(said(Op::Coin, {i(B), i(B)}, {.value = 0.5}, f(B, 7)),
            "coin(i32[B, 1], i32[B, 1]): the key must be i32[1, 2]");
  EXPECT_EQ(said(Op::Coin, {i(B), key}, {.value = 1.5}, f(B, 7)),
            "coin(i32[B, 1], i32[1, 2]): a probability is a number from 0 to 1");
  EXPECT_EQ(said(Op::ClipGradient, {f(B, 2)}, {.value = 0}),
            "clip_gradient(f32[B, 2]): the bound must be above 0");
  EXPECT_EQ(said(Op::RowCount, {i(B)}), "f32[1, 1]");
}

TEST(Graph, EqualNodesAreOne) {
  Graph g;
  const NodeId x = g.input("x", f(B, 2)), y = g.input("y", f(B, 2));
  EXPECT_EQ(g.binary(Op::Add, x, y), g.binary(Op::Add, y, x));
  EXPECT_NE(g.binary(Op::Sub, x, y), g.binary(Op::Sub, y, x));
  EXPECT_NE(g.constant(0.0), g.constant(-0.0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(g.constant(nan), g.constant(nan));
  EXPECT_THROW(g.unary(Op::Neg, 99), GraphError);
}

}  // namespace
}  // namespace rnnc
