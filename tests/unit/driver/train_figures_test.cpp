// Losses of several terms, metrics and watches of a train block, against numbers found by hand.
#include <cmath>

#include "tests/unit/driver/figure_values.h"

namespace rnnc {
namespace {

using test::metric;

// v: (0.5 -1) (2 3) (-0.25 1)   y: 1 -2 0.25   k: b a b

TEST(TrainFigures, LargestAndSmallestOfAllRows) {
  EXPECT_NEAR(metric("max(v)"), 3, 1e-6);
  EXPECT_NEAR(metric("min(v)"), -1, 1e-6);
  EXPECT_NEAR(metric("max(s) - min(s)"), 6, 1e-6);
  EXPECT_NEAR(metric("max(abs(sum over E (v)))"), 5, 1e-6);
  EXPECT_NEAR(metric("max(next(s))"), 3, 1e-6);
  EXPECT_NEAR(metric("min(next(s))"), -2, 1e-6);
  EXPECT_NEAR(metric("max(next(s) * 0 - 7)"), -7, 1e-6);  // where there is no answer, 0 would be larger
  EXPECT_NEAR(metric("max(w)", {{"w", {1, -5, 2, 0.5}}}, "param w: [E, 2] ~ normal(1)\n"), 2, 1e-6);
}

TEST(TrainFigures, ComparisonsAndWholeRows) {
  EXPECT_NEAR(metric("mean((v > 0) == (x0 > 0.5))", {}, "x0 = v * v\n"), 4.0 / 6, 1e-6);
  EXPECT_NEAR(metric("mean(min over E ((v > 0) == (x0 > 0.5)))", {}, "x0 = v * v\n"), 2.0 / 3, 1e-6);
  EXPECT_NEAR(metric("mean(v == 2)"), 1.0 / 6, 1e-6);
  EXPECT_NEAR(metric("100 * mean(abs(y) >= 1)"), 200.0 / 3, 1e-4);
}

TEST(TrainFigures, AccuracyOfNumbersAndOfSequences) {
  EXPECT_EQ(metric("accuracy(sum over E (v), y)"), 0);  // said 0 1 1, is 1 0 0
  EXPECT_NEAR(metric("accuracy(sum over E (v) - 6, y)"), 2.0 / 3, 1e-6);
  EXPECT_NEAR(metric("accuracy(one_hot(c), c)"), 1, 1e-6);
  EXPECT_NEAR(
      metric("accuracy(W[c], c)", {{"W", {1, 0, 0, 5, 0, 0, 0, 0, 1}}}, "param W: [C, C] ~ normal(1)\n"), 0.8,
      1e-6);
}

TEST(TrainFigures, F1Score) {
  // Rows of W are the scores for a, b, c; c: a b c and c a. Said: a c a, a a.
  const test::Given scores = {{"W", {1, 0, 0, 0, 0, 2, 1, 0, 0}}};
  const std::string table = "param W: [C, C] ~ normal(1)\n  p = W[c]\n";
  auto f1 = [&](const std::string& positive) {
    return metric("f1_score(p, c, positive = \"" + positive + "\")", scores, table);
  };
  EXPECT_NEAR(f1("a"), 2 * 2.0 / (2 * 2 + 2), 1e-6);  // said 4 times, right 2 times, 2 in truth
  EXPECT_EQ(f1("b"), 0);
  EXPECT_EQ(f1("c"), 0);  // said once, wrong; missed twice
  EXPECT_NEAR(
      metric("100 * f1_score(W[c], next(c), positive = \"a\")", scores, "param W: [C, C] ~ normal(1)\n"),
      100 * 2.0 / (2 + 1), 1e-4);  // where there is an answer: said a c a, answers b c a
  EXPECT_THROW(f1("z"), UserError);
  EXPECT_THROW(metric("f1_score(p, c)", scores, table), UserError);  // there is no entry "1"
}

TEST(TrainFigures, F1ScoreWithoutAnyPositiveIsZero) {
  const test::Given never = {{"W", {1, 0, 0, 1, 0, 0, 1, 0, 0}}, {"k", {0, 0, 0}}};
  EXPECT_EQ(metric("f1_score(W[k], k, positive = \"c\")", never, "param W: [L, L] ~ normal(1)\n"), 0);
}

double loss(const std::string& expression, const test::Given& given = {}, const std::string& equations = "") {
  return test::values_of(test::lower_figures(equations, "  loss " + expression + "\n"), given).at("loss");
}

TEST(TrainFigures, Penalties) {
  EXPECT_NEAR(loss("0.1 * mean(s^2)"), 0.1 * (1 + 16 + 4 + 0.25 + 9) / 5, 1e-5);
  EXPECT_NEAR(loss("squared_error(sum over E (v), y) + 1e-2 * sum(w^2)", {{"w", {1, -2, 3, 4}}},
                   "param w: [E, 2] ~ normal(1)\n"),
              ((-0.5 - 1) * (-0.5 - 1) + 49 + 0.25) / 3 + 0.01 * 30, 1e-5);
  EXPECT_NEAR(loss("0.5 * mean((sum over E (v) - y)^2)"), 0.5 * (2.25 + 49 + 0.25) / 3, 1e-5);
  EXPECT_NEAR(loss("mean(abs(sum over E (v) - y)^1.5)"),
              (std::pow(1.5, 1.5) + std::pow(7, 1.5) + std::pow(0.5, 1.5)) / 3, 1e-5);
}

/// -log softmax of three scores.
double surprise(const std::vector<double>& scores, size_t answer) {
  double sum = 0;
  for (const double s : scores) sum += std::exp(s);
  return std::log(sum) - scores.at(answer);
}

const std::string kScores = "param W: [E, L] ~ normal(1)\n  z = v @ W\n";
const test::Given kWeights = {{"W", {1, 0, -1, 0.5, 0.25, 2}}};
/// v @ W, row by row; the answers are b a b.
const std::vector<std::vector<double>> kZ = {
    {0.5 - 0.5, -0.25, -0.5 - 2}, {2 + 1.5, 0.75, -2 + 6}, {-0.25 + 0.5, 0.25, 0.25 + 2}};
const std::vector<size_t> kAnswers = {1, 0, 1};

TEST(TrainFigures, LabelSmoothing) {
  double mean = 0, all = 0;
  for (size_t r = 0; r < 3; ++r) {
    mean += surprise(kZ[r], kAnswers[r]) / 3;
    for (size_t k = 0; k < 3; ++k) all -= surprise(kZ[r], k) / 9;
  }
  EXPECT_NEAR(loss("0.9 * cross_entropy(z, k) - 0.1 * mean(log_softmax(z))", kWeights, kScores),
              0.9 * mean - 0.1 * all, 1e-5);
}

TEST(TrainFigures, ClassWeights) {
  test::Given given = kWeights;
  given["w"] = {1, 5, 0.5};
  double want = 0;
  for (size_t r = 0; r < 3; ++r) want += given["w"][kAnswers[r]] * surprise(kZ[r], kAnswers[r]) / 3;
  EXPECT_NEAR(loss("mean(-w[k] * pick(log_softmax(z), k))", given, kScores + "  param w: [L] = 1 frozen\n"),
              want, 1e-5);
}

TEST(TrainFigures, TwoTasksAtOnce) {
  double want = 0;
  for (size_t r = 0; r < 3; ++r) want += surprise(kZ[r], kAnswers[r]) / 3;
  want += 0.5 * (9 + 12.25 + 25) / 3;
  EXPECT_NEAR(loss("cross_entropy(z, k) + 0.5 * squared_error(s, next(s))", kWeights, kScores), want, 1e-5);
}

TEST(TrainFigures, OfOneNumberAreItself) {
  EXPECT_NEAR(metric("mean(squared_error(s, next(s)))"), 46.25 / 3, 1e-5);
  EXPECT_NEAR(metric("max(mean(v), mean(y))"), 5.25 / 6, 1e-5);
  EXPECT_THROW(metric("mean((v - mean(v))^2)"), UserError);  // not a mean of the row: refused
}

/// All numbers of each watch, by label.
std::map<std::string, std::vector<double>> watched(const std::string& line, const test::Given& given = {},
                                                   const std::string& equations = "") {
  const Lowered lowered = test::lower_figures(equations, "  loss mean(out)\n  watch " + line + "\n");
  const Graph graph = forward_graph(lowered, test::figure_options(ProgramKind::Evaluate));
  const auto outputs = test::run_interpreter(graph, test::figure_batch(graph, given));
  Figures figures;
  for (const Watch& watch : lowered.watches) figures.want(watch);
  const test::TestBatch batch = test::figure_batch(graph, given);
  for (int i = 0; i < 2; ++i)
    figures.add(
        [&](const std::string& root) {
          return std::vector<float>(outputs.at(root).begin(), outputs.at(root).end());
        },
        {batch.row_offset});
  std::map<std::string, std::vector<double>> result;
  for (const Watch& watch : lowered.watches) result[watch.label] = figures.value(watch);
  return result;
}

TEST(TrainFigures, Watches) {
  const auto all =
      watched("v == 0.5, mean over E (v), w, v * 2", {{"w", {1, 2, 3, 4}}}, "param w: [E, 2] ~ normal(1)\n");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at("w"), (std::vector<double>{1, 2, 3, 4}));  // the same for all rows: itself
  EXPECT_NEAR(all.at("v == 0.5").at(0), 1.0 / 3, 1e-6);
  EXPECT_EQ(all.at("v == 0.5").at(1), 0);
  EXPECT_NEAR(all.at("mean over E (v)").at(0), 5.25 / 6, 1e-6);
  ASSERT_EQ(all.at("v * 2").size(), 2U);
  EXPECT_NEAR(all.at("v * 2")[1], 2.0, 1e-6);
}

TEST(TrainFigures, WatchesOfSequencesAreByStep) {
  const auto all = watched("s, x, next(s), last(s)");
  EXPECT_EQ(all.at("s"), (std::vector<double>{2.5, -0.75, 3}));
  EXPECT_EQ(all.at("x"), (std::vector<double>{1.5, -0.5, -0.25, 2.375, -3, 0.25}));
  const std::vector<double>& next = all.at("next(s)");  // at the second step one row of two has an answer
  ASSERT_EQ(next.size(), 3U);
  EXPECT_EQ(next[0], -0.75);
  EXPECT_EQ(next[1], 3);
  EXPECT_TRUE(std::isnan(next[2]));
  EXPECT_NEAR(all.at("last(s)").at(0), 3.5 / 3, 1e-6);
}

/// As `rnnc train` makes them: by the compiled program.
TEST(TrainFigures, WatchesOfAScan) {
  const Lowered lowered =
      test::lower_figures("h = scan rnn[E] over x\n", "  loss mean(out)\n  watch h, h == 0\n");
  const CompileOptions options = test::figure_options(ProgramKind::Evaluate);
  const Graph graph = forward_graph(lowered, options);
  const test::TestBatch batch = test::figure_batch(graph, {});
  Jit jit(target_by_name("host"), 1);
  const auto compiled = test::run_compiled(compile(lowered, options, jit), batch, 1);
  const auto exact = test::run_interpreter(graph, batch);
  Figures got, want;
  for (const Watch& watch : lowered.watches) got.want(watch), want.want(watch);
  got.add([&](const std::string& root) { return compiled.at(root); }, {batch.row_offset});
  want.add(
      [&](const std::string& root) {
        return std::vector<float>(exact.at(root).begin(), exact.at(root).end());
      },
      {batch.row_offset});
  const std::vector<double> a = got.value(lowered.watches[0]), b = want.value(lowered.watches[0]);
  ASSERT_EQ(a.size(), 6U);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5);
  EXPECT_NE(a[0], a[2]);
}

}  // namespace
}  // namespace rnnc
