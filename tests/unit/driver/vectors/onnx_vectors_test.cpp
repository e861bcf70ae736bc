// ONNX Runtime's recurrent operators: 63 cases with peepholes, clipping, coupled gates, other activations,
// first states, both directions and rows of unequal length, also of none. The operators' formulas are written
// as cells here, with the options of each case as text:
//
//   LSTM   i = f(x Wi + h Ri + pi c + bi + di)        gates in the order i, o, f, c; peepholes i, o, f
//   GRU    n = g(x Wn + bn + (r h) Rn + dn), with linear_before_reset g(x Wn + bn + r (h Rn + dn))
//   RNN    h' = f(x W + h R + b + d)
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "tests/unit/driver/vectors/vectors.h"

namespace rnnc::test {
namespace {

constexpr int kCases = 63;

using Json = nlohmann::json;

/// What a case says, and the text and numbers that come from it.
class OnnxCase {
 public:
  explicit OnnxCase(const Json& json)
      : op_(json.at("op")),
        attrs_(json.at("attrs")),
        inputs_(json.at("inputs")),
        outputs_(json.at("outputs")) {
    for (const auto& [name, value] : attrs_.items()) {
      static const std::vector<std::string> known = {"activations", "direction",    "hidden_size",
                                                     "clip",        "input_forget", "linear_before_reset"};
      if (std::ranges::find(known, name) == known.end())
        throw std::runtime_error("unknown attribute " + name);
    }
    const std::vector<int64_t> x = inputs_.at("X").at("shape");
    steps_ = x[0];
    rows_ = x[1];
    width_ = attrs_.at("hidden_size");
    both_ = attrs_.at("direction") == "bidirectional";
    names_ = op_ == "LSTM" ? "iofc" : op_ == "GRU" ? "zrn" : "h";
  }

  VectorCase vector() const {
    VectorCase c;
    c.sizes = {{"E", inputs_.at("X").at("shape")[2]}};
    c.steps = int32_t(steps_);
    c.lengths.assign(size_t(rows_), steps_);
    if (has("sequence_lens")) c.lengths = inputs_.at("sequence_lens").at("data").get<std::vector<int64_t>>();
    c.fields["x"] = input("X");
    for (const std::string state : {"h", "c"}) {
      if (!has("initial_" + state)) continue;
      const std::vector<double> all = input("initial_" + state);  // [directions, rows, H]
      for (int direction = 0; direction <= int(both_); ++direction) {
        const auto first = all.begin() + direction * rows_ * width_;
        c.fields[fmt::format("{}{}", state, direction)].assign(first, first + rows_ * width_);
      }
    }
    c.weight = [this](const Parameter& p) { return weight(p); };
    std::vector<std::string> shows;
    for (const auto& [name, show] : {std::pair{"Y", "y"}, {"Y_h", "yh"}, {"Y_c", "yc"}}) {
      if (!outputs_.contains(name) || outputs_.at(name).is_null()) continue;
      c.wanted.push_back({output(name)});
      shows.emplace_back(show);
    }
    c.text = fmt::format("dim H = {}\n", width_) + data_text() + cell_text() + model_text() +
             blocks_of("mean(y^2)", shows);
    return c;
  }

 private:
  bool has(const std::string& name) const { return inputs_.contains(name) && !inputs_.at(name).is_null(); }
  std::vector<double> input(const std::string& name) const { return inputs_.at(name).at("data"); }
  bool is_set(const char* attribute) const { return attrs_.value(attribute, 0) != 0; }

  /// [T, directions, rows, H], or without T, to [T, rows, directions * H].
  std::vector<double> output(const std::string& name) const {
    const std::vector<double> all = outputs_.at(name).at("data");
    const int64_t directions = both_ ? 2 : 1, steps = int64_t(all.size()) / (directions * rows_ * width_);
    std::vector<double> result;
    for (int64_t t = 0; t < steps; ++t) {
      for (int64_t row = 0; row < rows_; ++row) {
        for (int64_t direction = 0; direction < directions; ++direction) {
          const auto first = all.begin() + ((t * directions + direction) * rows_ + row) * width_;
          result.insert(result.end(), first, first + width_);
        }
      }
    }
    return result;
  }

