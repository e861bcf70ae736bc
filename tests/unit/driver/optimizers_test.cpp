// Optimizers, clips and schedules as a model file says them, through compiled training to the last bit of the
// state file, against the same training written out here in double precision from the papers and from
// language.md section 7. Nothing of passes/training.h and driver/train_settings.h is used.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numbers>

#include "runtime/checkpoint.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using Numbers = std::vector<double>;

constexpr int kEpochs = 12;
constexpr double kRate = 0.0625;

struct Row {
  double x0, x1, y;
};

// Multiples of 1/4: exact in 32 bits.
std::vector<Row> rows_of(int first, int count) {
  std::vector<Row> rows;
  for (int i = first; i < first + count; ++i)
    rows.push_back({(i * 7 % 11 - 5) / 4.0, (i * 5 % 13 - 6) / 4.0, (i * 3 % 17 - 8) / 4.0});
  return rows;
}

const std::vector<Row> kTrain = rows_of(0, 9), kValid = rows_of(20, 4);

std::string csv(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& r : rows) text += fmt::format("{},{},{}\n", r.x0, r.x1, r.y);
  return text;
}

/// Weights w0, w1 and bias b of y = x·w + b.
double loss_of(const Numbers& w, const std::vector<Row>& rows) {
  double sum = 0;
  for (const Row& r : rows) sum += std::pow(w[0] * r.x0 + w[1] * r.x1 + w[2] - r.y, 2);
  return sum / double(rows.size());
}

Numbers gradient_of(const Numbers& w) {
  Numbers g(3);
  for (const Row& r : kTrain) {
    const double e = 2 * (w[0] * r.x0 + w[1] * r.x1 + w[2] - r.y) / double(kTrain.size());
    g[0] += e * r.x0;
    g[1] += e * r.x1;
    g[2] += e;
  }
  return g;
}

/// What a paper keeps for one weight.
struct Memory {
  double a = 0, b = 0;
};

/// What is taken off a weight, but for the rate, in step t = 1, 2, ... (g: the gradient after clipping).
using Rule = std::function<double(double g, Memory& memory, int t)>;

double plain(double g, Memory&, int) {
  return g;
}
Rule momentum(double mu, bool nesterov) {  // Polyak 1964; Sutskever et al. 2013 with v = -(their v) / η
  return [=](double g, Memory& m, int) {
    m.a = mu * m.a + g;
    return nesterov ? g + mu * m.a : m.a;
  };
}
Rule adagrad(double eps) {  // Duchi, Hazan, Singer 2011
  return [=](double g, Memory& m, int) {
    m.a += g * g;
    return g / (std::sqrt(m.a) + eps);
  };
}
Rule rmsprop(double rho, double eps) {  // Tieleman, Hinton 2012
  return [=](double g, Memory& m, int) {
    m.a = rho * m.a + (1 - rho) * g * g;
    return g / (std::sqrt(m.a) + eps);
  };
}
Rule adam(double b1, double b2, double eps) {  // Kingma, Ba 2015, algorithm 1
  return [=](double g, Memory& m, int t) {
    m.a = b1 * m.a + (1 - b1) * g;
    m.b = b2 * m.b + (1 - b2) * g * g;
    return m.a / (1 - std::pow(b1, t)) / (std::sqrt(m.b / (1 - std::pow(b2, t))) + eps);
  };
}

using Clip = std::function<void(Numbers& g)>;
void no_clip(Numbers&) {}
Clip clip_norm(double c) {  // Pascanu et al. 2013, algorithm 1
  return [=](Numbers& g) {
    const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
    if (norm > c)
      for (double& v : g) v *= c / norm;
  };
}
Clip clip_value(double c) {
  return [=](Numbers& g) {
    for (double& v : g) v = v > c ? c : v < -c ? -c : v;
  };
}

/// The factor of the rate: epoch and step from 1; how often `halve` acted.
using Factor = std::function<double(int epoch, int halvings)>;
double always(int, int) {
  return 1;
}

struct Case {
  std::string name, settings;
  Rule rule = plain;
  double decay = 0;
  Clip clip = no_clip;
  Factor factor = always;
  int halve = 0, stop = 0;  // patience
};

