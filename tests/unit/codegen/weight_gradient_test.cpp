// Weight gradients: sums over segments of rows, the same bits however the rows are cut.
#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

Kernel gradient_kernel(int chunks) {
  Kernel k;
  k.kind = KernelKind::WeightGradient;
  k.operands = 3;
  k.chunks = chunks;
  return k;
}

Call gradient_call(Matrix& x, Matrix& d, Matrix& dw, std::vector<Segment> segments) {
  Call call;
  call.operand(x).operand(d).operand(dw);
  call.rows = {0};
  call.depth = {dw.rows};
  call.cols = dw.cols;
  call.segments = std::move(segments);
  return call;
}

class WeightGradientOn : public OnTarget {};

TEST_P(WeightGradientOn, EveryShapeIsRight) {
  std::mt19937 random(7);
  for (int chunks = 1; chunks <= 4; ++chunks)
    for (int sample = 0; sample < 150; ++sample) {
      int64_t k = 1 + sample % 17, n = 1 + int64_t(random() % 80);
      Matrix x(60, k, k + 3), d(60, n, n + 2), dw(k, n, n + 9);
      x.fill(random);
      d.fill(random);
      // rows a .. of x meet rows b .. of d; one segment is empty
      std::vector<Segment> segments{{3, 20, int64_t(random() % 17)}, {0, 0, 0}, {31, 1, 12}};
      run(gradient_kernel(chunks), gradient_call(x, d, dw, segments));
      ASSERT_TRUE(dw.intact());
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < n; ++j) {
          double sum = 0;
          for (const Segment& s : segments)
            for (int64_t r = 0; r < s.n; ++r) sum += double(x(s.a + r, i)) * d(s.b + r, j);
          ASSERT_NEAR(dw(i, j), sum, 1e-5)
              << k << "x" << n << " in " << chunks << " chunks at " << i << ", " << j;
        }
    }
}

TEST_P(WeightGradientOn, WithoutRowsItIsZero) {
  Matrix x(1, 5), d(1, 18), dw(5, 18, 20);
  std::mt19937 random(8);
  x.fill(random);
  d.fill(random);
  run(gradient_kernel(2), gradient_call(x, d, dw, {{0, 0, 0}}));
  EXPECT_TRUE(dw.intact());
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < 18; ++j) EXPECT_EQ(dw(i, j), 0);
}

TEST_P(WeightGradientOn, CutsOfRowsAndOfUnitsChangeNoBit) {
  std::mt19937 random(9);
  int64_t k = 31, n = 75, rows = 700;
  Matrix x(rows, k), d(rows, n), want(k, n, 80);
  x.fill(random);
  d.fill(random);
  Kernel kernel = gradient_kernel(4);
  run(kernel, gradient_call(x, d, want, {{0, 0, rows}}));
  for (int turn = 0; turn < 6; ++turn) {
    std::vector<Segment> segments;
    for (int64_t r = 0; r < rows;) {
      int64_t count = std::min<int64_t>(rows - r, int64_t(random() % 150));
      segments.push_back({r, r, count});
      r += count;
    }
    Matrix dw(k, n, 80);
    run_in_pieces(kernel, gradient_call(x, d, dw, segments), random);
    EXPECT_TRUE(dw.same_bits(want));
  }
}

// Columns of a wide left operand are packed together, those of a narrow one are read where they lie.
TEST_P(WeightGradientOn, AWideLeftOperandGivesTheBitsOfANarrowOne) {
  std::mt19937 random(10);
  const int64_t rows = 300;
  for (int chunks = 1; chunks <= 4; ++chunks)
    for (int64_t k : {1, 131, 300})
      for (int64_t n : {7, 70}) {
        Matrix narrow(rows, k), wide(rows, k, 600), d(rows, n), want(k, n, 80), dw(k, n, 80);
        narrow.fill(random);
        d.fill(random);
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t c = 0; c < k; ++c) wide(r, c) = narrow(r, c);
        Kernel kernel = gradient_kernel(chunks);
        run(kernel, gradient_call(narrow, d, want, {{0, 0, rows}}));
        run_in_pieces(kernel, gradient_call(wide, d, dw, {{0, 0, 50}, {50, 50, 20}, {70, 70, 230}}), random);
        EXPECT_TRUE(dw.same_bits(want)) << k << "x" << n << " in " << chunks << " chunks";
      }
}

INSTANTIATE_TEST_SUITE_P(Targets, WeightGradientOn, kAllTargets, target_name);

}  // namespace
}  // namespace rnnc