  /// `y.cell.forward.Wi`, or `b.cell.Wi` of the second scan: W and R [directions, gates * H, E or H] stand
  /// transposed in the language; B is [directions, 2 * gates * H], P [directions, 3 * H].
  std::vector<double> weight(const Parameter& p) const {
    const bool backward = p.name.starts_with("b.") || p.name.find(".backward.") != std::string::npos;
    const std::string name = p.name.substr(p.name.rfind('.') + 1);
    const int64_t gates = int64_t(names_.size()), gate = int64_t(names_.find(name.back()));
    std::vector<double> result;
    if (name[0] == 'W' || name[0] == 'R') {
      const std::vector<double> all = input(name.substr(0, 1));
      for (int64_t k = 0; k < p.rows; ++k) {
        for (int64_t unit = 0; unit < width_; ++unit)
          result.push_back(all.at(size_t((((backward ? gates : 0) + gate) * width_ + unit) * p.rows + k)));
      }
      return result;
    }
    const bool peephole = name[0] == 'p';
    const std::vector<double> all = input(peephole ? "P" : "B");
    const int64_t parts = peephole ? 3 : 2 * gates;
    const int64_t part = (backward ? parts : 0) + (name[0] == 'd' ? gates : 0) + gate;
    for (int64_t unit = 0; unit < width_; ++unit) result.push_back(all.at(size_t(part * width_ + unit)));
    return result;
  }

  std::string data_text() const {
    std::string text = "data d {\n  read \"x.npy\" as npy\n  x: [T, E] = number(col(1))\n";
    for (const std::string& state : first_states())
      text += fmt::format("  {}: [H] = number(col(1))\n", state);
    return text + "}\n";
  }
  std::vector<std::string> first_states() const {
    std::vector<std::string> names;
    for (const std::string state : {"h", "c"}) {
      if (!has("initial_" + state)) continue;
      names.push_back(state + "0");
      if (both_) names.push_back(state + "1");
    }
    return names;
  }

  std::string activation(size_t which) const {
    std::string name = attrs_.at("activations").at(which);
    for (char& letter : name) letter = char(std::tolower(letter));
    return name;
  }
  /// What stands in the brackets of an activation: cut to -clip .. clip.
  std::string cut(const std::string& sum) const {
    if (!attrs_.contains("clip")) return sum;
    const double bound = attrs_.at("clip");
    return fmt::format("max(min({}, {}), -{})", sum, bound, bound);
  }
  /// f(x Wg + h Rg + bg + dg), with the peephole on `c` if there is one.
  std::string gate(size_t function, char name, const std::string& peephole = "") const {
    std::string sum = fmt::format("x @ W{0} + h @ R{0}", name);
    if (has("B")) sum += fmt::format(" + b{0} + d{0}", name);
    if (has("P") && !peephole.empty()) sum += fmt::format(" + p{} * {}", name, peephole);
    return fmt::format("{}({})", activation(function), cut(sum));
  }

