// `rnnc gradcheck`: the derivative by every parameter against finite differences, both in double precision by
// the interpreter, and the compiled program's gradient beside them.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/parameters.h"
#include "driver/subject.h"
#include "driver/synthetic.h"
#include "passes/differentiate.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

constexpr double kStep = 1e-5;      // of the central difference, times the direction
constexpr double kAgrees = 1e-6;    // relative error of a right gradient
constexpr double kCompiled = 1e-3;  // the same of the compiled program, in f32
constexpr int64_t kRows = 3;
constexpr int32_t kLongest = 5;

struct Check {
  double error = 0;  // gradient by differentiation against finite differences, along one random direction
  double size = 0;   // of the gradient, Euclidean
  bool agrees = true;
  double compiled = 0;  // compiled gradient against the one in double, largest element
};

double loss_at(const Graph& forward, const Tensors& values, const RowTable& table) {
  return interpret_roots(forward, values, table).outputs.at("loss").data.at(0);
}

}  // namespace

int gradcheck_command(const Options& options) {
  const Experiment experiment = open_experiment(options);
  const Subject subject = open_subject(experiment, options);
  const Lowered& lowered = subject.lowered;
  const uint64_t seed = subject.settings.seed;
  const std::vector<Parameter>& parameters = lowered.model.parameters;

  CompileOptions compile_options;
  compile_options.batch_capacity = options.batch.value_or(kRows);
  const auto steps = int32_t(options.time_steps.value_or(kLongest));
  compile_options.time_steps.assign(lowered.model.dims.size(), steps);
  compile_options.disabled_passes = options.disabled_passes;
  compile_options.optimizer = {};  // sgd without clipping: w - rate · gradient
  const SyntheticBatch batch(lowered.model, compile_options.batch_capacity, compile_options.time_steps, seed,
                             true);

  const Graph forward = forward_graph(lowered, compile_options);
  Graph both = forward;
  std::vector<NodeId> weights;
  for (const Parameter& p : parameters) weights.push_back(both.variable(p.name, p.rows, p.cols));
  const auto loss = std::ranges::find(forward.roots, "loss", &Root::name);
  const std::vector<NodeId> gradients = differentiate(both, loss->node, weights);
  for (size_t i = 0; i < parameters.size(); ++i) both.roots.push_back({parameters[i].name, gradients[i]});

  // Everything at the first values of the parameters.
  Variables variables;
  Jit jit(target_by_name(options.target), thread_count(options));
  Session session(compile(lowered, compile_options, jit).plan.program, variables);
  initialize_parameters(lowered.model, seed, variables);
  Tensors values = batch.tensors(both, 1);
  for (const Parameter& p : parameters) {
    Tensor t = make_tensor({Type::F32, Rows::fixed(p.rows), p.cols}, batch.table());
    const auto first = variables.at(p.name).values();
    t.data.assign(first.begin(), first.end());
    values[p.name] = std::move(t);
  }
  const Tensors exact = interpret_roots(both, values, batch.table()).outputs;
  const double exact_loss = loss_at(forward, values, batch.table());
  constexpr double kRate =
      1 << 20;  // exact, and so large that rounding the new weight does not hide the gradient
  batch.fill(session, kRate);
  Team team(1);
  session.run(team);

  std::map<std::string, Check> checks;
  double worst = 0;
  bool agrees = true;
  for (const Parameter& p : parameters) {
    Check& check = checks[p.name];
    const Tensor at = values.at(p.name);
    const std::vector<double>& gradient = exact.at(p.name).data;
    const Random random(seed, place_of(p.name), 1);
    Tensor& moved = values.at(p.name);
    double expected = 0, size = 0;
    for (int sign : {1, -1}) {
      for (size_t i = 0; i < at.data.size(); ++i)
        moved.data[i] = at.data[i] + sign * kStep * random.normal(i);
      expected += sign * loss_at(forward, values, batch.table()) / (2 * kStep);
    }
    moved = at;
    double along = 0;
    for (size_t i = 0; i < at.data.size(); ++i) {
      along += gradient[i] * random.normal(i);
      size += gradient[i] * gradient[i];
    }
    check.size = std::max(std::sqrt(size), 1e-12);
    check.error = std::abs(along - expected) / check.size;
    // The rounding of the two losses limits what their difference can tell of a small gradient.
    const double rounding =
        8 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(exact_loss)) / kStep;
    check.agrees = check.error < kAgrees + rounding / check.size;
    const auto updated = variables.at(p.name).values();
    for (size_t i = 0; i < at.data.size() && !p.frozen; ++i) {
      check.compiled = std::max(
          check.compiled, std::abs((at.data[i] - double(updated[i])) / kRate - gradient[i]) / check.size);
    }
    worst = std::max(worst, check.error);
    check.agrees = check.agrees && check.compiled < kCompiled;
    agrees = agrees && check.agrees;
  }

  if (options.json) {
    nlohmann::json errors = nlohmann::json::object(), compiled = nlohmann::json::object();
    for (const auto& [name, check] : checks) {
      errors[name] = check.error;
      compiled[name] = check.compiled;
    }
    fmt::print(
        "{}\n",
        nlohmann::json{
            {"max_relative_error", worst}, {"parameters", errors}, {"compiled", compiled}, {"ok", agrees}}
            .dump());
  } else {
    fmt::print("{:<32} {:>22} {:>18}\n", "parameter", "finite differences", "compiled (f32)");
    for (const Parameter& p : parameters) {
      const Check& check = checks.at(p.name);
      fmt::print("{:<32} {:>22.1e} {:>18.1e}{}\n", p.name, check.error, check.compiled,
                 check.agrees ? "" : "   disagrees");
    }
    fmt::print("largest relative error {:.1e}\n", worst);
  }
  return agrees ? kDone : kFailed;
}

}  // namespace rnnc
