// What expressions of the language mean, computed by hand: the interpreter and the compiled program share the
// lowering, so only a third hand can find a mistake in it.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

/// Three rows of 3, 2 and 0 steps of two numbers:
///   x  row 0: (1 -2) (0.5 4) (-3 0.25)   row 1: (2 1) (-1 0.75)   row 2: none
///   v  (0.5 -1) (2 3) (-0.25 1)
/// In a stack they lie step by step, the longest row first.
constexpr int32_t kSteps = 4;
const std::vector<int64_t> kLengths{3, 2, 0};
/// A model over x: [T, E] and v: [E] with these equations, showing `show`.
std::string model_text(const std::string& definitions, const std::string& equations,
                       const std::string& show) {
  return "dim E = 2\n" + definitions + R"(
data d {
  read "x.npy" as npy
  x: [T, E] = number(col(1))
  v: [E]    = number(col(2))
  c: C[T]   = chars(col(3))
}
model m(x: [T, E], v: [E], c: C[T]) -> (out: []) {
)" + equations +
         R"(
  out = sum(v)
}
train m on d {
  loss      mean(out)
  optimizer sgd(rate = 0.1)
  epochs    1
}
predict m {
  show )" +
         show + "\n}\n";
}

/// The value shown, row by row; parameters are 0.5 everywhere unless given.
std::vector<double> shown(const std::string& equations, const std::string& show,
                          const std::string& definitions = "",
                          const std::map<std::string, std::vector<double>>& parameters = {}) {
  const Lowered lowered = test::lower_text(model_text(definitions, equations, show), {{"C", 3}});
  CompileOptions options;
  options.kind = ProgramKind::Predict;
  options.batch_capacity = 3;
  options.time_steps = {kSteps};
  const Graph graph = forward_graph(lowered, options);
  test::TestBatch batch = test::make_batch(graph, kLengths, kSteps, 3);
  for (auto& [name, tensor] : batch.values) {
    if (name == "x") tensor.data = {1, -2, 2, 1, 0.5, 4, -1, 0.75, -3, 0.25};
    else if (name == "v") tensor.data = {0.5, -1, 2, 3, -0.25, 1};
    else if (name == "c") tensor.data = {0, 2, 1, 1, 2};
    else if (name[0] != '%') {
      const auto given = parameters.find(name);
      if (given != parameters.end()) tensor.data = given->second;
      else std::fill(tensor.data.begin(), tensor.data.end(), 0.5);
    }
  }
  return test::run_interpreter(graph, batch).at("show.0");
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-9) << "element " << i;
}

TEST(Lower, ElementByElementAndTheTailRule) {
  expect_near(shown("", "v * 2 - 1"), {0, -3, 3, 5, -1.5, 1});
  expect_near(shown("", "v > 0.4"), {1, 0, 1, 1, 0, 1});
  expect_near(shown("", "v != 2"), {1, 1, 0, 1, 1, 1});
  expect_near(shown("", "max(v, 0) + elu(v)"), {1, std::exp(-1.0) - 1, 4, 6, std::exp(-0.25) - 1, 2});
  expect_near(shown("", "v / E"), {0.25, -0.5, 1, 1.5, -0.125, 0.5});
}

TEST(Lower, ReductionsOfARow) {
  expect_near(shown("", "sum(v)"), {-0.5, 5, 0.75});
  expect_near(shown("", "mean(v)"), {-0.25, 2.5, 0.375});
  expect_near(shown("", "max(v)"), {0.5, 3, 1});
  expect_near(shown("", "min(v)"), {-1, 2, -0.25});
  const double e = std::exp(1.5);
  expect_near(shown("", "softmax(v)"),
              {e / (1 + e), 1 / (1 + e), 1 / (1 + std::exp(1.0)), std::exp(1.0) / (1 + std::exp(1.0)),
               1 / (1 + std::exp(1.25)), std::exp(1.25) / (1 + std::exp(1.25))});
}

TEST(Lower, ReductionsOverTimeStopAtTheRowsOwnEnd) {
  expect_near(shown("", "sum over T (x)"), {-1.5, 2.25, 1, 1.75, 0, 0});
  expect_near(shown("", "mean over T (x)"), {-0.5, 0.75, 0.5, 0.875, 0, 0});
  expect_near(shown("", "max over T (x)"), {1, 4, 2, 1, 0, 0});
  expect_near(shown("", "min over T (x)"), {-3, -2, -1, 0.75, 0, 0});
  expect_near(shown("", "sum(x)"), {0.75, 2.75, 0});
  expect_near(shown("", "mean(x)"), {0.125, 0.6875, 0});
  expect_near(shown("", "last(x)"), {-3, 0.25, -1, 0.75, 0, 0});
  expect_near(shown("", "first(x)"), {1, -2, 2, 1, 0, 0});
}

