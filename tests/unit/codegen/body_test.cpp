// Bodies without a product: accesses, limits, tails, reductions along the row, sums along columns,
// scatter_add.
#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

class BodyOn : public OnTarget {
 protected:
  std::mt19937 random{10};
};

TEST_P(BodyOn, TailsOfEveryWidthStayInside) {
  Kernel k;
  k.operands = 2;
  k.body = {load(0), compute(Op::Neg, 0), store(1, 1)};
  for (int64_t n = 1; n <= 50; ++n) {
    Matrix x(3, n, n + 1), y(3, n, n + 2);
    x.fill(random);
    Call call;
    call.operand(x).operand(y);
    call.rows = {3};
    call.cols = n;
    run(k, call);
    ASSERT_TRUE(y.intact()) << n;
    for (int64_t r = 0; r < 3; ++r)
      for (int64_t j = 0; j < n; ++j) ASSERT_EQ(y(r, j), -x(r, j));
  }
}

TEST_P(BodyOn, ResultsMayOverwriteOperands) {
  // softmax in place: y = exp(x - max), y / sum y
  Kernel k;
  k.operands = 1;
  k.body = {load(0),
            reduce(Op::MaxCols, 0),
            compute(Op::Sub, 0, 1),
            compute(Op::Exp, 2),
            reduce(Op::SumCols, 3),
            compute(Op::Div, 3, 4),
            store(5, 0)};
  for (int64_t n : {1, 10, 16, 17, 100}) {
    Matrix x(5, n, n + 3);
    x.fill(random, -5, 5);
    Matrix before = x;
    Call call;
    call.operand(x);
    call.rows = {5};
    call.cols = n;
    run_in_pieces(k, call, random);
    ASSERT_TRUE(x.intact());
    for (int64_t r = 0; r < 5; ++r) {
      double sum = 0;
      for (int64_t j = 0; j < n; ++j) sum += std::exp(double(before(r, j)));
      for (int64_t j = 0; j < n; ++j) ASSERT_NEAR(x(r, j), std::exp(double(before(r, j))) / sum, 1e-6);
    }
  }
}

TEST_P(BodyOn, ReductionsOfARow) {
  Kernel k;
  k.operands = 4;
  k.body = {load(0),
            reduce(Op::SumCols, 0),
            reduce(Op::MaxCols, 0),
            reduce(Op::ArgMax, 0),
            store(1, 1, Access::ColVector),
            store(2, 2, Access::ColVector),
            store(3, 3, Access::ColVector)};
  k.body[6].type = Type::I32;
  for (int64_t n : {1, 2, 7, 15, 16, 17, 31, 33, 64, 70}) {
    int64_t rows = 9;
    Matrix x(rows, n, n + 1), sum(rows, 1, 2), max(rows, 1);
    x.fill(random, -3, -1);
    for (int64_t j = 0; j < n; ++j) x(3, j) = -INFINITY, x(4, j) = -2, x(5, j) = float(j % 3);
    x(6, n / 2) = NAN;
    std::vector<int32_t> index(size_t(rows), -7);
    Call call;
    call.operand(x).operand(sum).operand(max).operand(index.data(), 1);
    call.rows = {rows};
    call.cols = n;
    run(k, call);
    EXPECT_TRUE(sum.intact() && max.intact());
    for (int64_t r = 0; r < rows; ++r) {
      double total = 0;
      int64_t best = 0;
      bool nan = false;
      for (int64_t j = 0; j < n; ++j) {
        total += x(r, j);
        nan |= std::isnan(x(r, j));
        if (x(r, j) > x(r, best) || std::isnan(x(r, best))) best = j;
      }
      if (nan) {
        EXPECT_TRUE(std::isnan(max(r, 0)) && std::isnan(sum(r, 0)));
      } else {
        EXPECT_EQ(max(r, 0), x(r, best));
        if (std::isfinite(total)) {
          EXPECT_NEAR(sum(r, 0), total, 1e-4);
        }
      }
      EXPECT_EQ(index[size_t(r)], n == 1 ? 0 : best) << "row " << r << " of " << n << " columns";
    }
  }
}

TEST_P(BodyOn, LimitsTailsAndRowCounts) {
  // a = x below rows1, else 0 (x has only those rows); b = 0 below rows2, else y; result a + b, and rows1 + 0
  // * b
  Kernel k;
  k.operands = 4;
  k.row_counts = 3;
  Instr tail, count;
  tail.code = Instr::Tail, tail.a = 1, tail.limit = 2;
  count.code = Instr::RowCount, count.limit = 1;
  k.body = {load(0, Access::Matrix, 1),    load(1), tail, compute(Op::Sum, 0, 2), store(3, 2), count,
            store(5, 3, Access::ColVector)};
  Matrix x(4, 20), y(9, 20), z(9, 20, 24), counted(9, 1);
  x.fill(random);
  y.fill(random);
  Call call;
  call.operand(x).operand(y).operand(z).operand(counted);
  call.rows = {9, 4, 6};
  call.cols = 20;
  run(k, call);
  EXPECT_TRUE(z.intact());
  for (int64_t r = 0; r < 9; ++r) {
    EXPECT_EQ(counted(r, 0), 4);
    for (int64_t j = 0; j < 20; ++j) EXPECT_EQ(z(r, j), r < 4 ? x(r, j) : r < 6 ? 0 : y(r, j));
  }
}

