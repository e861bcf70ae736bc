// PyTorch's own test of its LSTM: the library's `lstm` with its weights.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/driver/vectors/vectors.h"

namespace rnnc::test {
namespace {

constexpr int64_t kSteps = 3, kRows = 4, kWidth = 2;

const char* const kText = R"(
dim H = 2
data d {
  read "x.npy" as npy
  x: [T, E] = number(col(1))
}
model m(x: [T, E]) -> (h: [T, H]) {
  h = scan lstm[H] over x
}
)";

/// Every parameter tensor p of PyTorch's LSTM is p[i] = i / numel, gates in the order i, f, g, o: weight_ih
/// and weight_hh [4 H, H], whose rows 2 g and 2 g + 1 are gate g and stand transposed in the language; the
/// two biases are added.
std::vector<double> weight(const Parameter& p) {
  const size_t gate = std::string("ifgo").find(p.name.back());
  if (gate == std::string::npos) throw std::runtime_error("no such gate: " + p.name);
  const bool bias = p.name[p.name.size() - 2] == 'b';
  std::vector<double> result;
  for (int64_t r = 0; r < p.rows; ++r) {
    for (int64_t unit = 0; unit < kWidth; ++unit) {
      const int64_t row = int64_t(gate) * kWidth + unit;
      result.push_back(bias ? 2 * double(row) / 8 : double(row * kWidth + r) / 16);
    }
  }
  return result;
}

Outcome run_pytorch(const std::filesystem::path& path, int) {
  const nlohmann::json vectors = nlohmann::json::parse(std::ifstream(path));
  VectorCase c;
  c.text = kText + blocks_of("mean(h^2)", std::vector<std::string>{"h", "final(h)", "final(h.c)"});
  c.sizes = {{"E", kWidth}};
  c.steps = kSteps;
  c.lengths.assign(kRows, kSteps);
  const int64_t numel = kSteps * kRows * kWidth;
  for (int64_t i = 0; i < numel; ++i) c.fields["x"].push_back(double(numel - i) / double(numel));
  c.weight = weight;
  for (const char* name : {"output", "h_n", "c_n"}) c.wanted.push_back({vectors.at(name)});
  // Their test allows 1e-3; the printed digits allow half of the last one.
  return run_case(c, 0.51e-4, 0.51e-4);
}

TEST(PytorchVectors, Agree) {
  VectorFile& file = pytorch_vectors();
  if (!file.missing().empty()) GTEST_SKIP() << file.missing();
  expect_passes(file.outcome(0));
}

}  // namespace

VectorFile& pytorch_vectors() {
  static VectorFile file("pytorch_lstm_2_2.json", 1, run_pytorch);
  return file;
}

}  // namespace rnnc::test
