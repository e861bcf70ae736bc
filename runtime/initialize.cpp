// First values of parameters.
#include "runtime/initialize.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "runtime/random.h"

namespace rnnc {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;

// Q of the QR decomposition of a normal matrix, columns' signs chosen so that R has a positive diagonal: then
// Q is uniform over the orthogonal matrices (Mezzadri 2007).
void orthogonal(std::span<float> values, int64_t rows, int64_t cols, const Random& random) {
  const bool wide = rows < cols;
  const int64_t m = wide ? cols : rows, n = wide ? rows : cols;
  Matrix normal(m, n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) normal(i, j) = random.normal(static_cast<uint64_t>(i * n + j));
  const Eigen::HouseholderQR<Matrix> qr(normal);
  Matrix q = qr.householderQ() * Matrix::Identity(m, n);
  for (int64_t j = 0; j < n; ++j)
    if (qr.matrixQR()(j, j) < 0) q.col(j) = -q.col(j);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      values[static_cast<size_t>(i * cols + j)] = static_cast<float>(wide ? q(j, i) : q(i, j));
}

void uniform(std::span<float> values, double bound, const Random& random) {
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(bound * (2.0 * static_cast<double>(random.uniform(i)) - 1.0));
}

void normal(std::span<float> values, double deviation, const Random& random) {
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(deviation * static_cast<double>(random.normal(i)));
}

}  // namespace

void initialize(std::span<float> values, int64_t rows, int64_t cols, InitialValues how, uint64_t seed,
                uint32_t place) {
  if (rows < 0 || cols < 0 || static_cast<int64_t>(values.size()) != rows * cols)
    throw std::invalid_argument("initialize: " + std::to_string(values.size()) + " values for [" +
                                std::to_string(rows) + ", " + std::to_string(cols) + "]");
  if (values.empty()) return;
  const Random random(seed, place);
  const auto in = static_cast<double>(rows), out = static_cast<double>(cols);
  switch (how.kind) {
    case InitialKind::Constant: std::fill(values.begin(), values.end(), static_cast<float>(how.value)); break;
    case InitialKind::Glorot: uniform(values, std::sqrt(6.0 / (in + out)), random); break;
    case InitialKind::He: normal(values, std::sqrt(2.0 / in), random); break;
    case InitialKind::Orthogonal: orthogonal(values, rows, cols, random); break;
    case InitialKind::Identity:
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < cols; ++j) values[static_cast<size_t>(i * cols + j)] = i == j ? 1.0f : 0.0f;
      break;
    case InitialKind::Uniform: uniform(values, how.value, random); break;
    case InitialKind::Normal: normal(values, how.value, random); break;
  }
}

}  // namespace rnnc