TEST_P(BodyOn, GatherOneHotAndIntegers) {
  Kernel k;
  k.operands = 4;
  Instr gather = load(0, Access::Gather), index = load(1, Access::ColVector), hot;
  gather.index = 1;
  index.type = Type::I32;
  hot.code = Instr::OneHot, hot.a = 1;
  k.body = {gather, index, hot, store(0, 2), store(2, 3)};
  Matrix table(6, 37, 40), taken(8, 37, 41), one(8, 37, 38);
  table.fill(random);
  std::vector<int32_t> at{5, -1, 0, 3, 3, -2147483647, 1, 36};
  at[7] = 4;
  Call call;
  call.operand(table).operand(at.data(), 1).operand(taken).operand(one);
  call.rows = {8};
  call.cols = 37;
  run(k, call);
  EXPECT_TRUE(taken.intact() && one.intact());
  for (int64_t r = 0; r < 8; ++r)
    for (int64_t j = 0; j < 37; ++j) {
      int32_t i = at[size_t(r)];
      EXPECT_EQ(taken(r, j), i < 0 ? 0 : table(i, j));
      EXPECT_EQ(one(r, j), i == j ? 1 : 0);
    }
}

// One number of each row by an index stands for the whole row: the class of the last element, one-hot.
TEST_P(BodyOn, AGatheredColumnIsTheSameInEveryColumn) {
  Kernel k;
  k.operands = 5;
  Instr classes = load(0, Access::GatherColumn), weights = load(1, Access::GatherColumn), hot;
  classes.index = weights.index = 2;
  classes.type = Type::I32;
  hot.code = Instr::OneHot, hot.a = 0;
  weights.value = -7;  // what a negative index gives
  k.body = {classes, hot, weights, store(1, 3), store(2, 4)};
  std::vector<int32_t> class_of{3, 36, 0, 12, 20, 1}, at{5, -1, 0, 3, 3, 1, 2};
  Matrix weight(6, 1), one(7, 37, 38), spread(7, 37, 40);
  weight.fill(random);
  Call call;
  call.operand(class_of.data(), 1).operand(weight).operand(at.data(), 1).operand(one).operand(spread);
  call.rows = {7};
  call.cols = 37;
  run(k, call);
  EXPECT_TRUE(one.intact() && spread.intact());
  for (int64_t r = 0; r < 7; ++r)
    for (int64_t j = 0; j < 37; ++j) {
      const int32_t i = at[size_t(r)];
      EXPECT_EQ(one(r, j), (i < 0 ? 0 : class_of[size_t(i)]) == j ? 1 : 0) << r << " " << j;
      EXPECT_EQ(spread(r, j), i < 0 ? -7 : weight(i, 0));
    }
}

TEST_P(BodyOn, ScalarsAreComputedForTheWholeCall) {
  // x * pow(scalar, 3)
  Kernel k;
  k.operands = 3;
  k.body = {load(0),    load(1, Access::Scalar), constant(3), compute(Op::Pow, 1, 2), compute(Op::Mul, 0, 3),
            store(4, 2)};
  Matrix x(4, 18), s(1, 1), y(4, 18);
  x.fill(random);
  s(0, 0) = 2;
  Call call;
  call.operand(x).operand(s).operand(y);
  call.rows = {4};
  call.cols = 18;
  run(k, call);
  for (int64_t r = 0; r < 4; ++r)
    for (int64_t j = 0; j < 18; ++j) EXPECT_EQ(y(r, j), 8 * x(r, j));
}

TEST_P(BodyOn, ColumnSumsRunFromTheLastRow) {
  Kernel k;
  k.kind = KernelKind::ColumnSum;
  k.operands = 3;
  k.body = {load(0), load(1, Access::ColVector), compute(Op::Mul, 0, 1)};
  k.sum_value = 2;
  k.sum_operand = 2;
  for (int64_t n : {1, 16, 40, 131}) {
    Matrix x(50, n, n + 1), w(50, 1), sum(1, n);
    x.fill(random);
    w.fill(random);
    Call call;
    call.operand(x).operand(w).operand(sum);
    call.rows = {50};
    call.cols = n;
    run_in_pieces(k, call, random);
    EXPECT_TRUE(sum.intact());
    for (int64_t j = 0; j < n; ++j) {
      float want = 0;
      for (int64_t r = 49; r >= 0; --r) want += float(x(r, j) * w(r, 0));
      EXPECT_EQ(sum(0, j), want);
    }
    Matrix again(1, n);
    call.data[2] = again.data.data();
    run(k, call);
    EXPECT_TRUE(again.same_bits(sum));
  }
}

