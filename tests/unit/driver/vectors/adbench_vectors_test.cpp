// ADBench's LSTM: two or four layers over 1,024 or 4,096 characters of 14 bits, with products element by
// element in place of matrices. The objective and its gradient, through all steps; for one of the four files
// others have computed both, to ten digits; the other three compare the compiled program with the
// interpreter.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "tests/unit/driver/vectors/vectors.h"

namespace rnnc::test {
namespace {

constexpr std::array kFiles = {"lstm_l2_c1024", "lstm_l2_c4096", "lstm_l4_c1024", "lstm_l4_c4096"};

/// A file: parameters of each layer, a row of weights and one of biases (gates forget, in, out, change); the
/// others; the first states, a row of h and one of c for each layer; the sequence.
struct Problem {
  int64_t layers = 0, length = 0, width = 0;
  std::vector<double> main, extra, state, sequence;
};

Problem read_problem(const std::filesystem::path& path) {
  std::ifstream file(path);
  Problem p;
  file >> p.layers >> p.length >> p.width;
  auto read = [&](std::vector<double>& numbers, int64_t count) {
    numbers.resize(size_t(count));
    for (double& v : numbers) file >> v;
  };
  read(p.main, p.layers * 2 * 4 * p.width);
  read(p.extra, 3 * p.width);
  read(p.state, p.layers * 2 * p.width);
  read(p.sequence, p.length * p.width);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return p;
}

std::string text_of(const Problem& p) {
  std::string fields, ports, scans, before = "x * win";
  for (int64_t layer = 1; layer <= p.layers; ++layer) {
    fields += fmt::format("  h{0}: [D] = number(col(1))\n  c{0}: [D] = number(col(1))\n", layer);
    ports += fmt::format(", h{0}: [D], c{0}: [D]", layer);
    scans += fmt::format("  s{0} = scan unit over {1} from h = h{0}, c = c{0}\n", layer, before);
    before = fmt::format("s{}", layer);
  }
  return fmt::format(R"(
data d {{
  read "x.npy" as npy
  x: [T, D] = number(col(1))
  y: [T, D] = number(col(1))
{}}}
cell unit(x: [D]; h: [D], c: [D]) {{
  param wf, wi, wo, wg: [D] = 0
  param bf, bi, bo, bg: [D] = 0
  f  = sigmoid(x * wf + bf)
  i  = sigmoid(h * wi + bi)
  o  = sigmoid(x * wo + bo)
  g  = tanh(h * wg + bg)
  c' = f * c + i * g
  h' = o * tanh(c')
}}
layer normed(p: [D]) -> (n: [D]) {{
  n = p - log(sum(exp(p)) + 2)
}}
model m(x: [T, D]{}) -> (p: [T, D]) {{
  param win, wout, bout: [D] = 0
{}  p = {} * wout + bout
}}
)",
                     fields, ports, scans, before) +
         blocks_of("-mean(y * normed(p))", std::array<std::string, 1>{"p"});
}

/// Where the numbers of a parameter stand in the file, and so in its gradient: those of the layers, then the
/// others.
size_t place_of(const std::string& name, const Problem& p) {
  static const std::string gates = "fiog";
  static const std::vector<std::string> extra = {"win", "wout", "bout"};
  const auto other = std::ranges::find(extra, name);
  if (other != extra.end()) return p.main.size() + size_t(other - extra.begin()) * size_t(p.width);
  const int64_t layer = name.at(1) - '1', bias = name.at(name.size() - 2) == 'b';  // `s2.unit.bf`
  return size_t(((layer * 2 + bias) * 4 + int64_t(gates.find(name.back()))) * p.width);
}

Outcome run_adbench(const std::filesystem::path& folder, int number) {
  const std::string name = kFiles.at(size_t(number));
  const Problem p = read_problem(folder / (name + ".txt"));
  std::vector<double> numbers = p.main;
  numbers.insert(numbers.end(), p.extra.begin(), p.extra.end());
  auto part = [&p](const std::vector<double>& all, const std::string& parameter) {
    const auto first = all.begin() + int64_t(place_of(parameter, p));
    return std::vector<double>(first, first + p.width);
  };

  VectorCase c;
  c.text = text_of(p);
  c.sizes = {{"D", p.width}};
  c.steps = int32_t(p.length - 1);  // each character is the answer to the one before
  c.lengths = {c.steps};
  c.fields["x"].assign(p.sequence.begin(), p.sequence.end() - p.width);
  c.fields["y"].assign(p.sequence.begin() + p.width, p.sequence.end());
  for (int64_t layer = 0; layer < p.layers; ++layer) {
    const auto h = p.state.begin() + 2 * layer * p.width;
    c.fields[fmt::format("h{}", layer + 1)].assign(h, h + p.width);
    c.fields[fmt::format("c{}", layer + 1)].assign(h + p.width, h + 2 * p.width);
  }
  c.weight = [&](const Parameter& parameter) { return part(numbers, parameter.name); };
  if (const auto path = folder / (name + ".expected.json"); std::filesystem::exists(path)) {
    const nlohmann::json expected = nlohmann::json::parse(std::ifstream(path));
    const std::vector<double> gradient = expected.at("gradient");
    if (gradient.size() != numbers.size()) throw std::runtime_error("a gradient of another problem");
    c.loss = expected.at("objective");
    for (const char* other : {"win", "wout", "bout"}) c.gradient[other] = part(gradient, other);
    for (int64_t layer = 1; layer <= p.layers; ++layer) {
      for (const char* kind : {"wf", "wi", "wo", "wg", "bf", "bi", "bo", "bg"}) {
        const std::string parameter = fmt::format("s{}.unit.{}", layer, kind);
        c.gradient[parameter] = part(gradient, parameter);
      }
    }
  }
  return run_case(c, 1e-8, 1e-5);
}

class AdbenchVectors : public testing::TestWithParam<int> {};

TEST_P(AdbenchVectors, Agree) {
  VectorFile& file = adbench_vectors();
  if (!file.missing().empty()) GTEST_SKIP() << file.missing();
  const Outcome& outcome = file.outcome(GetParam());
  expect_passes(outcome);
  EXPECT_TRUE(outcome.slope.has_value());
  if (GetParam() == 0) {
    ASSERT_TRUE(outcome.slope_wanted.has_value());
    EXPECT_LT(*outcome.slope_wanted, 1e-10) << "the gradient in double";
  }
}

INSTANTIATE_TEST_SUITE_P(All, AdbenchVectors, testing::Range(0, int(kFiles.size())),
                         [](const auto& info) { return kFiles.at(size_t(info.param)); });

}  // namespace

VectorFile& adbench_vectors() {
  static VectorFile file("adbench-lstm", int(kFiles.size()), run_adbench);
  return file;
}

}  // namespace rnnc::test
