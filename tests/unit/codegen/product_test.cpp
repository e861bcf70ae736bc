// Kernels with a product in front of a body, against double precision and against themselves.
#include "runtime/pack.h"
#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

// store(sum of all parts + operand last - 1 where there is one)
Kernel product_kernel(int parts, int chunks, int segments) {
  Kernel k;
  k.row_counts = 2;
  k.product.parts = parts;
  k.product.chunks = chunks;
  k.product.rows_limit = 1;
  for (int s = 0; s < segments; ++s) {
    k.product.left.push_back(int16_t(2 * s));
    k.product.right.push_back(int16_t(2 * s + 1));
  }
  k.operands = 2 * segments + parts;
  for (int p = 0; p < parts; ++p) {
    k.body.push_back(part(p));
    k.body.push_back(store(2 * p, 2 * segments + p));
  }
  return k;
}

// One product, with everything a call needs; the parts of the result are columns of one wide matrix.
struct Problem {
  int64_t rows, n, multiplied;
  int parts;
  std::vector<Matrix> left, weights, packed;
  std::vector<int64_t> depth;
  Matrix result;

  Problem(int64_t rows, int64_t multiplied, int64_t n, int parts, int chunks, std::vector<int64_t> depth,
          std::mt19937& random)
      : rows(rows),
        n(n),
        multiplied(multiplied),
        parts(parts),
        depth(depth),
        result(rows, n * parts, n * parts + 7) {
    for (int64_t k : depth) {
      left.emplace_back(rows, k, k + 5);
      weights.emplace_back(k, n * parts);
      left.back().fill(random);
      weights.back().fill(random);
      PanelShape shape{parts, chunks, k, n};
      packed.emplace_back(shape.panels(), k * shape.width());
      std::vector<PackPiece> pieces;
      for (int p = 0; p < parts; ++p)
        pieces.push_back({weights.back().data.data() + p * n, n * parts, false, 0, k, p, 0, n});
      pack(shape, pieces, packed.back().data.data(), 0, shape.panels());
    }
  }
  Call call() {
    Call c;
    for (size_t s = 0; s < left.size(); ++s) {
      c.operand(left[s]);
      c.operand(packed[s]);
    }
    for (int p = 0; p < parts; ++p) c.operand(result.data.data() + p * n, result.stride);
    c.rows = {rows, multiplied};
    c.depth = depth;
    c.cols = n;
    return c;
  }
  double exact(int64_t r, int64_t j) const {
    double sum = 0;
    if (r < multiplied)
      for (size_t s = 0; s < left.size(); ++s)
        for (int64_t k = 0; k < depth[s]; ++k) sum += double(left[s](r, k)) * weights[s](k, j);
    return sum;
  }
  void expect_right() const {
    ASSERT_TRUE(result.intact()) << what();
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < n * parts; ++j)
        ASSERT_NEAR(result(r, j), exact(r, j), 2e-5) << what() << r << ", " << j;
  }
  std::string what() const {
    return "rows " + std::to_string(rows) + " n " + std::to_string(n) + " parts " + std::to_string(parts) +
           " k " + std::to_string(depth[0]) + " at ";
  }
};

class ProductOn : public OnTarget {};

TEST_P(ProductOn, EveryShapeIsRight) {
  std::mt19937 random(3);
  for (int parts = 1; parts <= 6; ++parts)
    for (int chunks = 1; chunks <= (parts == 1 ? 4 : 1); ++chunks)
      for (int segments = 1; segments <= 2; ++segments) {
        Kernel kernel = product_kernel(parts, chunks, segments);
        for (int64_t m = 1; m <= 13; ++m)
          for (int sample = 0; sample < 12; ++sample) {
            int64_t n = sample < 4 ? 1 + (16 * sample + int64_t(random() % 16)) : 1 + int64_t(random() % 80);
            std::vector<int64_t> depth{1 + int64_t(random() % 70)};
            if (segments == 2) depth.push_back(int64_t(random() % 40));
            int64_t multiplied = sample % 3 == 2 ? int64_t(random() % uint64_t(m + 1)) : m;
            Problem p(m, multiplied, n, parts, chunks, depth, random);
            run(kernel, p.call());
            p.expect_right();
            if (HasFatalFailure()) return;
          }
      }
}

TEST_P(ProductOn, EveryWidthAndDepthIsRight) {
  std::mt19937 random(4);
  for (int chunks = 1; chunks <= 4; ++chunks) {
    Kernel kernel = product_kernel(1, chunks, 1);
    for (int64_t n = 1; n <= 80; ++n) {
      Problem p(1 + n % 13, 1 + n % 13, n, 1, chunks, {1 + (n * 29) % 70}, random);
      run(kernel, p.call());
      p.expect_right();
    }
    for (int64_t k = 0; k <= 70; ++k) {
      Problem p(1 + k % 7, 1 + k % 7, 1 + (k * 31) % 80, 1, chunks, {k}, random);
      run(kernel, p.call());
      p.expect_right();
    }
  }
}