TEST(Lower, AValueOfTheRowMeetsEveryStep) {
  // Σ_t x_t * v
  expect_near(shown("", "sum over T (x * v)"), {-0.75, -2.25, 2, 5.25, 0, 0});
  expect_near(shown("s = x @ v", "sum over T (s)"), {-0.75 - 2.25, 7.25, 0});
}

TEST(Lower, SoftmaxOverTime) {
  // The weights of a row's own steps sum to 1.
  expect_near(shown("w = softmax over T (x)", "sum over T (w)"), {1, 1, 1, 1, 0, 0});
  const double a = std::exp(2.0), b = std::exp(-1.0);
  const std::vector<double> last = shown("w = softmax over T (x)", "last(w)");
  EXPECT_NEAR(last[2], b / (a + b), 1e-9);
}

TEST(Lower, ProductsWithParameters) {
  expect_near(shown("param w: [E] ~ normal(1)", "v @ w", "", {{"w", {2, 10}}}), {1 - 10, 4 + 30, -0.5 + 10});
  expect_near(shown("param W: [E, 3] ~ glorot", "v @ W", "", {{"W", {1, 2, 3, 10, 20, 30}}}),
              {0.5 - 10, 1 - 20, 1.5 - 30, 2 + 30, 4 + 60, 6 + 90, -0.25 + 10, -0.5 + 20, -0.75 + 30});
  expect_near(shown("param M: [3, E] ~ glorot", "M @ v", "", {{"M", {1, 10, 2, 20, 3, 30}}}),
              {0.5 - 10, 1 - 20, 1.5 - 30, 2 + 30, 4 + 60, 6 + 90, -0.25 + 10, -0.5 + 20, -0.75 + 30});
  expect_near(shown("", "v @ v"), {1.25, 13, 1.0625});
  expect_near(shown("param M: [3, E] ~ glorot", "v @ transpose(M)", "", {{"M", {1, 10, 2, 20, 3, 30}}}),
              {0.5 - 10, 1 - 20, 1.5 - 30, 2 + 30, 4 + 60, 6 + 90, -0.25 + 10, -0.5 + 20, -0.75 + 30});
}

TEST(Lower, CategoriesIndexTables) {
  const std::map<std::string, std::vector<double>> table{{"Z", {1, 10, 2, 20, 3, 30}}};
  expect_near(shown("param Z: [C, E] ~ glorot", "sum over T (Z[c])", "", table),
              {1 + 2 + 3, 60, 3 + 2, 50, 0, 0});
  expect_near(shown("param Z: [C, E] ~ glorot", "sum over T (one_hot(c) @ Z)", "", table),
              {1 + 2 + 3, 60, 3 + 2, 50, 0, 0});
  expect_near(shown("param z: [C] ~ normal(1)", "sum over T (z[c])", "", {{"z", {1, 2, 4}}}),
              {1 + 2 + 4, 4 + 2, 0});
}

TEST(Lower, ConcatJoinsColumns) {
  expect_near(shown("", "concat(v, sum(v), 7)"), {0.5, -1, -0.5, 7, 2, 3, 5, 7, -0.25, 1, 0.75, 7});
}

constexpr const char* kLeaky = R"(
cell leaky(x: [E]; h: [E]) {
  param a: [] = 0.5
  h' = a * h + x
}
)";

/// h' = h/2 + x over these steps of column `col`.
double leak(std::vector<double> steps, double h = 0) {
  for (double x : steps) h = 0.5 * h + x;
  return h;
}

TEST(Lower, ScansInBothDirections) {
  expect_near(shown("h = scan leaky over x", "final(h)", kLeaky),
              {leak({1, 0.5, -3}), leak({-2, 4, 0.25}), leak({2, -1}), leak({1, 0.75}), 0, 0});
  expect_near(shown("h = scan reverse(leaky) over x", "final(h)", kLeaky),
              {leak({-3, 0.5, 1}), leak({0.25, 4, -2}), leak({-1, 2}), leak({0.75, 1}), 0, 0});
  expect_near(shown("h = scan reverse(leaky) over x", "last(h)", kLeaky), {-3, 0.25, -1, 0.75, 0, 0});
  expect_near(shown("h = scan both(leaky) over x", "final(h)", kLeaky),
              {leak({1, 0.5, -3}), leak({-2, 4, 0.25}), leak({-3, 0.5, 1}), leak({0.25, 4, -2}),
               leak({2, -1}), leak({1, 0.75}), leak({-1, 2}), leak({0.75, 1}), 0, 0, 0, 0});
}

