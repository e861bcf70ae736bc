// The figures of a train block over one batch of three rows, computed by the interpreter and by the compiled
// program, so that both are compared with numbers found by hand.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "driver/figures.h"
#include "tests/unit/driver/models.h"

namespace rnnc::test {

/// Rows of 3, 2 and 0 steps; in a stack step by step, the longest row first.
inline const std::vector<int64_t> kFigureLengths{3, 2, 0};
constexpr int32_t kFigureSteps = 4;

/// A model over sequences s: [T], x: [T, E], c: C[T] and values v: [E], y: [], k: L of a row, with these
/// equations and lines of its train block. E is 2, C and L have three entries: a, b, c.
inline Lowered lower_figures(const std::string& equations, const std::string& lines) {
  const std::string text = "dim E = 2\n" + std::string(R"(
data d {
  read "x.npy" as npy
  s: [T]    = number(col(1))
  x: [T, E] = number(col(2))
  c: C[T]   = chars(col(3))
  v: [E]    = number(col(4))
  y: []     = number(col(5))
  k: L      = category(col(6))
}
model m(s: [T], x: [T, E], c: C[T], v: [E]) -> (out: []) {
)") + equations + R"(
  out = sum(v)
}
train m on d {
)" + lines + R"(
  optimizer sgd(rate = 1)
  epochs    1
}
)";
  return lower_text(text, {{"C", 3}, {"L", 3}});
}

inline CompileOptions figure_options(ProgramKind kind) {
  CompileOptions options;
  options.kind = kind;
  options.batch_capacity = 3;
  options.time_steps = {kFigureSteps};
  return options;
}

/// Inputs and variables by name over random ones.
using Given = std::map<std::string, std::vector<double>>;

/// s  row 0: 1 -2 3   row 1: 4 0.5   row 2: none;   next(s) of it;   c  row 0: a b c   row 1: c a
inline const Given kFigureData = {
    {"s", {1, 4, -2, 0.5, 3}},     {"%next.1.s", {-2, 0.5, 3, 0, 0}},
    {"%has.1.s", {1, 1, 1, 0, 0}}, {"%next.2.s", {3, 0, 0, 0, 0}},
    {"%has.2.s", {1, 0, 0, 0, 0}}, {"x", {1, -2, 2, 1, 0.5, 4, -1, 0.75, -3, 0.25}},
    {"c", {0, 2, 1, 0, 2}},        {"%next.1.c", {1, 0, 2, -1, -1}},
    {"%has.1.c", {1, 1, 1, 0, 0}}, {"v", {0.5, -1, 2, 3, -0.25, 1}},
    {"y", {1, -2, 0.25}},          {"k", {1, 0, 1}},
    {"%length.0", {3, 2, 0}},      {"%last.0", {4, 3, -1}},
};

inline TestBatch figure_batch(const Graph& graph, const Given& given) {
  TestBatch batch = make_batch(graph, kFigureLengths, kFigureSteps, 3);
  for (const Given* values : {&kFigureData, &given})
    for (const auto& [name, data] : *values)
      if (const auto found = batch.values.find(name); found != batch.values.end()) found->second.data = data;
  return batch;
}

/// The loss under "loss", metrics and watches (their first number) by label.
inline std::map<std::string, double> values_of(const Lowered& lowered, const Given& given) {
  const CompileOptions options = figure_options(ProgramKind::Evaluate);
  const Graph graph = forward_graph(lowered, options);
  const TestBatch batch = figure_batch(graph, given);
  const auto exact = run_interpreter(graph, batch);
  Jit jit(target_by_name("host"), 1);
  const auto compiled = run_compiled(compile(lowered, options, jit), batch, 1);
  Figures figures;
  figures.want(lowered.loss);
  for (const Metric& metric : lowered.metrics) figures.want(metric.value);
  figures.add([&](const std::string& root) {
    const std::vector<double>& want = exact.at(root);
    const std::vector<float>& got = compiled.at(root);
    EXPECT_EQ(got.size(), want.size()) << root;
    for (size_t i = 0; i < std::min(got.size(), want.size()); ++i)
      EXPECT_NEAR(got[i], want[i], 1e-5 * (1 + std::abs(want[i]))) << root << " element " << i;
    return got;
  });
  std::map<std::string, double> values{{"loss", figures.value(lowered.loss)}};
  for (const Metric& metric : lowered.metrics) values[metric.label] = figures.value(metric.value);
  return values;
}

/// The value of one metric.
inline double metric(const std::string& expression, const Given& given = {},
                     const std::string& equations = "") {
  const Lowered lowered = lower_figures(equations, "  loss mean(out)\n  metric f = " + expression + "\n");
  return values_of(lowered, given).at("f");
}

}  // namespace rnnc::test
