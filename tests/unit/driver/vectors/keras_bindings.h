// What the bindings of a case of keras_rnn.json say: Python expressions of a small form, read here so that no
// number of a case stands in our tests. What is not known is refused, so that no option is overlooked.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace rnnc::test {

/// `NAME(positional, ..., KEY=value, ...)`; `text` is all of it.
struct PythonCall {
  std::string text, name;
  std::vector<std::string> positional;
  std::map<std::string, std::string> named;
};
PythonCall python_call(const std::string& text);
/// The elements of `[a, b, ...]`, or the text itself as the only one.
std::vector<std::string> python_list(const std::string& text);

/// np.arange(24).reshape((2, 3, 4)).astype("float32") * 2, np.ones((2, 3)), np.array([[True, False], ...])
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> data;
  /// [rows, T, columns] to [T, rows, columns]; of [rows, T] the columns are 1.
  std::vector<double> by_time() const;
};
Array python_array(const std::string& text);

/// A recurrent layer, or one cell of a stack.
struct KerasLayer {
  std::string kind;  // SimpleRNN, LSTM, GRU, OneStateRNNCell, TwoStatesRNNCell
  int units = 0;
  double kernel = 1, recurrent = 1, bias = 0;
  bool use_bias = true, unit_forget_bias = true, reset_after = true;
  bool go_backwards = false, return_sequences = false, zero_output_for_mask = false, stateful = false;
};
KerasLayer keras_layer(const std::string& text);

}  // namespace rnnc::test