TEST_P(BodyOn, TheLargestOfEachColumn) {
  Kernel k;
  k.kind = KernelKind::ColumnSum;
  k.operands = 2;
  k.body = {load(0)};
  k.sum_value = 0;
  k.sum_operand = 1;
  k.sum_op = Op::MaxRows;
  for (int64_t n : {1, 40, 131}) {
    Matrix x(9, n, n + 1), most(1, n);
    x.fill(random);
    for (int64_t j = 0; j < n; ++j) x(3, j) -= 100;
    Call call;
    call.operand(x).operand(most);
    call.rows = {9};
    call.cols = n;
    run_in_pieces(k, call, random);
    EXPECT_TRUE(most.intact());
    for (int64_t j = 0; j < n; ++j) {
      float want = x(0, j);
      for (int64_t r = 1; r < 9; ++r) want = std::max(want, float(x(r, j)));
      EXPECT_EQ(most(0, j), want);
    }
  }
}

TEST_P(BodyOn, ScatterAddRunsFromTheLastRowAndSkipsNegativeIndices) {
  Kernel k;
  k.kind = KernelKind::Scatter;
  k.operands = 3;
  k.row_counts = 2;
  for (int64_t n : {3, 16, 50}) {
    Matrix d(12, n, n + 2), table(5, n, n + 3);
    d.fill(random);
    std::vector<int32_t> at{0, 4, 4, -1, 2, 0, 4, 3, -9, 2, 2, 0};
    Call call;
    call.operand(d).operand(at.data(), 1).operand(table);
    call.rows = {12, 5};
    call.cols = n;
    run_in_pieces(k, call, random);
    EXPECT_TRUE(table.intact());
    for (int64_t v = 0; v < 5; ++v)
      for (int64_t j = 0; j < n; ++j) {
        float want = 0;
        for (int64_t r = 11; r >= 0; --r)
          if (at[size_t(r)] == v) want += d(r, j);
        EXPECT_EQ(table(v, j), want);
      }
  }
}

TEST_P(BodyOn, ScatterAddsWhatItsBodyComputes) {
  Kernel k;  // row r of the sources is weight[r] * table[from[r]], 0 where there is no such row
  k.kind = KernelKind::Scatter;
  k.operands = 6;
  k.row_counts = 2;
  Instr fetched = load(3, Access::Gather);
  fetched.index = 4;
  k.body = {fetched, load(5, Access::ColVector), compute(Op::Mul, 0, 1)};
  k.sum_value = 2;
  for (int64_t n : {3, 16, 50}) {
    Matrix table(4, n, n + 2), weight(12, 1, 3), sums(5, n, n + 3);
    table.fill(random);
    weight.fill(random);
    std::vector<int32_t> at{0, 4, 4, -1, 2, 0, 4, 3, -9, 2, 2, 0}, from{1, 0, 3, 2, -1, 2, 2, 0, 1, 3, -1, 0};
    Call call;
    call.operand(at.data(), 1).operand(at.data(), 1).operand(sums).operand(table);
    call.operand(from.data(), 1).operand(weight);
    call.rows = {12, 5};
    call.cols = n;
    run_in_pieces(k, call, random);
    EXPECT_TRUE(sums.intact());
    for (int64_t v = 0; v < 5; ++v)
      for (int64_t j = 0; j < n; ++j) {
        float want = 0;
        for (int64_t r = 11; r >= 0; --r) {
          const int32_t source = from[size_t(r)];
          const float product = source < 0 ? 0 : table(source, j) * weight(r, 0);
          if (at[size_t(r)] == v) want += product;
        }
        EXPECT_EQ(sums(v, j), want);
      }
  }
}

TEST_P(BodyOn, ScatterMaxGivesZeroToRowsOfNoIndex) {
  Kernel k;
  k.kind = KernelKind::Scatter;
  k.sum_op = Op::MaxRows;
  k.operands = 3;
  k.row_counts = 2;
  for (int64_t n : {1, 3, 16, 50}) {
    Matrix d(12, n, n + 2), table(5, n, n + 3);
    d.fill(random);
    for (int64_t r = 0; r < 12; ++r) d(r, 0) -= 5;  // below zero, but larger than nothing
    d(6, n - 1) = std::numeric_limits<float>::quiet_NaN();
    d(4, n - 1) = -std::numeric_limits<float>::infinity();
    std::vector<int32_t> at{0, 4, 4, -1, 2, 0, 4, 0, -9, 4, 4, 0};  // 1 and 3 are nobody's
    Call call;
    call.operand(d).operand(at.data(), 1).operand(table);
    call.rows = {12, 5};
    call.cols = n;
    run_in_pieces(k, call, random);
    EXPECT_TRUE(table.intact());
    for (int64_t v = 0; v < 5; ++v)
      for (int64_t j = 0; j < n; ++j) {
        float want = 0;
        bool any = false;
        for (int64_t r = 11; r >= 0; --r) {
          if (at[size_t(r)] != v) continue;
          if (!any || std::isnan(d(r, j)) || d(r, j) > want) want = d(r, j);
          any = true;
          if (std::isnan(want)) break;
        }
        if (std::isnan(want)) EXPECT_TRUE(std::isnan(table(v, j)));
        else EXPECT_EQ(table(v, j), want) << v << " " << j;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, BodyOn, kAllTargets, target_name);

}  // namespace
}  // namespace rnnc
