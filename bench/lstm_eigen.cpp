// See lstm_eigen.h. Hochreiter, Schmidhuber 1997 with the forget gate of Gers et al. 2000.
#include "bench/lstm_eigen.h"

#include <Eigen/Dense>

namespace rnnc::bench {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::RowVectorXf;

}  // namespace

struct EigenLstm::State {
  Matrix W, U;
  Vector b;
  int steps, batch, hidden;
  Matrix gates, c, h, d, dh, dc;
};

EigenLstm::EigenLstm(int steps, int batch, int inputs, int hidden)
    : s_(new State{Matrix::Random(inputs, 4 * hidden) * 0.1f, Matrix::Random(hidden, 4 * hidden) * 0.1f,
                   Vector::Zero(4 * hidden), steps, batch, hidden, Matrix(steps * batch, 4 * hidden),
                   Matrix(steps * batch, hidden), Matrix(steps * batch, hidden),
                   Matrix(steps * batch, 4 * hidden), Matrix(batch, hidden), Matrix(batch, hidden)}) {
  s_->b.segment(hidden, hidden).setOnes();  // the forget gate starts open
}
EigenLstm::~EigenLstm() = default;

std::vector<float> EigenLstm::get(char parameter, int gate) const {
  const auto columns = [&](const auto& m) {
    const Matrix part = m.middleCols(gate * s_->hidden, s_->hidden);
    return std::vector<float>(part.data(), part.data() + part.size());
  };
  return parameter == 'W' ? columns(s_->W) : parameter == 'U' ? columns(s_->U) : columns(s_->b);
}
void EigenLstm::set(char parameter, int gate, std::span<const float> values) {
  const auto columns = [&](auto& m) {
    m.middleCols(gate * s_->hidden, s_->hidden) =
        Eigen::Map<const Matrix>(values.data(), m.rows(), s_->hidden);
  };
  if (parameter == 'W') columns(s_->W);
  else if (parameter == 'U') columns(s_->U);
  else columns(s_->b);
}

float EigenLstm::train_step(std::span<const float> x_values, std::span<const float> y_values, float rate) {
  auto& [W, U, b, T_, B_, H_, gates_, c_, h_, d_, dh_, dc_] = *s_;
  const int T = T_, B = B_, H = H_;
  const Eigen::Map<const Matrix> x(x_values.data(), T * B, W.rows()), y(y_values.data(), T * B, H);
  const auto rows = [&](Matrix& m, int t) { return m.middleRows(t * B, B); };
  const auto sigmoid = [](const auto& a) { return (1.0f + (-a).exp()).inverse(); };
  gates_.noalias() = x * W;
  for (int t = 0; t < T; ++t) {
    auto z = rows(gates_, t);
    if (t > 0) z.noalias() += rows(h_, t - 1) * U;
    z.rowwise() += b;
    z.leftCols(2 * H) = sigmoid(z.leftCols(2 * H).array()).matrix();
    z.middleCols(2 * H, H) = z.middleCols(2 * H, H).array().tanh().matrix();
    z.rightCols(H) = sigmoid(z.rightCols(H).array()).matrix();
    auto c = rows(c_, t).array();
    c = z.leftCols(H).array() * z.middleCols(2 * H, H).array();
    if (t > 0) c += z.middleCols(H, H).array() * rows(c_, t - 1).array();
    rows(h_, t) = (z.rightCols(H).array() * c.tanh()).matrix();
  }
  const float scale = 2.0f / float(h_.size());
  const float loss = (h_ - y).squaredNorm() / float(h_.size());

  for (int t = T - 1; t >= 0; --t) {
    const auto z = rows(gates_, t);
    const auto i = z.leftCols(H).array(), f = z.middleCols(H, H).array();
    const auto g = z.middleCols(2 * H, H).array(), o = z.rightCols(H).array();
    if (t == T - 1) {
      dh_.setZero();
      dc_.setZero();
    } else {
      dh_.noalias() = rows(d_, t + 1) * U.transpose();
    }
    dh_ += scale * (rows(h_, t) - y.middleRows(t * B, B));
    const Matrix tc = rows(c_, t).array().tanh().matrix();
    dc_.array() += dh_.array() * o * (1.0f - tc.array().square());
    auto d = rows(d_, t);
    d.leftCols(H) = (dc_.array() * g * i * (1.0f - i)).matrix();
    if (t > 0) d.middleCols(H, H) = (dc_.array() * rows(c_, t - 1).array() * f * (1.0f - f)).matrix();
    else d.middleCols(H, H).setZero();
    d.middleCols(2 * H, H) = (dc_.array() * i * (1.0f - g.square())).matrix();
    d.rightCols(H) = (dh_.array() * tc.array() * o * (1.0f - o)).matrix();
    dc_.array() *= f;
  }
  W.noalias() -= rate * (x.transpose() * d_);
  if (T > 1) U.noalias() -= rate * (h_.topRows((T - 1) * B).transpose() * d_.bottomRows((T - 1) * B));
  b -= rate * d_.colwise().sum();
  return loss;
}

}  // namespace rnnc::bench
