// The settings of a train block as values, --set, and learning rates over time.
#include "driver/train_settings.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

TrainSettings read(const std::string& lines, const Options& options = {}) {
  const std::string text = R"(dim H = 4
data d {
  read "t.csv" as csv
  x: [F] = numbers(col(1), col(2))
  y: []  = number(col(3))
  split train = 0.8, valid = 0.2
}
model m(x: [F]) -> (p: []) {
  param w: [F] = 0
  p = x @ w
}
train m on d {
  loss squared_error(p, y)
)" + lines + "\n}\n";
  const Experiment experiment = make_experiment({"t.rnn", text}, options);
  return train_settings(experiment, *tasks(experiment, "")[0].train, options);
}

constexpr const char* kShort = "optimizer sgd(0.5)\nepochs 3";

std::string refusal(const std::string& lines, const Options& options = {}) {
  try {
    read(lines, options);
  } catch (const UserError& problem) {
    return problem.what();
  }
  return "";
}

TEST(TrainSettings, AllOfThem) {
  const TrainSettings s = read(R"(
  optimizer adam(2e-3, 0.8, beta2 = 0.99, eps = 1e-6, decay = 0.01)
  schedule  decay(after = 4, factor = 0.5), warmup(10)
  clip      norm(5)
  batch     all
  epochs    2*H + 1
  stop      patience(3)
  seed      7
  save      "a.model"
  load      "b.model")");
  EXPECT_EQ(s.optimizer.kind, Optimizer::Adam);
  EXPECT_EQ(s.rate, 2e-3);
  EXPECT_EQ(s.optimizer.beta2, 0.99);
  EXPECT_EQ(s.optimizer.eps, 1e-6);
  EXPECT_EQ(s.optimizer.decay, 0.01);
  EXPECT_EQ(s.schedules.size(), 2u);
  EXPECT_EQ(s.optimizer.clip_norm, 5);
  EXPECT_EQ(s.batch, 0);
  EXPECT_EQ(s.epochs, 9);
  EXPECT_EQ(s.patience, 3);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_EQ(s.save, "a.model");
  EXPECT_EQ(s.load, "b.model");
}

TEST(TrainSettings, WhatIsNotWritten) {
  const TrainSettings s = read(kShort);
  EXPECT_EQ(s.batch, 32);
  EXPECT_EQ(s.seed, 0u);
  EXPECT_EQ(s.save, "m.model");
  EXPECT_FALSE(s.patience);
  EXPECT_EQ(s.optimizer.clip_norm, 0);
}

TEST(TrainSettings, TheCommandLineWins) {
  Options options;
  options.set = {
      {"rate", "0.25"}, {"batch", "all"}, {"momentum", "0.9"}, {"save", "c.model"}, {"clip", "value(2)"}};
  options.epochs = 11;
  options.seed = 5;
  const TrainSettings s = read(kShort, options);
  EXPECT_EQ(s.rate, 0.25);
  EXPECT_EQ(s.optimizer.momentum, 0.9);
  EXPECT_EQ(s.batch, 0);
  EXPECT_EQ(s.save, "c.model");
  EXPECT_GT(s.optimizer.clip_value, 0);
  EXPECT_EQ(s.epochs, 11);
  EXPECT_EQ(s.seed, 5u);
  options.set = {{"optimizer", "adam(1e-3)"}, {"beta1", "0.5"}};
  EXPECT_EQ(read(kShort, options).optimizer.beta1, 0.5);
}

TEST(TrainSettings, Refusals) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal("optimizer sgd(0.1, momentum = 1)\nepochs 3"), HasSubstr("from 0 to below 1"));
  EXPECT_THAT(refusal("optimizer sgd(0.1, nesterov = yes)\nepochs 3"),
              HasSubstr("`nesterov` without momentum"));
  EXPECT_THAT(refusal("optimizer sgd(-1)\nepochs 3"), HasSubstr("at least 0"));
  EXPECT_THAT(refusal(std::string(kShort) + "\nclip step(1), step(2)"), HasSubstr("`step` is set twice"));
  EXPECT_THAT(refusal(std::string(kShort) + "\nclip norm(0)"), HasSubstr("above 0"));
  EXPECT_THAT(refusal(std::string(kShort) + "\nschedule decay(after = 3)"), HasSubstr("by which factor"));
  EXPECT_THAT(refusal(std::string(kShort) + "\nschedule cosine, cosine"), HasSubstr("twice"));
  Options options;
  options.set = {{"batch", "0"}};
  EXPECT_THAT(refusal(kShort, options), HasSubstr("`--set batch=0`: a whole number of at least 1"));
  options.set = {{"batch", "3 4 }"}};
  EXPECT_THAT(refusal(kShort, options), HasSubstr("`--set batch=3 4 }`"));
  options.set = {{"bacth", "3"}};
  EXPECT_THAT(refusal(kShort, options), HasSubstr("did you mean `batch`?"));
  options.set = {{"beta1", "0.5"}};
  EXPECT_THAT(refusal(kShort, options), HasSubstr("the optimizer of this file has no `beta1`"));
  options.set = {{"H", "0"}};
  EXPECT_THAT(refusal(kShort, options), HasSubstr("whole number above 0"));
}

TEST(TrainSettings, Rates) {
  TrainSettings s;
  s.rate = 8;
  EXPECT_EQ(rate_at(s, 3, 30, 100, 0), 8);
  s.schedules = {{Schedule::Decay, 4, 0.5}};
  EXPECT_EQ(rate_at(s, 4, 30, 100, 0), 8);
  EXPECT_EQ(rate_at(s, 6, 30, 100, 0), 2);
  s.schedules = {{Schedule::Halve, 1, 1}};
  EXPECT_EQ(rate_at(s, 6, 30, 100, 3), 1);
  s.schedules = {{Schedule::Cosine, 1, 1}};
  EXPECT_EQ(rate_at(s, 1, 1, 100, 0), 8);
  EXPECT_NEAR(rate_at(s, 1, 51, 100, 0), 4, 1e-12);
  EXPECT_NEAR(rate_at(s, 1, 100, 100, 0), 8 * (1 - std::cos(std::acos(-1.0) / 100)) / 2, 1e-12);
  s.schedules = {{Schedule::Warmup, 10, 1}, {Schedule::Halve, 1, 1}};
  EXPECT_EQ(rate_at(s, 1, 5, 100, 1), 2);
  EXPECT_EQ(rate_at(s, 1, 50, 100, 1), 4);
}

}  // namespace
}  // namespace rnnc::test
