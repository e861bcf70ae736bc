// An LSTM as one writes it by hand with Eigen: gates joined, the input products of all steps in one, weight
// gradients in one. The rival that rnnc's generated code must not lose to.
#pragma once
#include <memory>
#include <span>
#include <vector>

namespace rnnc::bench {

/// One layer, squared error against targets at every step, plain gradient descent. Rows are steps times
/// batch, time after time; gates are joined in the order i, f, g, o. Plain floats at the border: the file
/// behind it is compiled for this machine, where Eigen's own types are laid out differently.
class EigenLstm {
 public:
  EigenLstm(int steps, int batch, int inputs, int hidden);
  ~EigenLstm();

  /// Forward, back-propagation through time and update. Gives the loss: the mean of (h - y)².
  /// x: [steps * batch, inputs], y: [steps * batch, hidden], row after row.
  float train_step(std::span<const float> x, std::span<const float> y, float rate);

  /// Columns gate * hidden .. of W [inputs, 4 hidden], U [hidden, 4 hidden] or b [4 hidden], row after row.
  std::vector<float> get(char parameter, int gate) const;
  void set(char parameter, int gate, std::span<const float> values);

 private:
  struct State;
  std::unique_ptr<State> s_;
};

}  // namespace rnnc::bench
