// First values of parameters: bounds, deviations, orthogonality, and that they depend on the place only.
#include "runtime/initialize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/random.h"

namespace rnnc {
namespace {

std::vector<float> values(int64_t rows, int64_t cols, InitialValues how, uint64_t seed = 1,
                          uint32_t place = 2) {
  std::vector<float> v(static_cast<size_t>(rows * cols), -7.0f);
  initialize(v, rows, cols, how, seed, place);
  return v;
}

double deviation(const std::vector<float>& v) {
  double squares = 0;
  for (const float x : v) squares += double{x} * x;
  return std::sqrt(squares / static_cast<double>(v.size()));
}

double largest(const std::vector<float>& v) {
  return std::abs(*std::ranges::max_element(v, {}, [](float x) { return std::abs(x); }));
}

TEST(Initialize, GlorotIsUniformWithinItsBound) {
  const std::vector<float> v = values(100, 200, {InitialKind::Glorot});
  const double bound = std::sqrt(6.0 / 300);
  EXPECT_LE(largest(v), bound);
  EXPECT_GT(largest(v), 0.999 * bound);
  EXPECT_NEAR(deviation(v), bound / std::sqrt(3.0), 0.01 * bound);
}

TEST(Initialize, HeNormalUniform) {
  EXPECT_NEAR(deviation(values(100, 200, {InitialKind::He})), std::sqrt(2.0 / 100), 0.002);
  EXPECT_NEAR(deviation(values(100, 200, {InitialKind::Normal, 0.1})), 0.1, 0.002);
  EXPECT_LE(largest(values(100, 200, {InitialKind::Uniform, 0.25})), 0.25);
  EXPECT_GT(largest(values(100, 200, {InitialKind::Uniform, 0.25})), 0.249);
}

TEST(Initialize, ConstantAndIdentity) {
  EXPECT_EQ(values(2, 2, {InitialKind::Constant, 1.5}), (std::vector<float>{1.5f, 1.5f, 1.5f, 1.5f}));
  EXPECT_EQ(values(2, 3, {InitialKind::Identity}), (std::vector<float>{1, 0, 0, 0, 1, 0}));
}

void expect_orthogonal(int64_t rows, int64_t cols) {
  const std::vector<float> v = values(rows, cols, {InitialKind::Orthogonal});
  const bool wide = rows < cols;
  const int64_t n = wide ? rows : cols, m = wide ? cols : rows;
  const auto at = [&](int64_t i, int64_t j) {
    return double{v[static_cast<size_t>(wide ? j * cols + i : i * cols + j)]};
  };
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b < n; ++b) {
      double product = 0;
      for (int64_t i = 0; i < m; ++i) product += at(i, a) * at(i, b);
      EXPECT_NEAR(product, a == b ? 1.0 : 0.0, 1e-6) << rows << " x " << cols;
    }
}

TEST(Initialize, OrthogonalSquareTallWideVector) {
  expect_orthogonal(64, 64);
  expect_orthogonal(40, 7);
  expect_orthogonal(7, 40);
  expect_orthogonal(5, 1);
  expect_orthogonal(1, 1);
}

TEST(Initialize, OrthogonalIsNotBiasedToOneSign) {
  int positive = 0;
  for (uint64_t seed = 0; seed < 400; ++seed)
    positive += values(3, 3, {InitialKind::Orthogonal}, seed)[0] > 0;
  EXPECT_NEAR(positive, 200, 60);
}

TEST(Initialize, DependsOnSeedAndPlace) {
  const InitialValues how{InitialKind::Normal, 1};
  EXPECT_EQ(values(3, 4, how, 1, 2), values(3, 4, how, 1, 2));
  EXPECT_NE(values(3, 4, how, 1, 2), values(3, 4, how, 2, 2));
  EXPECT_NE(values(3, 4, how, 1, 2), values(3, 4, how, 1, 3));
  EXPECT_THROW(values(3, -1, how), std::exception);
  std::vector<float> wrong(5);
  EXPECT_THROW(initialize(wrong, 2, 3, how, 0, 0), std::invalid_argument);
  std::vector<float> none;
  initialize(none, 0, 3, how, 0, 0);
}

}  // namespace
}  // namespace rnnc
