// See lstm_eigen.h. Hochreiter, Schmidhuber 1997 with the forget gate of Gers et al. 2000.
#include "bench/lstm_eigen.h"

namespace rnnc::bench {

EigenLstm::EigenLstm(int steps, int batch, int inputs, int hidden)
    : W(Matrix::Random(inputs, 4 * hidden) * 0.1f),
      U(Matrix::Random(hidden, 4 * hidden) * 0.1f),
      b(Vector::Zero(4 * hidden)),
      T_(steps),
      B_(batch),
      H_(hidden),
      gates_(steps * batch, 4 * hidden),
      c_(steps * batch, hidden),
      h_(steps * batch, hidden),
      d_(steps * batch, 4 * hidden),
      dh_(batch, hidden),
      dc_(batch, hidden) {
  b.segment(hidden, hidden).setOnes();  // the forget gate starts open
}

float EigenLstm::train_step(const Matrix& x, const Matrix& y, float rate) {
  const auto rows = [&](Matrix& m, int t) { return m.middleRows(t * B_, B_); };
  const auto sigmoid = [](const auto& a) { return (1.0f + (-a).exp()).inverse(); };
  gates_.noalias() = x * W;
  for (int t = 0; t < T_; ++t) {
    auto z = rows(gates_, t);
    if (t > 0) z.noalias() += rows(h_, t - 1) * U;
    z.rowwise() += b;
    z.leftCols(2 * H_) = sigmoid(z.leftCols(2 * H_).array()).matrix();
    z.middleCols(2 * H_, H_) = z.middleCols(2 * H_, H_).array().tanh().matrix();
    z.rightCols(H_) = sigmoid(z.rightCols(H_).array()).matrix();
    auto c = rows(c_, t).array();
    c = z.leftCols(H_).array() * z.middleCols(2 * H_, H_).array();
    if (t > 0) c += z.middleCols(H_, H_).array() * rows(c_, t - 1).array();
    rows(h_, t) = (z.rightCols(H_).array() * c.tanh()).matrix();
  }
  const float scale = 2.0f / float(h_.size());
  const float loss = (h_ - y).squaredNorm() / float(h_.size());

  for (int t = T_ - 1; t >= 0; --t) {
    const auto z = rows(gates_, t);
    const auto i = z.leftCols(H_).array(), f = z.middleCols(H_, H_).array();
    const auto g = z.middleCols(2 * H_, H_).array(), o = z.rightCols(H_).array();
    if (t == T_ - 1) {
      dh_.setZero();
      dc_.setZero();
    } else {
      dh_.noalias() = rows(d_, t + 1) * U.transpose();
    }
    dh_ += scale * (rows(h_, t) - y.middleRows(t * B_, B_));
    const Matrix tc = rows(c_, t).array().tanh().matrix();
    dc_.array() += dh_.array() * o * (1.0f - tc.array().square());
    auto d = rows(d_, t);
    d.leftCols(H_) = (dc_.array() * g * i * (1.0f - i)).matrix();
    if (t > 0) d.middleCols(H_, H_) = (dc_.array() * rows(c_, t - 1).array() * f * (1.0f - f)).matrix();
    else d.middleCols(H_, H_).setZero();
    d.middleCols(2 * H_, H_) = (dc_.array() * i * (1.0f - g.square())).matrix();
    d.rightCols(H_) = (dh_.array() * tc.array() * o * (1.0f - o)).matrix();
    dc_.array() *= f;
  }
  W.noalias() -= rate * (x.transpose() * d_);
  if (T_ > 1) U.noalias() -= rate * (h_.topRows((T_ - 1) * B_).transpose() * d_.bottomRows((T_ - 1) * B_));
  b -= rate * d_.colwise().sum();
  return loss;
}

}  // namespace rnnc::bench
