// The optimizers, against steps computed here in double precision from their papers.
#include "passes/training.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/verify.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

constexpr double kRate = 0.05;

/// loss = Σ (x·W + b)² / 2 over a batch: dW = xᵀ·y, db = Σ_rows y.
struct Setting {
  std::vector<Parameter> parameters = {{"W", 3, 2, {3, 2}, {}, false}, {"b", 1, 2, {2}, {}, false}};
  Graph graph;

  Setting() {
    Graph& g = graph;
    const NodeId x = g.input("x", {Type::F32, Rows::batch(), 3});
    const NodeId y = g.binary(Op::Add, g.matmul(x, g.variable("W", 3, 2)), g.variable("b", 1, 2));
    const NodeId square = g.binary(Op::Mul, g.constant(0.5), g.binary(Op::Mul, y, y));
    g.roots = {{"loss", g.unary(Op::SumRows, g.unary(Op::SumCols, square))}, {"figure", y}};
  }
};

using Numbers = std::vector<double>;

/// The gradients of W and b.
std::map<std::string, Numbers> gradients(const Tensors& at) {
  const Tensor &x = at.find("x")->second, &W = at.find("W")->second, &b = at.find("b")->second;
  std::map<std::string, Numbers> d = {{"W", Numbers(6)}, {"b", Numbers(2)}};
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < 2; ++c) {
      double y = b.at(0, c);
      for (int64_t k = 0; k < 3; ++k) y += x.at(r, k) * W.at(k, c);
      for (int64_t k = 0; k < 3; ++k) d["W"][size_t(k * 2 + c)] += x.at(r, k) * y;
      d["b"][size_t(c)] += y;
    }
  }
  return d;
}

/// One element's step: the papers, line by line. `state` is changed.
double step(const Optimizer& o, double w, double g, std::map<std::string, double>& state, int t) {
  double update = 0;
  switch (o.kind) {
    case Optimizer::Sgd: {
      if (o.momentum == 0) {
        update = g;
        break;
      }
      double& v = state["%v"];
      v = o.momentum * v + g;
      update = o.nesterov ? g + o.momentum * v : v;
      break;
    }
    case Optimizer::AdaGrad: {
      double& s = state["%s"];
      s += g * g;
      update = g / (std::sqrt(s) + o.eps);
      break;
    }
    case Optimizer::RmsProp: {
      double& s = state["%s"];
      s = o.rho * s + (1 - o.rho) * g * g;
      update = g / (std::sqrt(s) + o.eps);
      break;
    }
    case Optimizer::Adam: {
      double &m = state["%m"], &v = state["%v"];
      m = o.beta1 * m + (1 - o.beta1) * g;
      v = o.beta2 * v + (1 - o.beta2) * g * g;
      update = m / (1 - std::pow(o.beta1, t)) / (std::sqrt(v / (1 - std::pow(o.beta2, t))) + o.eps);
      break;
    }
  }
  return w - kRate * update - kRate * o.decay * w;
}

struct Case {
  std::string name;
  Optimizer optimizer;
};

std::vector<Case> cases() {
  std::vector<Case> list = {
      {"sgd", {}},
      {"momentum", {.momentum = 0.9}},
      {"nesterov", {.momentum = 0.8, .nesterov = true}},
      {"adagrad", {.kind = Optimizer::AdaGrad, .eps = 1e-6}},
      {"rmsprop", {.kind = Optimizer::RmsProp, .rho = 0.95}},
      {"adam", {.kind = Optimizer::Adam}},
      {"adam_other", {.kind = Optimizer::Adam, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-3}}};
  const size_t plain = list.size();
  for (size_t i = 0; i < plain; ++i) {
    Case c = list[i];
    c.name += "_decay";
    c.optimizer.decay = 0.02;
    list.push_back(c);
  }
  for (const auto clip : {&Optimizer::clip_norm, &Optimizer::clip_value}) {
    for (const double at : {0.3, 1e6}) {  // it bites, it does not
      Case c{fmt::format("clip_{}_{}", clip == &Optimizer::clip_norm ? "norm" : "value",
                         at < 1 ? "small" : "large"),
             {}};
      c.optimizer.*clip = at;
      c.optimizer.momentum = 0.9;
      list.push_back(c);
    }
  }
  return list;
}

class Training : public testing::TestWithParam<Case> {};

