// See keras_bindings.h.
#include "tests/unit/driver/vectors/keras_bindings.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <stdexcept>

namespace rnnc::test {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

[[noreturn]] void unknown(const std::string& what) {
  throw std::runtime_error("Keras: what is `" + what + "`?");
}

/// The bracket that closes the one at `open`.
size_t closing(const std::string& text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '[') ++depth;
    if ((text[i] == ')' || text[i] == ']') && --depth == 0) return i;
  }
  unknown(text);
}

/// Cut at the commas that no bracket holds; a last empty piece is none.
std::vector<std::string> at_commas(const std::string& text) {
  std::vector<std::string> pieces;
  int depth = 0;
  std::string piece;
  for (const char letter : text + ",") {
    if (letter == '(' || letter == '[') ++depth;
    if (letter == ')' || letter == ']') --depth;
    if (letter != ',' || depth > 0) {
      piece += letter;
      continue;
    }
    if (!trimmed(piece).empty()) pieces.push_back(trimmed(piece));
    piece.clear();
  }
  return pieces;
}

/// `initializers.Constant(0.01)` or `"ones"`.
double initial(const std::string& text) {
  if (text == "\"ones\"") return 1;
  const PythonCall call = python_call(text);
  if (call.name != "initializers.Constant") unknown(text);
  return std::stod(call.positional.at(0));
}

bool yes(const std::string& text) {
  if (text != "True" && text != "False") unknown(text);
  return text == "True";
}

}  // namespace

PythonCall python_call(const std::string& text) {
  const size_t open = text.find('(');
  if (open == std::string::npos || closing(text, open) != text.size() - 1) unknown(text);
  PythonCall call{text, text.substr(0, open), {}, {}};
  for (const std::string& piece : at_commas(text.substr(open + 1, text.size() - open - 2))) {
    const size_t equals = piece.find('=');
    const bool named = equals != std::string::npos && piece.find_first_of("([") > equals;
    if (named) call.named[piece.substr(0, equals)] = piece.substr(equals + 1);
    else call.positional.push_back(piece);
  }
  return call;
}

std::vector<std::string> python_list(const std::string& text) {
  if (text[0] != '[') return {text};
  return at_commas(text.substr(1, closing(text, 0) - 1));
}

std::vector<double> Array::by_time() const {
  const int64_t rows = shape.at(0), steps = shape.at(1), cols = shape.size() > 2 ? shape[2] : 1;
  std::vector<double> result;
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t row = 0; row < rows; ++row) {
      const auto first = data.begin() + (row * steps + t) * cols;
      result.insert(result.end(), first, first + cols);
    }
  }
  return result;
}

Array python_array(const std::string& text) {
  Array array;
  if (text.starts_with("np.array(")) {
    const std::vector<std::string> rows = python_list(python_call(text).positional.at(0));
    for (const std::string& row : rows) {
      const std::vector<std::string> numbers = python_list(row);
      array.shape = {int64_t(rows.size()), int64_t(numbers.size())};
      for (const std::string& n : numbers) array.data.push_back(yes(n) ? 1 : 0);
    }
    return array;
  }
  auto size_list = [](const std::string& sizes) {  // of `((2, 3))`, from the inner bracket on
    std::vector<int64_t> result;
    for (const std::string& size : at_commas(sizes.substr(1, closing(sizes, 0) - 1)))
      result.push_back(std::stoll(size));
    return result;
  };
  if (text.starts_with("np.ones(")) {
    array.shape = size_list(python_call(text).positional.at(0));
    array.data.assign(size_t(std::accumulate(array.shape.begin(), array.shape.end(), 1LL, std::multiplies{})),
                      1);
    return array;
  }
  static const std::string begin = "np.arange(", reshape = ").reshape(", type = ").astype(\"float32\")";
  const size_t second = text.find(reshape), third = text.find(type);
  if (!text.starts_with(begin) || second == std::string::npos || third == std::string::npos) unknown(text);
  array.shape = size_list(text.substr(second + reshape.size()));
  array.data.resize(std::stoul(text.substr(begin.size())));
  std::iota(array.data.begin(), array.data.end(), 0);
  const std::string rest = trimmed(text.substr(third + type.size()));
  if (rest.starts_with("* ")) {
    for (double& v : array.data) v *= std::stod(rest.substr(2));
  } else if (!rest.empty()) {
    unknown(text);
  }
  return array;
}

KerasLayer keras_layer(const std::string& text) {
  static const std::set<std::string> kinds = {"layers.SimpleRNN", "layers.LSTM", "layers.GRU",
                                              "OneStateRNNCell", "TwoStatesRNNCell"};
  const PythonCall call = python_call(text);
  if (!kinds.contains(call.name)) unknown(text);
  KerasLayer layer;
  layer.kind = call.name.substr(call.name.find('.') + 1);
  layer.units = std::stoi(call.positional.at(0));
  for (const auto& [key, value] : call.named) {
    if (key == "kernel_initializer") layer.kernel = initial(value);
    else if (key == "recurrent_initializer") layer.recurrent = initial(value);
    else if (key == "bias_initializer") layer.bias = initial(value);
    else if (key == "use_bias") layer.use_bias = yes(value);
    else if (key == "unit_forget_bias") layer.unit_forget_bias = yes(value);
    else if (key == "reset_after") layer.reset_after = yes(value);
    else if (key == "go_backwards") layer.go_backwards = yes(value);
    else if (key == "return_sequences") layer.return_sequences = yes(value);
    else if (key == "zero_output_for_mask") layer.zero_output_for_mask = yes(value);
    else if (key == "stateful") layer.stateful = yes(value);
    else if (key != "return_state" && key != "unroll" &&
             key != "implementation")  // of no meaning for the numbers
      unknown(key);
  }
  return layer;
}

}  // namespace rnnc::test
