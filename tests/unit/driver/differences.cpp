// See differences.h.
#include "tests/unit/driver/differences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "passes/passes.h"

namespace rnnc::test {
namespace {

double dot(const Tensor& a, const Tensor& b) {
  double s = 0;
  for (size_t i = 0; i < a.data.size(); ++i) s += a.data[i] * b.data[i];
  return s;
}

}  // namespace

/// Roots of `graph`: `loss`, and `d NAME` for each name in `names`. Compares the derivative along a random
/// direction of each name, and of all at once, with the
/// central difference.
void check_gradients(const Graph& graph, const Tensors& values_given, const RowTable& table,
                     const std::vector<std::string>& names, double tolerance) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  const Tensors at = interpret_roots(graph, values_given, table).outputs;
  std::map<std::string, Tensor> direction;
  for (const std::string& name : names) {
    Tensor d = values_given.find(name)->second;
    for (double& v : d.data) v = normal(random);
    ASSERT_EQ(at.find("d " + name)->second.data.size(), d.data.size()) << name;
    direction[name] = std::move(d);
  }
  Graph loss_only = graph;  // only the loss is needed off the point
  std::erase_if(loss_only.roots, [](const Root& root) { return root.name != "loss"; });
  loss_only = dce(loss_only);
  auto along = [&](const std::vector<std::string>& moved) {
    double expected = 0;
    for (const std::string& name : moved) expected += dot(at.find("d " + name)->second, direction[name]);
    auto loss = [&](double by) {
      Tensors values = values_given;
      for (const std::string& name : moved) {
        Tensor& t = values.find(name)->second;
        for (size_t i = 0; i < t.data.size(); ++i) t.data[i] += by * direction[name].data[i];
      }
      return interpret_roots(loss_only, values, table).outputs.find("loss")->second.data[0];
    };
    // of fourth order: directions are long, with many parameters
    const double h = 3e-5;
    const double difference = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h);
    const double scale = std::max({std::abs(expected), std::abs(difference), 1e-3});
    EXPECT_LT(std::abs(expected - difference) / scale, tolerance) << fmt::format(
        "d loss along {}: {} by the graph, {} by differences", fmt::join(moved, ", "), expected, difference);
  };
  for (const std::string& name : names) along({name});
  along(names);
}

}  // namespace rnnc::test
