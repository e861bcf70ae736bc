// Every cell of the agreement tests as a model that answers at each step: cut into a step with its states, it
// gives step by step what the whole model gives, by the interpreter and compiled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/passes.h"
#include "passes/stepwise.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr int64_t kSymbols = 7, kLabels = 4, kRows = 3;
constexpr int32_t kSteps = 6;

void replace(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

/// The classifier with an answer at every step in place of one at the end.
std::string at_every_step(std::string text) {
  if (text.find("(logits: [T, C])") != std::string::npos) return text;  // it has one already
  replace(text, "y: L    = category(col(2))", "y: L[T] = chars(col(2))");
  replace(text, "(logits: [L])", "(logits: [T, L])");
  replace(text, "linear[L](final(h))", "linear[L](h)");
  return text;
}

class StepwiseModels : public testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  StepwiseModels()
      : model_(test::lower_text(at_every_step(GetParam().second), {{"C", kSymbols}, {"L", kLabels}}).model) {
    std::erase_if(model_.graph.roots, [](const Root& root) { return root.name != "show.0"; });
  }

  bool looks_ahead() const {
    const std::string& name = GetParam().first;
    return name.find("both") != std::string::npos || name.find("reverse") != std::string::npos ||
           name == "windows";
  }

  /// Row by row, what one step has of a value of the whole batch (all rows are equally long).
  static std::vector<double> at_step(const std::vector<double>& values, int32_t t) {
    const auto size = long(values.size() / kSteps);
    return {values.begin() + t * size, values.begin() + (t + 1) * size};
  }

  /// Runs all steps and compares; `run` gives the roots of the step by name.
  template <typename Run>
  void expect_steps(const Stepwise& cut, const Graph& step, double tolerance, Run run) {
    const Graph whole = unroll(model_, std::array{kSteps});
    test::TestBatch all = test::make_batch(whole, std::vector<int64_t>(kRows, kSteps), kSteps, kSymbols);
    all.offsets_list = {all.row_offset.data()};
    const std::vector<double> want = test::run_interpreter(whole, all).at("show.0");
    test::TestBatch one = test::make_batch(step, std::vector<int64_t>(kRows, 1), 1, kSymbols);
    one.offsets_list = {one.row_offset.data()};
    for (auto& [name, tensor] : one.values)
      if (const auto same = all.values.find(name); same != all.values.end() && name != "x")
        tensor = same->second;
    std::map<std::string, std::vector<double>> first;  // what the prefix computes
    if (const Graph prefix = unroll(cut.prefix, std::array{1}); !prefix.roots.empty()) {
      test::TestBatch before = test::make_batch(prefix, std::vector<int64_t>(kRows, 1), 1, kSymbols);
      for (auto& [name, tensor] : before.values) tensor = all.values.at(name);
      first = test::run_interpreter(prefix, before);
    }
    for (const StepState& state : cut.states) {
      std::vector<double>& values = one.values[state.input].data;
      if (state.first.empty()) values.assign(size_t(kRows * state.cols), state.fill);
      else values = first.at(state.first);
    }
    for (int32_t t = 0; t < kSteps; ++t) {
      one.values["x"].data = at_step(all.values["x"].data, t);
      const auto got = run(one);
      const std::vector<double> expected = at_step(want, t);
      const auto& scores = got.at("show.0");
      ASSERT_EQ(scores.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(scores[i], expected[i], tolerance) << "step " << t << ", number " << i;
      std::map<std::string, std::vector<double>> after;
      for (const StepState& state : cut.states) {
        if (state.older >= 0) {
          after[state.input] = one.values[cut.states[size_t(state.older)].input].data;
        } else {
          ASSERT_FALSE(state.output.empty());
          const auto& output = got.at(state.output);
          after[state.input].assign(output.begin(), output.end());
        }
      }
      for (const auto& [input, values] : after) one.values[input].data = values;
    }
  }

  Model model_;
};

TEST_P(StepwiseModels, GiveStepByStepWhatTheyGiveAtOnce) {
  if (looks_ahead()) {
    EXPECT_THROW(stepwise(model_, 0), GraphError);
    return;
  }
  const Stepwise cut = stepwise(model_, 0);
  EXPECT_FALSE(cut.states.empty());
  EXPECT_EQ(cut.prefix.graph.roots.empty(), GetParam().first != "carried");  // whose states begin with inputs
  const Graph step = dce(unroll(cut.step, std::array{1}));
  {
    SCOPED_TRACE("interpreter");
    expect_steps(cut, step, 1e-12, [&](const test::TestBatch& b) { return test::run_interpreter(step, b); });
  }
  static Jit jit(target_by_name("host"));
  CompileOptions options;
  options.kind = ProgramKind::Predict;
  options.batch_capacity = kRows;
  options.time_steps = {1};
  for (const bool fused : {false, true}) {
    SCOPED_TRACE(fused ? "compiled" : "compiled, no pass");
    options.fused = fused;
    const Compiled compiled = compile(step, options, cut.step.spaces, jit);
    for (const int threads : {1, 3})
      expect_steps(cut, step, 2e-5,
                   [&](const test::TestBatch& b) { return test::run_compiled(compiled, b, threads); });
  }
}

INSTANTIATE_TEST_SUITE_P(All, StepwiseModels, testing::ValuesIn(test::models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
