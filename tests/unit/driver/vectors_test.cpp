// Reference vectors made by others: the LSTM of the language with the weights of PyTorch's own test.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "passes/passes.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = 3, kRows = 4, kWidth = 2;

const char* const kText = R"(
data d {
  read "t.tsv" as tsv
  x: [T, E] = numbers(col(1), col(2))
  y: L      = category(col(3))
}
model m(x: [T, E]) -> (hn: [L], cn: [L], out: [T, L]) {
  h   = scan lstm[L] over x
  hn  = final(h)
  cn  = final(h.c)
  out = h
}
train m on d {
  loss      cross_entropy(hn, y) + mean(cn) + mean(out)
  optimizer sgd(rate = 1)
  epochs    1
}
predict m {
  show hn, cn
}
)";

/// Every parameter tensor p of PyTorch's LSTM is p[i] = i / numel, gates in the order i, f, g, o: weight_ih
/// and weight_hh [4 H, H], whose rows 2 g and 2 g + 1 are gate g and stand transposed in the language; the
/// two biases are added.
Tensor weight_of(const std::string& name) {
  const size_t gate = std::string("ifgo").find(name.back());
  EXPECT_NE(gate, std::string::npos) << name;
  const bool bias = name[name.size() - 2] == 'b';
  Tensor t{{Type::F32, Rows::fixed(bias ? 1 : kWidth), kWidth}, bias ? 1 : kWidth, kWidth, {}};
  for (int64_t r = 0; r < t.rows; ++r) {
    for (int64_t unit = 0; unit < kWidth; ++unit) {
      const int64_t row = int64_t(gate) * kWidth + unit;
      t.data.push_back(bias ? 2 * double(row) / 8 : double(row * kWidth + r) / 16);
    }
  }
  return t;
}

TEST(Vectors, LstmOfPyTorch) {
  const std::filesystem::path path = RNNC_SOURCE_DIR "/../shared/data/testvectors/pytorch_lstm_2_2.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const nlohmann::json vectors = nlohmann::json::parse(std::ifstream(path));

  const Lowered lowered = test::lower_text(kText, {{"E", kWidth}, {"L", kWidth}});
  const std::vector<int64_t> lengths(kRows, kSteps);
  const Graph all = unroll(lowered.model, std::array{kSteps});
  test::TestBatch batch = test::make_batch(all, lengths, kSteps, 1);
  size_t weights = 0;
  for (const Parameter& p : lowered.model.parameters) {
    batch.values[p.name] = weight_of(p.name);
    ++weights;
  }
  EXPECT_EQ(weights, 12u);
  Tensor& x = batch.values.find("x")->second;
  const size_t numel = x.data.size();
  ASSERT_EQ(numel, size_t(kSteps * kRows * kWidth));
  for (size_t i = 0; i < numel; ++i) x.data[i] = double(numel - i) / double(numel);

  // `out` is a sequence, which predict cannot show yet: the graph's roots are asked for directly.
  Graph graph = all;
  NodeId out = kNoNode;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op == Op::LastRows && out == kNoNode) out = graph.arg(id, 0);
  }
  ASSERT_NE(out, kNoNode);
  std::erase_if(graph.roots, [](const Root& root) { return !root.name.starts_with("show."); });
  ASSERT_EQ(graph.roots.size(), 2u);
  const std::string hn = graph.roots[0].name, cn = graph.roots[1].name;
  graph.roots.push_back({"out", out});

  const std::map<std::string, std::string> names = {{"out", "output"}, {hn, "h_n"}, {cn, "c_n"}};
  // Their test allows 1e-3; the printed digits allow half of the last one.
  constexpr double kTolerance = 0.51e-4;
  auto compare = [&](const auto& got) {
    for (const auto& [ours, theirs] : names) {
      const auto& values = got.at(ours);
      const std::vector<double> want = vectors.at(theirs);
      ASSERT_EQ(values.size(), want.size()) << theirs;
      for (size_t i = 0; i < want.size(); ++i)
        EXPECT_NEAR(values[i], want[i], kTolerance) << theirs << " element " << i;
    }
  };
  compare(test::run_interpreter(graph, batch));
  for (const bool fused : {false, true}) {
    Jit jit(target_by_name("host"));
    CompileOptions options;
    options.time_steps = {kSteps};
    options.batch_capacity = kRows;
    options.fused = fused;
    compare(test::run_compiled(compile(graph, options, sequence_spaces({"T"}), jit), batch, 1));
  }
}

}  // namespace
}  // namespace rnnc