std::vector<Case> cases() {
  const std::string sgd = "optimizer sgd(0.0625)\n";
  std::vector<Case> list = {
      {"sgd", sgd, plain},
      {"sgd_decay", "optimizer sgd(0.0625, decay = 0.5)", plain, 0.5},
      {"momentum", "optimizer sgd(0.0625, momentum = 0.75)", momentum(0.75, false)},
      {"momentum_decay", "optimizer sgd(0.0625, momentum = 0.75, decay = 0.25)", momentum(0.75, false), 0.25},
      {"nesterov", "optimizer sgd(0.0625, momentum = 0.75, nesterov = yes)", momentum(0.75, true)},
      {"nesterov_decay", "optimizer sgd(0.0625, 0.75, nesterov = yes, decay = 0.25)", momentum(0.75, true),
       0.25},
      {"adagrad", "optimizer adagrad(0.0625)", adagrad(1e-8)},
      {"adagrad_decay", "optimizer adagrad(0.0625, decay = 0.5)", adagrad(1e-8), 0.5},
      {"rmsprop", "optimizer rmsprop(0.0625, rho = 0.875)", rmsprop(0.875, 1e-8)},
      {"rmsprop_decay", "optimizer rmsprop(0.0625, 0.875, decay = 0.5)", rmsprop(0.875, 1e-8), 0.5},
      {"adam", "optimizer adam(0.0625)", adam(0.9, 0.999, 1e-8)},
      {"adam_all", "optimizer adam(0.0625, 0.75, 0.96875, 0.0009765625)", adam(0.75, 0.96875, 0.0009765625)},
      {"adamw", "optimizer adam(0.0625, decay = 0.5)", adam(0.9, 0.999, 1e-8), 0.5},
      {"clip_norm", sgd + "clip norm(0.5)", plain, 0, clip_norm(0.5)},
      {"clip_value", sgd + "clip value(0.25)", plain, 0, clip_value(0.25)},
      {"clip_both", sgd + "clip norm(0.25), value(0.2)", plain, 0, [](Numbers& g) {
         clip_value(0.2)(g);  // first each number, then all together
         clip_norm(0.25)(g);
       }}};
  const auto scheduled = [&](const std::string& name, const std::string& schedule, Factor factor) {
    list.push_back({name, sgd + "schedule " + schedule, plain, 0, no_clip, std::move(factor)});
  };
  // One step an epoch: the step's number is the epoch's.
  scheduled("decay", "decay(after = 3, factor = 0.5)",
            [](int e, int) { return e > 3 ? std::pow(0.5, e - 3) : 1.0; });
  scheduled("cosine", "cosine",
            [](int e, int) { return 0.5 * (1 + std::cos(std::numbers::pi * (e - 1) / kEpochs)); });
  scheduled("warmup", "warmup(5)", [](int e, int) { return e < 5 ? e / 5.0 : 1.0; });
  scheduled("several", "warmup(4), cosine, decay(after = 6, factor = 0.25)", [](int e, int) {
    return std::min(1.0, e / 4.0) * 0.5 * (1 + std::cos(std::numbers::pi * (e - 1) / kEpochs)) *
           (e > 6 ? std::pow(0.25, e - 6) : 1.0);
  });
  // A rate at which the valid loss rises, until it was halved often enough.
  list.push_back({"halve", "optimizer sgd(0.0625, momentum = 0.96875)\nschedule halve(patience = 2)",
                  momentum(0.96875, false), 0, no_clip, [](int, int h) { return std::pow(0.5, h); }, 2});
  list.push_back({"stop", "optimizer sgd(0.0625, momentum = 0.96875)\nstop patience(3)",
                  momentum(0.96875, false), 0, no_clip, always, 0, 3});
  return list;
}

class Optimizers : public testing::TestWithParam<Case> {};

TEST_P(Optimizers, AreThoseOfThePapers) {
  const Case& c = GetParam();
  // The papers.
  Numbers w = {0.5, -1, 0.25};
  std::vector<Memory> memory(3);
  double best = INFINITY;
  int since_best = 0, since_halving = 0, halvings = 0, epochs = 0;
  for (int t = 1; t <= kEpochs && !(c.stop > 0 && since_best == c.stop); ++t) {
    Numbers g = gradient_of(w);
    c.clip(g);
    const double rate = kRate * c.factor(t, halvings);
    for (size_t i = 0; i < 3; ++i) w[i] -= rate * c.rule(g[i], memory[i], t) + rate * c.decay * w[i];
    const double loss = loss_of(w, kValid);
    ++since_best;
    ++since_halving;
    if (loss < best) {
      best = loss;
      since_best = since_halving = 0;
    }
    if (c.halve > 0 && since_halving == c.halve) {
      ++halvings;
      since_halving = 0;
    }
    epochs = t;
  }
  ASSERT_TRUE(c.halve == 0 || halvings >= 2) << "the case shows nothing";
  ASSERT_TRUE(c.stop == 0 || epochs < kEpochs) << "the case shows nothing";

  // The compiler.
  const TemporaryFolder folder;
  folder.write("train.csv", csv(kTrain));
  folder.write("valid.csv", csv(kValid));
  folder.write("m.rnn", R"(
data d {
  train "train.csv" as csv
  valid "valid.csv" as csv
  x: [F] = numbers(col(1), col(2))
  y: []  = number(col(3))
}
model m(x: [F]) -> (p: []) {
  param w: [F] = 0
  param b: []  = 0
  p = x @ w + b
}
train m on d {
  loss   squared_error(p, y)
  batch  all
  epochs 12
)" + c.settings + "\n}\n");
  // First values that are no zeros come from a saved model.
  const std::vector<float> first = {0.5F, -1.0F, 0.25F};
  ModelInfo info;
  info.model = "m";
  save_model(folder / "first.model",
             std::vector{tensor_view("w", {2}, std::span(first).first(2)),
                         tensor_view("b", {}, std::span(first).last(1))},
             info);
  const Outcome outcome = run_rnnc({"train", folder / "m.rnn", "--model", folder / "m.model", "--json",
                                    "--quiet", "--set", "load=" + (folder / "first.model")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["epochs"].size(), size_t(epochs));
  const TrainingState state = load_state(folder / "m.model.state");
  std::vector<float> got = state.tensors.at("current/w").floats();
  got.push_back(state.tensors.at("current/b").floats().at(0));
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(got[i], w[i], 2e-5 * (1 + std::abs(w[i]))) << i;
}

INSTANTIATE_TEST_SUITE_P(All, Optimizers, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rnnc::test
