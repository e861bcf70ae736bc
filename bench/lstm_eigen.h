// An LSTM as one writes it by hand with Eigen: gates joined, the input products of all steps in one, weight
// gradients in one. The rival that rnnc's generated code must not lose to.
#pragma once
#include <Eigen/Dense>
#include <vector>

namespace rnnc::bench {

/// One layer, squared error against targets at every step, plain gradient descent. Rows are steps times
/// batch, time after time; gates are joined in the order i, f, g, o.
class EigenLstm {
 public:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::RowVectorXf;

  EigenLstm(int steps, int batch, int inputs, int hidden);

  /// Forward, back-propagation through time and update. Gives the loss: the mean of (h - y)².
  float train_step(const Matrix& x, const Matrix& y, float rate);

  Matrix W, U;  // [inputs, 4 hidden], [hidden, 4 hidden]
  Vector b;     // [4 hidden]

 private:
  int T_, B_, H_;
  Matrix gates_, c_, h_, d_, dh_, dc_;
};

}  // namespace rnnc::bench