TEST_P(Training, StepsAreThoseOfThePaper) {
  const Optimizer& o = GetParam().optimizer;
  const Setting setting;
  const Graph g = add_training(setting.graph, setting.parameters, o);
  ASSERT_NO_THROW(verify(g));
  Tensors at;
  {
    const test::Sample s = test::sample(setting.graph, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, 11);
    at = s.values;
  }
  std::map<std::string, std::vector<std::map<std::string, double>>> state;  // parameter, element, name
  for (const Parameter& p : setting.parameters) {
    state[p.name].resize(size_t(p.rows * p.cols));
    for (const std::string& name : state_names(o, p.name)) {
      at[name] = at.find(p.name)->second;
      for (double& v : at[name].data) v = 0;
    }
  }
  RowTable table;
  table.batch = 5;
  for (int t = 1; t <= 4; ++t) {
    for (const char* name : {kRateInput, kCorrection1Input, kCorrection2Input})
      at[name] = make_tensor({}, table);
    at[kRateInput].data = {kRate};
    at[kCorrection1Input].data = {1 - std::pow(o.beta1, t)};
    at[kCorrection2Input].data = {1 - std::pow(o.beta2, t)};
    const RootValues roots = interpret_roots(g, at, table);

    std::map<std::string, Numbers> d = gradients(at);
    double norm = 0;
    for (const auto& [name, values] : d) {
      for (double v : values) norm += v * v;
    }
    norm = std::sqrt(norm);
    EXPECT_NEAR(roots.outputs.find("gradient_norm")->second.data[0], norm, 1e-12 * norm);
    for (auto& [name, values] : d) {
      for (double& v : values) {
        if (o.clip_norm > 0 && norm > o.clip_norm) v *= o.clip_norm / norm;
        if (o.clip_value > 0) v = std::max(-o.clip_value, std::min(o.clip_value, v));
      }
    }
    for (const Parameter& p : setting.parameters) {
      for (size_t i = 0; i < d[p.name].size(); ++i) {
        const double want = step(o, at.find(p.name)->second.data[i], d[p.name][i], state[p.name][i], t);
        EXPECT_NEAR(roots.assigned.find(p.name)->second.data[i], want, 1e-12) << p.name << " step " << t;
        for (const auto& [suffix, value] : state[p.name][i])
          EXPECT_NEAR(roots.assigned.find(p.name + suffix)->second.data[i], value,
                      1e-12 * (1 + std::abs(value)))
              << p.name << suffix << " step " << t;
      }
    }
    EXPECT_EQ(roots.assigned.size(), 2 * (1 + state_names(o, "").size()));
    for (const auto& [name, value] : roots.assigned) at[name].data = value.data;
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, Training, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Training, RootsAreLossNormAndAssignments) {
  const Setting setting;
  const Graph g = add_training(setting.graph, setting.parameters, {.kind = Optimizer::Adam});
  std::vector<std::string> names;
  for (const Root& root : g.roots) names.push_back(fmt::format("{}{}", root.assign ? "=" : "", root.name));
  EXPECT_THAT(names, testing::UnorderedElementsAre("loss", "gradient_norm", "=W", "=W%m", "=W%v", "=b",
                                                   "=b%m", "=b%v"));
}

TEST(Training, FrozenParametersStay) {
  Setting setting;
  setting.parameters[0].frozen = true;
  const Graph g = add_training(setting.graph, setting.parameters, {});
  for (const Root& root : g.roots) EXPECT_NE(root.name, "W");
  setting.parameters[1].frozen = true;  // nothing to train: the loss alone
  EXPECT_EQ(add_training(setting.graph, setting.parameters, {}).roots.size(), 1u);
}

TEST(Training, AParameterThatTheLossDoesNotReadKeepsItsValue) {
  Setting setting;
  setting.parameters.push_back({"unused", 2, 2, {2, 2}, {}, false});
  const Graph g = add_training(setting.graph, setting.parameters, {.momentum = 0.9});
  ASSERT_NO_THROW(verify(g));
  test::Sample s = test::sample(g, {1, 1}, {1, 1}, 1);
  s.values["unused%v"].data.assign(4, 0);
  const RootValues roots = interpret_roots(g, s.values, s.table());
  EXPECT_EQ(roots.assigned.find("unused")->second.data, s.values["unused"].data);
}

TEST(Training, RefusesAGraphWithoutALoss) {
  Setting setting;
  setting.graph.roots[0].name = "cost";
  EXPECT_THROW(add_training(setting.graph, setting.parameters, {}), GraphError);
}

TEST(Training, AZeroGradientIsNotDividedBy) {
  const Setting setting;
  for (const Optimizer::Kind kind :
       {Optimizer::Sgd, Optimizer::AdaGrad, Optimizer::RmsProp, Optimizer::Adam}) {
    Optimizer o;
    o.kind = kind;
    o.clip_norm = 1;
    const Graph g = add_training(setting.graph, setting.parameters, o);
    test::Sample s = test::sample(g, {1}, {1}, 1);
    for (auto& [name, value] : s.values) {
      if (!name.starts_with("%")) value.data.assign(value.data.size(), 0);
    }
    const RootValues roots = interpret_roots(g, s.values, s.table());
    for (const auto& [name, value] : roots.assigned) EXPECT_THAT(value.data, testing::Each(0.0)) << name;
  }
}

}  // namespace
}  // namespace rnnc
