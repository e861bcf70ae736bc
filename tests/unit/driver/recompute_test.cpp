// A program that computes its forward pass again segment by segment gives the bits of the one that keeps
// everything, in less memory.
#include "passes/recompute.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/driver/cells.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/taggers.h"

namespace rnnc {
namespace {

constexpr int64_t kSymbols = 9, kLabels = 5;
constexpr int32_t kSteps = 9;
const std::vector<int64_t> kLengths{9, 9, 8, 5, 4, 4, 2, 1, 0};

class RecomputeOf : public testing::TestWithParam<std::pair<std::string, std::string>> {};

void expect_same_bits(const std::string& model, ProgramKind kind) {
  const Lowered lowered = test::lower_text(model, {{"C", kSymbols}, {"L", kLabels}});
  Jit jit(host_target());
  CompileOptions options;
  options.kind = kind;
  options.optimizer.kind = Optimizer::Adam;
  options.optimizer.clip_norm = 0.5;
  options.batch_capacity = int64_t(kLengths.size());
  options.time_steps.assign(lowered.model.spaces.size(), kSteps);
  options.verify = true;
  const Graph graph = build_graph(lowered, options);
  const test::TestBatch batch = test::make_batch(graph, kLengths, kSteps, kLabels);
  const test::Results want = test::run_compiled(compile(graph, options, lowered.model.spaces, jit), batch, 1);
  const auto exact = test::run_interpreter(graph, batch);
  for (const int32_t steps : {1, 2, 3, 4, 8}) {
    options.segments = {0, steps};
    const Graph again = run_pipeline(graph, {{}, {}, {nullptr, options.segments}});
    for (const auto& [name, values] : test::run_interpreter(again, batch))
      for (size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], exact.at(name)[i], 1e-9) << name << " element " << i;
    for (const bool hoisted : {true, false}) {
      options.disabled_passes.assign(hoisted ? 0 : 1, "batch_over_time");
      SCOPED_TRACE(fmt::format("segments of {} steps{}", steps, hoisted ? "" : ", products with the steps"));
      const Compiled compiled = compile(graph, options, lowered.model.spaces, jit);
      for (const int threads : {1, 2})
        EXPECT_EQ(test::first_difference(want, test::run_compiled(compiled, batch, threads)), "")
            << threads << " threads";
    }
  }
}

TEST_P(RecomputeOf, SameBitsInTraining) {
  expect_same_bits(GetParam().second, ProgramKind::Train);
}
TEST_P(RecomputeOf, SameBitsInEvaluation) {
  expect_same_bits(GetParam().second, ProgramKind::Evaluate);
}
TEST(Recompute, ResultsOfAllStepsStayWhole) {
  expect_same_bits(test::tagger("", "scan lstm[17] over embed[8](x)"), ProgramKind::Predict);
}

TEST(Recompute, NeedsLessMemoryTheShorterTheSegments) {
  const Lowered lowered = test::lower_text(test::tagger("", "scan stack(lstm[32], 2) over embed[8](x)"),
                                           {{"C", kSymbols}, {"L", kLabels}});
  Jit jit(host_target());
  CompileOptions options;
  options.batch_capacity = 16;
  options.time_steps = {128};
  const Graph graph = build_graph(lowered, options);
  int64_t before = compile(graph, options, lowered.model.spaces, jit).report.arena_bytes;
  const int64_t whole = before;
  for (const int32_t steps : {64, 32, 16}) {
    options.segments = {0, steps};
    const int64_t bytes = compile(graph, options, lowered.model.spaces, jit).report.arena_bytes;
    EXPECT_LT(bytes, before) << steps;
    before = bytes;
  }
  EXPECT_LT(before, whole / 3);
}

std::vector<std::pair<std::string, std::string>> cases() {
  std::vector<std::pair<std::string, std::string>> list = test::models();
  list.emplace_back("lstm_tagger", test::tagger("", "scan stack(lstm[17], 2) over embed[8](x)"));
  list.emplace_back("gru_backwards", test::tagger("", "scan reverse(gru[33]) over embed[6](x)"));
  list.emplace_back("both_ways", test::tagger("", "scan stack(both(lstm[9]), 2) over embed[6](x)"));
  list.emplace_back("ln_lstm_tagger",
                    test::tagger(test::cell_text("ln_lstm"), "scan ln_lstm[20] over embed[8](x)"));
  list.emplace_back("qrnn", test::classifier(test::cell_text("qrnn"), "scan qrnn[40] over embed[8](x)"));
  return list;
}

INSTANTIATE_TEST_SUITE_P(Models, RecomputeOf, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