TEST(Lower, FirstValuesOfStates) {
  expect_near(shown("h = scan leaky over x from h = 8", "final(h)", kLeaky),
              {leak({1, 0.5, -3}, 8), leak({-2, 4, 0.25}, 8), leak({2, -1}, 8), leak({1, 0.75}, 8), 0, 0});
  expect_near(shown("h = scan leaky over x from h = v", "final(h)", kLeaky),
              {leak({1, 0.5, -3}, 0.5), leak({-2, 4, 0.25}, -1), leak({2, -1}, 2), leak({1, 0.75}, 3), 0, 0});
  // Going backwards, a row begins at its own last step.
  expect_near(shown("h = scan reverse(leaky) over x from h = v", "final(h)", kLeaky),
              {leak({-3, 0.5, 1}, 0.5), leak({0.25, 4, -2}, -1), leak({-1, 2}, 2), leak({0.75, 1}, 3), 0, 0});
  // A second scan begins where the first one ended.
  expect_near(shown("g = scan leaky over x\n  h = scan leaky over x from g", "final(h)", kLeaky),
              {leak({1, 0.5, -3}, leak({1, 0.5, -3})), leak({-2, 4, 0.25}, leak({-2, 4, 0.25})),
               leak({2, -1}, leak({2, -1})), leak({1, 0.75}, leak({1, 0.75})), 0, 0});
}

TEST(Lower, ConstantsOfAScan) {
  const char* pulled = R"(
cell pulled(x: [E]; h: [E]) with (m: [E]) {
  h' = h + m * x
}
)";
  expect_near(shown("h = scan pulled over x with m = v", "final(h)", pulled), {-0.75, -2.25, 2, 5.25, 0, 0});
}

TEST(Lower, StacksAndTheNamesOfTheirParameters) {
  const Lowered lowered =
      test::lower_text(model_text("",
                                  "h = scan stack(both(gru[3]), 2) over x\n  let lin = linear[2]\n  p = "
                                  "lin(v)\n  q = lin(p)\n  r = linear[2](q) + linear[2](q)",
                                  "q"),
                       {{"C", 3}});
  std::set<std::string> names;
  for (const Parameter& p : lowered.model.parameters) names.insert(p.name);
  for (const char* name :
       {"h.gru.1.forward.Wz", "h.gru.2.backward.Un", "lin.W", "lin.b", "r.linear.W", "r.linear2.W"}) {
    EXPECT_TRUE(names.count(name)) << name;
  }
  EXPECT_EQ(names.size(), 4u * 10 + 2 + 4);
}

TEST(Lower, SharedInstances) {
  // lin(lin(v)) with one W: (v W + b) W + b
  const std::map<std::string, std::vector<double>> w{{"lin.W", {1, 0, 0, 2}}, {"lin.b", {1, 1}}};
  expect_near(shown("let lin = linear[2]\n  p = lin(v)\n  q = lin(p)", "q", "", w),
              {2.5, -1, 4, 15, 1.75, 7});
}

TEST(Lower, WhatIsNotBuiltIsRefusedWithItsPlace) {
  for (const char* equation : {"y = flatten(x)"}) {
    try {
      shown(equation, "v");
      ADD_FAILURE() << equation;
    } catch (const UserError& e) {
      EXPECT_NE(std::string(e.what()).find("not built yet"), std::string::npos) << e.what();
      EXPECT_EQ(e.diagnostics().at(0).line, 10u) << e.what();
    }
  }
}

TEST(Lower, DelaysLookBackOrAhead) {
  const std::vector<double> products{-1, -7, -2, 0.75, 0, 0};
  expect_near(shown("", "sum over T (delay(x) * x)"), products);
  expect_near(shown("", "sum over T (delay(x, -1) * x)"), products);
  expect_near(shown("", "last(delay(x, 2))"), {1, -2, 0, 0, 0, 0});
}

TEST(Lower, WindowsJoinNeighboursNewestFirst) {
  expect_near(shown("", "last(window(x, 2))"), {-3, 0.25, 0.5, 4, -1, 0.75, 2, 1, 0, 0, 0, 0});
  expect_near(shown("", "first(window(x, 3, center = yes))"),
              {0.5, 4, 1, -2, 0, 0, -1, 0.75, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST(Lower, DelaysInACellAreStatesOfIt) {
  const std::string cell = "cell d(x: [E]; h: [E]) {\n  h' = x + delay(x, 2)\n}\n";
  expect_near(shown("  h = scan d over x\n", "last(h)", cell), {-2, -1.75, -1, 0.75, 0, 0});
}

TEST(Lower, APairOfCategoriesIndexesTwoDimensions) {
  std::vector<double> w(18);
  for (size_t i = 0; i < w.size(); ++i) w[i] = double(i);
  expect_near(shown("  param W: [C, C, E] = 0\n", "sum over T (W[c, c])", "", {{"W", w}}),
              {24, 27, 24, 26, 0, 0});
}

TEST(Lower, ALayerNamesTheSequenceAsItLikes) {
  const std::string layer = "layer s(c: [P, F]) -> (v: [F]) {\n  v = max over P (c)\n}\n";
  expect_near(shown("", "s(x)", layer), {1, 4, 2, 1, 0, 0});
}

}  // namespace
}  // namespace rnnc
