// Keras's recurrent layers: 80 expected outputs of SimpleRNN, LSTM, GRU, Bidirectional and stacks of cells,
// with masks, first states, states kept between calls, and both directions. Where a layer means what the
// library's `rnn`, `lstm` and `gru` mean, they are used; its options are written as cells here:
//
//   mask          a masked step keeps the state: h' = m n + (1 - m) h, m an input of the cell
//   stateful      the scan carries its state; of both directions, a second scan begins where the first ended
//   merge_mode    two scans and the formula
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/unit/driver/vectors/keras_bindings.h"
#include "tests/unit/driver/vectors/vectors.h"

namespace rnnc::test {
namespace {

constexpr int kCases = 80;

using Json = nlohmann::json;
using Bindings = std::map<std::string, std::string>;

/// A cell by the text that uses it, the text that defines it, and its states.
struct Cell {
  std::string use, definition;
  std::vector<std::string> states;  // the first is its result
  std::vector<std::string> sizes;   // of the states
};

/// GRU with the reset gate before the product, and cells without bias: Keras's own expressions.
Cell unit_of(const KerasLayer& k, const std::string& size) {
  auto gate = [&](const std::string& g) {
    return fmt::format("x @ W{0} + h @ U{0}{1}", g, k.use_bias ? " + b" + g : "");
  };
  auto params = [&](const std::string& gates) {
    std::string text;
    for (const char g : gates) {
      text += fmt::format("  param W{0}: [E, H] = 0\n  param U{0}: [H, H] = 0\n", g);
      if (k.use_bias) text += fmt::format("  param b{0}: [H] = 0\n", g);
    }
    return text;
  };
  if (k.kind == "OneStateRNNCell")
    return {"one[" + size + "]",
            "cell one(x: [E]; h: [H]) {\n"
            "  param W: [E, H] = 1\n  param U: [H, H] = 1\n  h' = x @ W + h @ U\n}\n",
            {"h"},
            {size}};
  if (k.kind == "TwoStatesRNNCell")  // both of its states come from the first one
    return {"two[" + size + "]",
            "cell two(x: [E]; h: [H], q: [H]) {\n  param W: [E, H] = 1\n  param U, V: [H, H] = 1\n"
            "  h' = x @ W + h @ U\n  q' = x @ W + h @ V\n}\n",
            {"h", "q"},
            {size, size}};
  if (k.kind == "SimpleRNN" && k.use_bias) return {"rnn[" + size + "]", "", {"h"}, {size}};
  if (k.kind == "LSTM") {
    const std::vector<std::string> states = {"h", "c"}, sizes = {size, size};
    if (k.use_bias) return {"lstm[" + size + "]", "", states, sizes};
    return {
        "bare_lstm[" + size + "]",
        fmt::format("cell bare_lstm(x: [E]; h: [H], c: [H]) {{\n{}  i  = sigmoid({})\n  f  = sigmoid({})\n"
                    "  g  = tanh({})\n  o  = sigmoid({})\n  c' = f * c + i * g\n  h' = o * tanh(c')\n}}\n",
                    params("ifgo"), gate("i"), gate("f"), gate("g"), gate("o")),
        states, sizes};
  }
  if (k.kind == "GRU" && k.use_bias && k.reset_after) return {"gru[" + size + "]", "", {"h"}, {size}};
  if (k.kind == "GRU") {
    const std::string candidate = k.reset_after ? "x @ Wn + r * (h @ Un)" : "x @ Wn + (r * h) @ Un";
    return {"other_gru[" + size + "]",
            fmt::format("cell other_gru(x: [E]; h: [H]) {{\n{}  z  = sigmoid({})\n  r  = sigmoid({})\n"
                        "  n  = tanh({}{})\n  h' = z * h + (1 - z) * n\n}}\n",
                        params("zrn"), gate("z"), gate("r"), candidate, k.use_bias ? " + bn" : ""),
            {"h"},
            {size}};
  }
  throw std::runtime_error("Keras: no cell for " + k.kind);
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The cell at steps with m = 1; where m is 0 it stands still, and with `zero` its result is 0 there.
Cell masked(const Cell& of, bool zero) {
  std::vector<std::string> ports;
  std::string equations = fmt::format("  n  = {}(x; {})\n", of.use, joined(of.states));
  for (size_t i = 0; i < of.states.size(); ++i) {
    const std::string& s = of.states[i];
    ports.push_back(fmt::format("{}: [{}]", s, of.sizes[i]));
    equations += fmt::format("  {0}' = m * {1} + (1 - m) * {0}\n", s, i == 0 ? "n" : "n." + s);
  }
  if (zero) equations += fmt::format("  y  = m * {}'\n", of.states[0]);
  return {"masked",
          fmt::format("{}cell masked(x: [E], m: []; {}){} {{\n{}}}\n", of.definition, joined(ports),
                      zero ? fmt::format(" -> (y: [{}])", of.sizes[0]) : "", equations),
          of.states, of.sizes};
}

/// Cells of a stack as one cell: at each step every one reads the result of the one before. `a.h1` and the
/// like are the states of the first.
Cell stacked(const std::vector<KerasLayer>& layers) {
  Cell result{"pile", "", {}, {}};
  std::string equations, input = "x";
  std::vector<std::string> ports;
  for (size_t i = layers.size();
       i-- > 0;) {  // the states of the last one first: its result is that of the pile
    const Cell unit = unit_of(layers[i], std::to_string(layers[i].units));
    if (result.definition.find(unit.definition) == std::string::npos) result.definition += unit.definition;
    for (size_t s = 0; s < unit.states.size(); ++s) {
      result.states.push_back(fmt::format("{}{}", unit.states[s], i + 1));
      result.sizes.push_back(unit.sizes[s]);
      ports.push_back(fmt::format("{}: [{}]", result.states.back(), unit.sizes[s]));
    }
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    const Cell unit = unit_of(layers[i], std::to_string(layers[i].units));
    std::vector<std::string> states;
    for (const std::string& s : unit.states) states.push_back(fmt::format("{}{}", s, i + 1));
    const std::string n = fmt::format("n{}", i + 1);
    equations += fmt::format("  {}  = {}({}; {})\n", n, unit.use, input, joined(states));
    for (size_t s = 0; s < states.size(); ++s)
      equations += fmt::format("  {}' = {}{}\n", states[s], n, s == 0 ? "" : "." + unit.states[s]);
    input = layers[i].kind == "TwoStatesRNNCell" ? fmt::format("{0} + {0}.q", n) : n;
  }
  result.definition += fmt::format("cell pile(x: [E]; {}) {{\n{}}}\n", joined(ports), equations);
  return result;
}

/// A model as its scans, and the expression that a case is about.
struct Model {
  std::string scans;
  std::string shown;
  int pieces = 1;
};

std::string scan_of(const std::string& cell, bool masks, const std::vector<std::string>& states = {},
                    const std::string& number = "") {
  std::string text = fmt::format("scan {} over x{}", cell, masks ? ", m" : ""), separator = " from ";
  for (const std::string& s : states) {
    text += fmt::format("{}{} = {}{}", separator, s, s, number.empty() ? "0" : number);
    separator = ", ";
  }
  return text;
}

/// The whole case: see run_keras for the bindings that it reads.
class KerasCase {
 public:
  explicit KerasCase(const Json& json) : subject_(json.at("subject")), expected_(json.at("expected")) {
    for (const auto& [name, value] : json.at("bindings").items()) bindings_[name] = value;
  }

  VectorCase vector() {
    const Array x = python_array(bindings_.at("sequence"));
    VectorCase c;
    c.sizes = {{"E", x.shape.at(2)}};
    c.steps = int32_t(x.shape.at(1));
    c.lengths.assign(size_t(x.shape.at(0)), c.steps);
    c.fields["x"] = x.by_time();
    if (has_mask()) c.fields["m"] = mask().by_time();
    const Model model = read_layer(c);
    c.pieces = model.pieces;
    c.weight = [this](const Parameter& p) { return weight(p); };
    std::string fields = "  x: [T, E] = number(col(1))\n", ports = "x: [T, E]";
    if (has_mask()) {
      fields += "  m: [T] = number(col(1))\n";
      ports += ", m: [T]";
    }
    for (const auto& [name, values] : c.fields) {
      if (name == "x" || name == "m") continue;
      fields += fmt::format("  {}: [{}] = number(col(1))\n", name, units_);
      ports += fmt::format(", {}: [{}]", name, units_);
    }
    c.text = fmt::format(
        "data d {{\n  read \"x.npy\" as npy\n{}{}}}\n{}model m({}) -> (a: [T, {}]) {{\n{}}}\n{}", fields,
        c.pieces > 1 ? fmt::format("  chunk T = {}\n", c.steps) : "", cell_.definition, ports, result_size_,
        model.scans, blocks_of(fmt::format("mean(({})^2)", model.shown), std::array{model.shown}));
    c.wanted = {wanted(size_t(x.shape[0]))};
    return c;
  }

 private:
  bool has_mask() const { return bindings_.contains("mask"); }
  /// `mask`, or the array that the call names instead.
  Array mask() const {
    const PythonCall call = python_call(bindings_.at("output"));
    return python_array(bindings_.at(call.named.at("mask")));
  }

  Model read_layer(VectorCase& c) {
    if (bindings_.contains(
            "stacked_rnn")) {  // two LSTM cells of one unit; Keras begins biases with 0, of f with 1
      if (bindings_.at("rnn_cells") != "[layers.LSTMCell(**cell_kwargs) for _ in range(2)]" ||
          bindings_.at("cell_kwargs") !=
              "dict( units=1, kernel_initializer=\"ones\", recurrent_initializer=\"ones\" )")
        throw std::runtime_error("Keras: other cells than were known");
      KerasLayer lstm;
      lstm.kind = "LSTM";
      lstm.units = 1;
      layer_ = backward_ = lstm;
      return stack_model({lstm, lstm}, false, false);
    }
    std::string text = bindings_.at("layer");
    if (text == "layers.GRU.from_config(config)")  // the configuration is that of the file's first GRU
      text =
          "layers.GRU(3, kernel_initializer=initializers.Constant(0.01), "
          "recurrent_initializer=initializers.Constant(0.02), bias_initializer=initializers.Constant(0.03))";
    const PythonCall call = python_call(text);
    if (call.name == "layers.RNN") {
      std::vector<KerasLayer> layers;
      for (const std::string& cell : python_list(call.positional.at(0))) layers.push_back(keras_layer(cell));
      layer_ = backward_ = layers[0];
      return stack_model(layers, call.named.contains("return_sequences"), call.named.contains("stateful"));
    }
    if (call.name == "layers.Bidirectional") return both_model(c, call);
    layer_ = backward_ = keras_layer(text);
    return one_model(c);
  }

  Model one_model(VectorCase& c) {
    units_ = layer_.units;
    result_size_ = std::to_string(units_);
    cell_ = unit_of(layer_, result_size_);
    if (has_mask()) cell_ = masked(cell_, layer_.zero_output_for_mask);
    std::vector<std::string> given;
    if (bindings_.contains("initial_state")) {
      const std::vector<std::string> arrays = python_list(bindings_.at("initial_state"));
      for (size_t i = 0; i < arrays.size(); ++i) {
        given.push_back(cell_.states.at(i));
        c.fields[given.back() + "0"] = python_array(arrays[i]).data;
      }
    }
    const std::string cell = layer_.go_backwards ? fmt::format("reverse({})", cell_.use) : cell_.use;
    return {fmt::format("  a = {}{}\n", scan_of(cell, has_mask(), given), layer_.stateful ? " carry" : ""),
            layer_.return_sequences ? "a" : "final(a)", layer_.stateful ? 2 : 1};
  }

  Model stack_model(const std::vector<KerasLayer>& layers, bool sequences, bool stateful) {
    result_size_ = std::to_string(layers.back().units);
    cell_ = stacked(layers);
    const bool sums = layers[0].kind == "TwoStatesRNNCell";
    if (has_mask()) cell_ = masked(cell_, false);
    // `state_2[1]` is the second state of the second cell
    std::string shown;
    if (subject_ == "output") {
      shown = sequences ? "a" : "final(a)";
      if (sums) shown = sequences ? "a + a.q2" : "final(a) + final(a.q2)";
    } else {
      const char cell = subject_.at(6);
      const char state = subject_.ends_with("[1]") ? 'q' : 'h';
      shown = cell == '2' && state == 'h' ? "final(a)" : fmt::format("final(a.{}{})", state, cell);
    }
    return {fmt::format("  a = {}{}\n", scan_of(cell_.use, has_mask()), stateful ? " carry" : ""), shown,
            stateful ? 2 : 1};
  }

  Model both_model(VectorCase& c, const PythonCall& call) {
    layer_ = backward_ = keras_layer(bindings_.at("forward_layer"));
    if (call.named.contains("backward_layer")) backward_ = keras_layer(bindings_.at("backward_layer"));
    const std::string merge = call.named.contains("merge_mode") ? call.named.at("merge_mode") : "\"concat\"";
    units_ = layer_.units;
    result_size_ = std::to_string(units_);
    cell_ = unit_of(layer_, result_size_);
    if (has_mask()) cell_ = masked(cell_, false);
    const std::string both = fmt::format("both({})", cell_.use);
    const std::string reverse = fmt::format("reverse({})", cell_.use);
    if (layer_.stateful) {  // called twice: both directions begin where they ended
      std::string scans = fmt::format("  let u = {}\n  let w = {}\n", cell_.use, reverse);
      for (const auto& [name, cell] : {std::pair{"f", "u"}, {"b", "w"}})
        scans += fmt::format("  {0} = {1}\n  {0}2 = {1} from {0}\n", name, scan_of(cell, has_mask()));
      return {scans + "  a = f2\n", "concat(final(f2), final(b2))"};
    }
    std::vector<std::string> given;
    if (bindings_.contains("initial_state")) {  // of the forward layer, then of the other
      const std::vector<std::string> arrays = python_list(bindings_.at("initial_state"));
      for (size_t i = 0; i < cell_.states.size(); ++i) {
        given.push_back(cell_.states[i]);
        c.fields[given.back() + "0"] = python_array(arrays.at(i)).data;
        c.fields[given.back() + "1"] = python_array(arrays.at(cell_.states.size() + i)).data;
      }
    }
    if (merge == "\"concat\"" && given.empty() && subject_ == "output") {
      result_size_ = std::to_string(2 * units_);
      return {fmt::format("  a = {}\n", scan_of(both, has_mask())), "final(a)"};
    }
    static const std::map<std::string, std::string> merges = {{"\"concat\"", "concat({}, {})"},
                                                              {"\"ave\"", "({} + {}) / 2"},
                                                              {"\"sum\"", "{} + {}"},
                                                              {"\"mul\"", "{} * {}"}};
    static const std::map<std::string, std::string> subjects = {
        {"output1", "final(a)"}, {"output2", "final(b)"}, {"h1", "final(a)"},
        {"c1", "final(a.c)"},    {"h2", "final(b)"},      {"c2", "final(b.c)"}};
    Model model{fmt::format("  a = {}\n  b = {}\n", scan_of(cell_.use, has_mask(), given),
                            scan_of(reverse, has_mask(), given, "1")),
                ""};
    if (subject_ != "output") model.shown = subjects.at(subject_);
    else if (layer_.return_sequences) model.shown = fmt::format(fmt::runtime(merges.at(merge)), "a", "b");
    else model.shown = fmt::format(fmt::runtime(merges.at(merge)), "final(a)", "final(b)");
    return model;
  }

  /// Constants, by the last word of the name: W the kernel, U and V the recurrent one, b and d the biases.
  std::vector<double> weight(const Parameter& p) const {
    const bool second = p.name.starts_with("b.") || p.name.starts_with("w.") ||
                        p.name.find(".backward.") != std::string::npos;
    const KerasLayer& k = second ? backward_ : layer_;
    const std::string name = p.name.substr(p.name.rfind('.') + 1);
    double value = 0;
    if (name[0] == 'W') value = k.kernel;
    else if (name[0] == 'U' || name[0] == 'V') value = k.recurrent;
    else if (name[0] == 'b' || name[0] == 'd') value = k.bias;
    else throw std::runtime_error("Keras: no number for " + p.name);
    if (name == "bf" && k.unit_forget_bias) value = 1;
    if (k.kind == "GRU" && k.reset_after && (name == "bz" || name == "br")) value *= 2;  // two biases, added
    return std::vector<double>(size_t(p.rows) * size_t(p.cols), value);
  }

  /// [rows, columns], [rows, T, columns], or for `output[0]` row 0: [T, columns].
  Wanted wanted(size_t rows) const {
    Wanted w;
    Array array;
    for (const Json* level = &expected_; level->is_array(); level = &level->at(0))
      array.shape.push_back(int64_t(level->size()));
    for (const Json& number : expected_.flatten()) array.data.push_back(number);
    if (array.data.empty() || array.shape.empty()) throw std::runtime_error("Keras: nothing expected");
    if (subject_.starts_with("output[")) w.row = subject_.at(7) - '0';
    else if (size_t(array.shape[0]) != rows) throw std::runtime_error("Keras: other rows than expected");
    w.values = array.shape.size() == 3 ? array.by_time() : array.data;
    return w;
  }

  std::string subject_;
  Json expected_;
  Bindings bindings_;
  KerasLayer layer_, backward_;
  Cell cell_;
  int units_ = 0;
  std::string result_size_;
};

Outcome run_keras(const std::filesystem::path& path, int number) {
  const Json& json = cases_of(path, kCases).at(size_t(number));
  KerasCase c(json);
  // They print seven digits, of the last test four.
  const bool short_digits = json.at("test") == "test_stacked_lstm_cell_mask";
  return run_case(c.vector(), short_digits ? 5e-5 : 2e-6, short_digits ? 5e-5 : 3e-6);
}

class KerasVectors : public testing::TestWithParam<int> {};

TEST_P(KerasVectors, Agrees) {
  VectorFile& file = keras_vectors();
  if (!file.missing().empty()) GTEST_SKIP() << file.missing();
  const Json& json = cases_of(file.path(), kCases).at(size_t(GetParam()));
  SCOPED_TRACE(json.dump(1));
  expect_passes(file.outcome(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, KerasVectors, testing::Range(0, kCases));

}  // namespace

VectorFile& keras_vectors() {
  static VectorFile file("keras_rnn.json", kCases, run_keras);
  return file;
}

}  // namespace rnnc::test
