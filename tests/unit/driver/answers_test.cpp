// `next`: positions without an answer count nowhere, whatever is computed of them.
#include <cmath>

#include "passes/differentiate.h"
#include "tests/unit/driver/figure_values.h"

namespace rnnc {
namespace {

using test::metric;

TEST(Answers, MeansAreOverThePositionsThatHaveOne) {
  // (1 - -2)² + (4 - 0.5)² + (-2 - 3)², of three positions
  EXPECT_NEAR(metric("squared_error(s, next(s))"), (9 + 12.25 + 25) / 3.0, 1e-5);
  EXPECT_NEAR(metric("absolute_error(s, next(s))"), (3 + 3.5 + 5) / 3.0, 1e-5);
  EXPECT_NEAR(metric("squared_error(s, next(s, 2))"), 4, 1e-5);
  EXPECT_NEAR(metric("sqrt(squared_error(s, next(s)))"), std::sqrt(46.25 / 3), 1e-5);
}

TEST(Answers, InsideExpressions) {
  EXPECT_NEAR(metric("mean(next(s))"), 1.5 / 3, 1e-5);
  EXPECT_NEAR(metric("sum(next(s) * 2)"), 3, 1e-5);
  EXPECT_NEAR(metric("mean(abs(s - next(s)) / (abs(s) + abs(next(s)) + 0.01))"),
              (3 / 3.01 + 3.5 / 4.51 + 5 / 5.01) / 3, 1e-5);
  // Where there is no answer the quotient would be s / 0.
  EXPECT_NEAR(metric("mean(s / next(s))"), (-0.5 + 8 - 2.0 / 3) / 3, 1e-5);
  // A value that needs two answers counts where both are.
  EXPECT_NEAR(metric("mean(next(s) + next(s, 2))"), 1, 1e-5);
  EXPECT_NEAR(metric("mean(next(s) > 0)"), 2.0 / 3, 1e-6);
}

TEST(Answers, OverTimeAndAtTheEnd) {
  // The last element of every row has no answer: nothing is left.
  EXPECT_TRUE(std::isnan(metric("squared_error(last(s), last(next(s)))")));
  EXPECT_NEAR(metric("squared_error(first(s), first(next(s)))"), (9 + 12.25) / 2, 1e-5);
  // Row by row: (-2 + 3) / 2, 0.5 / 1, nothing
  EXPECT_NEAR(metric("mean(mean over T (next(s)))"), (0.5 + 0.5 + 0) / 3, 1e-5);
  EXPECT_NEAR(metric("mean(sum over T (next(s)))"), (1 + 0.5 + 0) / 3.0, 1e-5);
  EXPECT_NEAR(metric("mean(max over T (next(s) - 5))"), (-2 - 4.5 + 0) / 3.0, 1e-5);
  EXPECT_NEAR(metric("mean(min over T (next(s) + 5))"), (3 + 5.5 + 0) / 3.0, 1e-5);
  // A vector at each step: two numbers count or do not.
  EXPECT_NEAR(metric("mean(scale(next(s), x))"),
              (1 * -2 - 2 * -2 + 2 * 0.5 + 1 * 0.5 + 0.5 * 3 + 4 * 3) / 6.0, 1e-5);
}

TEST(Answers, Categories) {
  const std::string equations = "param W: [C, C] ~ normal(1)\n  logits = W[c]\n";
  const test::Given table = {{"W", {1, 2, 3, 0, 0, 1, 2, 0, 0}}};
  auto p = [](std::vector<double> row, size_t k) {
    double sum = 0;
    for (double v : row) sum += std::exp(v);
    return std::log(sum) - row[k];
  };
  // Rows of W: a, c, b; answers b, a, c.
  const double want = (p({1, 2, 3}, 1) + p({2, 0, 0}, 0) + p({0, 0, 1}, 2)) / 3;
  EXPECT_NEAR(metric("cross_entropy(logits, next(c))", table, equations), want, 1e-5);
  EXPECT_NEAR(metric("nll(log_softmax(logits), next(c))", table, equations), want, 1e-5);
  EXPECT_NEAR(metric("accuracy(logits, next(c))", table, equations), 2.0 / 3, 1e-6);
}

/// The gradient that one training step with rate 1 takes from a parameter.
std::vector<double> gradient(const Lowered& lowered, const std::string& parameter, const test::Given& given) {
  const CompileOptions options = test::figure_options(ProgramKind::Train);
  Graph graph = forward_graph(lowered, options);
  const Parameter& p = lowered.model.parameters.at(0);
  const std::vector<NodeId> weights{graph.variable(p.name, p.rows, p.cols)};
  const NodeId d = differentiate(graph, graph.roots.at(0).node, weights)[0];
  graph.roots.push_back({"gradient", d});
  const test::TestBatch batch = test::figure_batch(graph, given);
  std::vector<double> exact = test::run_interpreter(graph, batch).at("gradient");
  Jit jit(target_by_name("host"), 1);
  const Compiled compiled = compile(lowered, options, jit);
  test::TestBatch one = batch;
  one.values[kRateInput] = make_tensor({}, batch.table(), 1);
  const auto after = test::run_compiled(compiled, one, 1).at("variable " + parameter);
  for (size_t i = 0; i < exact.size(); ++i)
    EXPECT_NEAR(batch.values.at(parameter).data[i] - after[i], exact[i], 1e-5) << "element " << i;
  return exact;
}

TEST(Answers, TrainingGoesDownTheMeanOfThoseThatCount) {
  const Lowered lowered =
      test::lower_figures("param a: [] = 0\n  p = a * s\n", "  loss squared_error(p, next(s))\n");
  // d/da of ((a - -2)² + (4a - 0.5)² + (-2a - 3)²) / 3 at a = 0.5
  const double want = 2 * (2.5 * 1 + 1.5 * 4 + -4 * -2) / 3;
  EXPECT_NEAR(gradient(lowered, "a", {{"a", {0.5}}}).at(0), want, 1e-5);
}

TEST(Answers, ABatchWithoutAnyAnswerHasNoGradient) {
  const Lowered lowered =
      test::lower_figures("param a: [] = 0\n  p = a * s\n", "  loss squared_error(p, next(s))\n");
  const test::Given none = {{"a", {0.5}}, {"%next.1.s", {0, 0, 0, 0, 0}}, {"%has.1.s", {0, 0, 0, 0, 0}}};
  EXPECT_EQ(gradient(lowered, "a", none).at(0), 0);
}

TEST(Answers, AreFieldsOfTheData) {
  EXPECT_THROW(test::lower_figures("h = s * 2\n", "  loss mean(next(h))\n"), UserError);
}

}  // namespace
}  // namespace rnnc
