// Measures over several batches: means weighted by their counts, what stands around them computed at the end.
#include "driver/figures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rnnc {
namespace {

using Outputs = std::map<std::string, std::vector<float>>;

Measure leaf(Measure::Kind kind, const std::string& sum, const std::string& count = "") {
  Measure m;
  m.kind = kind;
  m.sum_root = sum;
  m.count_root = count;
  return m;
}

Measure apply(const std::string& function, std::vector<Measure> args) {
  Measure m;
  m.kind = Measure::Apply;
  m.function = function;
  m.args = std::move(args);
  return m;
}

Measure number(double value) {
  Measure m;
  m.number = value;
  return m;
}

double over(const Measure& measure, const std::vector<Outputs>& batches) {
  Figures figures;
  figures.want(measure);
  for (const Outputs& batch : batches) figures.add([&](const std::string& root) { return batch.at(root); });
  return figures.value(measure);
}

const std::vector<Outputs> kBatches = {{{"s", {6}}, {"n", {3}}}, {{"s", {-1}}, {"n", {1}}}};

TEST(Figures, Leaves) {
  EXPECT_EQ(over(leaf(Measure::Mean, "s", "n"), kBatches), 1.25);
  EXPECT_EQ(over(leaf(Measure::Sum, "s"), kBatches), 5);
  EXPECT_EQ(over(leaf(Measure::Max, "s"), kBatches), 6);
  EXPECT_EQ(over(leaf(Measure::Min, "s"), kBatches), -1);
  EXPECT_EQ(over(leaf(Measure::Once, "s"), {kBatches[0], kBatches[0]}), 6);
  EXPECT_EQ(over(leaf(Measure::Max, "s"), {{{"s", {-3}}}, {{"s", {-2}}}}), -2);
}

TEST(Figures, RootOfTheMeanOfThePart) {
  const Measure mean = leaf(Measure::Mean, "s", "n");
  EXPECT_DOUBLE_EQ(over(apply("sqrt", {mean}), kBatches), std::sqrt(1.25));
  EXPECT_DOUBLE_EQ(over(apply("*", {number(100), apply("neg", {mean})}), kBatches), -125);
  EXPECT_DOUBLE_EQ(over(apply("max", {mean, number(2)}), kBatches), 2);
}

TEST(Figures, SumsAreKeptInDouble) {
  std::vector<Outputs> many(1 << 12, {{"s", {1 << 24}}, {"n", {1}}});
  many.push_back({{"s", {1}}, {"n", {0}}});
  EXPECT_EQ(over(leaf(Measure::Sum, "s"), many), std::ldexp(1.0, 36) + 1);
}

TEST(Figures, WatchesHaveANumberForEachElement) {
  const Watch watch{"h", "w", "c", -1};
  Figures figures;
  figures.want(watch);
  const std::vector<Outputs> batches = {{{"w", {1, 2}}, {"c", {4}}}, {{"w", {0, 1}}, {"c", {2}}}};
  for (const Outputs& batch : batches) figures.add([&](const std::string& root) { return batch.at(root); });
  EXPECT_EQ(figures.value(watch), (std::vector<double>{1.0 / 6, 0.5}));
}

TEST(Figures, Text) {
  EXPECT_EQ(figures_text({0.64441, {{"accuracy", 0.803}, {"rmse", 24.0783}}, {}}),
            "loss 0.6444  accuracy 0.803  rmse 24.08");
  EXPECT_EQ(watch_lines({0, {}, {{"h == 0", {0.25, 1}}}}), (std::vector<std::string>{"  h == 0  0.25 1"}));
}

}  // namespace
}  // namespace rnnc