TEST_P(ProductOn, ARowHasTheSameBitsInEveryBatchAndPartition) {
  std::mt19937 random(5);
  Kernel kernel = product_kernel(3, 1, 2);
  Problem all(40, 40, 37, 3, 1, {53, 20}, random);
  run(kernel, all.call());
  Matrix want = all.result;
  for (int turn = 0; turn < 5; ++turn) {
    all.result = Matrix(40, 37 * 3, 37 * 3 + 7);
    run_in_pieces(kernel, all.call(), random);
    EXPECT_TRUE(all.result.same_bits(want));
  }
  for (int64_t m : {1, 2, 5, 7, 23}) {
    all.rows = all.multiplied = m;
    all.result = Matrix(40, 37 * 3, 37 * 3 + 7);
    run(kernel, all.call());
    for (int64_t r = 0; r < m; ++r)
      for (int64_t j = 0; j < 37 * 3; ++j) ASSERT_EQ(all.result(r, j), want(r, j)) << m << " rows";
  }
}

// Panels longer than 2048 are read in blocks by several tiles at once.
TEST_P(ProductOn, LongPanelsAreCutWithoutChangingABit) {
  std::mt19937 random(13);
  for (int parts : {1, 2}) {
    const int chunks = parts == 1 ? 3 : 1;
    Kernel kernel = product_kernel(parts, chunks, 2);
    const int64_t rows = 113, multiplied = 107, n = 53;
    Problem p(rows, multiplied, n, parts, chunks, {2500, 30}, random);
    for (Matrix& left : p.left)
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t k = 0; k < left.cols; ++k) left(r, k) /= 16;  // so that sums stay as small as elsewhere
    run(kernel, p.call());
    p.expect_right();
    const Matrix want = p.result;
    p.result = Matrix(rows, n * parts, n * parts + 7);
    run_in_pieces(kernel, p.call(), random);
    EXPECT_TRUE(p.result.same_bits(want));
    // as short panels are multiplied: one after the other, each sum going on from the one before
    Problem cut = p;
    cut.depth = {2000, 530};
    cut.left.clear();
    cut.weights.clear();
    cut.packed.clear();
    for (size_t s = 0; s < 2; ++s) {
      const int64_t k = cut.depth[s], before = s == 0 ? 0 : 2000;
      Matrix left(rows, k),
          packed(PanelShape{parts, chunks, k, n}.panels(), k * 16 * (parts > 1 ? parts : chunks));
      Matrix weights(k, n * parts);
      for (int64_t i = 0; i < k; ++i) {
        const int64_t at = before + i;
        const size_t from = at < 2500 ? 0 : 1;
        const int64_t row = at < 2500 ? at : at - 2500;
        for (int64_t r = 0; r < rows; ++r) left(r, i) = p.left[from](r, row);
        for (int64_t j = 0; j < n * parts; ++j) weights(i, j) = p.weights[from](row, j);
      }
      std::vector<PackPiece> pieces;
      for (int part = 0; part < parts; ++part)
        pieces.push_back({weights.data.data() + part * n, n * parts, false, 0, k, part, 0, n});
      const PanelShape shape{parts, chunks, k, n};
      pack(shape, pieces, packed.data.data(), 0, shape.panels());
      cut.left.push_back(left);
      cut.weights.push_back(weights);
      cut.packed.push_back(packed);
    }
    cut.result = Matrix(rows, n * parts, n * parts + 7);
    run(kernel, cut.call());
    EXPECT_TRUE(cut.result.same_bits(want));
  }
}

TEST_P(ProductOn, BodyReadsPartsRowVectorsColumnsAndMatrices) {
  std::mt19937 random(6);
  Kernel k;
  k.operands = 6;
  k.product = {2, 1, {0}, {1}, 0};
  // tanh(part0 + bias) * column + part1 * matrix
  k.body = {part(0),
            part(1),
            load(2, Access::RowVector),
            load(3, Access::ColVector),
            load(4),
            compute(Op::Add, 0, 2),
            compute(Op::Tanh, 5),
            compute(Op::Mul, 6, 3),
            compute(Op::Mul, 1, 4),
            compute(Op::Add, 7, 8),
            store(9, 5)};
  Problem p(9, 9, 21, 2, 1, {30}, random);
  Matrix bias(1, 21), column(9, 1, 3), matrix(9, 21, 30), result(9, 21, 22);
  for (Matrix* m : {&bias, &column, &matrix}) m->fill(random);
  Call call;
  call.operand(p.left[0]).operand(p.packed[0]).operand(bias).operand(column).operand(matrix).operand(result);
  call.rows = {9};
  call.depth = {30};
  call.cols = 21;
  run(k, call);
  EXPECT_TRUE(result.intact());
  for (int64_t r = 0; r < 9; ++r)
    for (int64_t j = 0; j < 21; ++j)
      ASSERT_NEAR(result(r, j),
                  std::tanh(p.exact(r, j) + bias(0, j)) * column(r, 0) + p.exact(r, 21 + j) * matrix(r, j),
                  2e-5);
}

TEST(Product, TargetsWithFmaAgreeToTheBit) {
  std::string reason;
  Jit *one = jit_of("avx512", reason), *other = jit_of("avx2", reason);
  if (!one || !other) GTEST_SKIP() << reason;
  std::mt19937 random(12);
  for (int parts : {1, 3, 4}) {
    Kernel kernel = product_kernel(parts, parts == 1 ? 4 : 1, 2);
    Problem p(23, 20, 45, parts, kernel.product.chunks, {61, 17}, random);
    Call call = p.call();
    KernelArgs args = call.args();
    one->compile(std::span(&kernel, 1))[0](&args, 0, 23);
    Matrix first = p.result;
    other->compile(std::span(&kernel, 1))[0](&args, 0, 23);
    EXPECT_TRUE(p.result.same_bits(first));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ProductOn, kAllTargets, target_name);

}  // namespace
}  // namespace rnnc