  std::string cell_text() const {
    std::string text = fmt::format("cell unit(x: [E]; h: [H]{}) {{\n", op_ == "LSTM" ? ", c: [H]" : "");
    for (const char name : names_) {
      if (name == 'f' && is_set("input_forget")) continue;
      text += fmt::format("  param W{0}: [E, H] = 0\n  param R{0}: [H, H] = 0\n", name);
      if (has("B")) text += fmt::format("  param b{0}: [H] = 0\n  param d{0}: [H] = 0\n", name);
      if (has("P") && name != 'c') text += fmt::format("  param p{}: [H] = 0\n", name);
    }
    return text + equations() + "}\n";
  }
  std::string equations() const {
    if (op_ == "RNN") return fmt::format("  h' = {}\n", gate(0, 'h'));
    if (op_ == "GRU") {
      const std::string b = has("B") ? " + bn" : "", d = has("B") ? " + dn" : "";
      const std::string inner =
          is_set("linear_before_reset") ? fmt::format("r * (h @ Rn{})", d) : fmt::format("(r * h) @ Rn{}", d);
      return fmt::format("  z  = {}\n  r  = {}\n  n  = {}({})\n  h' = (1 - z) * n + z * h\n", gate(0, 'z'),
                         gate(0, 'r'), activation(1), cut("x @ Wn" + b + " + " + inner));
    }
    return fmt::format(
        "  i  = {}\n  f  = {}\n  g  = {}\n  c' = f * c + i * g\n  o  = {}\n  h' = o * {}(c')\n",
        gate(0, 'i', "c"), is_set("input_forget") ? "1 - i" : gate(0, 'f', "c"), gate(1, 'c'),
        gate(0, 'o', "c'"), activation(2));
  }

  std::string model_text() const {
    const bool lstm = op_ == "LSTM";
    const std::vector<std::string> states = first_states();
    std::string head = "model m(x: [T, E]", body, size = both_ ? "2*H" : "H";
    for (const std::string& state : states) head += fmt::format(", {}: [H]", state);
    head += fmt::format(") -> (y: [T, {0}], yh: [{0}]{1}) {{\n", size,
                        lstm ? fmt::format(", yc: [{}]", size) : "");
    auto scan = [&](const std::string& cell, int number) {
      std::string text = fmt::format("scan {} over x", cell), separator = " from ";
      for (const std::string& state : states) {
        if (state.back() - '0' != number) continue;
        text += fmt::format("{}{} = {}", separator, state.substr(0, 1), state);
        separator = ", ";
      }
      return text;
    };
    const std::string reverse = "reverse(unit[H])";
    if (both_ && !states.empty()) {  // each direction begins with its own state
      body = fmt::format("  a  = {}\n  b  = {}\n  y  = concat(a, b)\n  yh = concat(final(a), final(b))\n",
                         scan("unit[H]", 0), scan(reverse, 1));
      if (lstm) body += "  yc = concat(final(a.c), final(b.c))\n";
      return head + body + "}\n";
    }
    const std::string cell = both_                                 ? "both(unit[H])"
                             : attrs_.at("direction") == "reverse" ? reverse
                                                                   : "unit[H]";
    body = fmt::format("  y  = {}\n  yh = final(y)\n", scan(cell, 0));
    if (lstm) body += "  yc = final(y.c)\n";
    return head + body + "}\n";
  }

  std::string op_, names_;
  Json attrs_, inputs_, outputs_;
  int64_t steps_ = 0, rows_ = 0, width_ = 0;
  bool both_ = false;
};

Outcome run_onnx(const std::filesystem::path& path, int number) {
  const Json& json = cases_of(path, kCases).at(size_t(number));
  // In double precision our distance from their numbers must be that of the reference that the file was
  // checked with; single precision adds its rounding.
  const double recorded = json.at("max_abs_diff_vs_float64_reference");
  const OnnxCase c(json);
  return run_case(c.vector(), recorded + 1e-9, recorded + 2e-6);
}

class OnnxVectors : public testing::TestWithParam<int> {};

TEST_P(OnnxVectors, Agrees) {
  VectorFile& file = onnx_vectors();
  if (!file.missing().empty()) GTEST_SKIP() << file.missing();
  const Json& json = cases_of(file.path(), kCases).at(size_t(GetParam()));
  SCOPED_TRACE(json.at("test").get<std::string>());
  expect_passes(file.outcome(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, OnnxVectors, testing::Range(0, kCases));

}  // namespace

VectorFile& onnx_vectors() {
  static VectorFile file("onnxruntime_rnn.json", kCases, run_onnx);
  return file;
}

}  // namespace rnnc::test
