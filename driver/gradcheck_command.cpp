// `rnnc gradcheck`: the derivative by every parameter against finite differences, both in double precision by
// the interpreter, and the compiled program's gradient beside them. What disagrees is named: the equation
// whose derivative it is, or the pass without which the compiled program is right.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/compiler.h"
#include "driver/gradient_culprits.h"
#include "driver/parameters.h"
#include "driver/subject.h"
#include "driver/synthetic.h"
#include "passes/differentiate.h"
#include "passes/pipeline.h"
#include "runtime/random.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

constexpr double kAgrees = 1e-6;    // relative error of a right gradient
constexpr double kCompiled = 1e-3;  // the same of the compiled program, in f32
constexpr int64_t kRows = 3;
constexpr int32_t kLongest = 5;

struct Check {
  double error = 0;      // gradient by differentiation against finite differences, along one random direction
  double size = 0;       // of the gradient, Euclidean
  double compiled = 0;   // compiled gradient against the one in double, largest element
  bool differs = false;  // from differences
  bool compiled_differs = false;  // from the gradient in double
  bool agrees() const { return !differs && !compiled_differs; }
};

using Gradients = std::map<std::string, std::vector<double>>;

/// What one step of the compiled program subtracts from the parameters that it trains.
Gradients compiled_gradients(const Lowered& lowered, const CompileOptions& options, Jit& jit, uint64_t seed,
                             const SyntheticBatch& batch, Trace* trace = nullptr) {
  constexpr double kRate =
      1 << 20;  // exact, and so large that rounding the new weight does not hide the gradient
  Variables variables;
  Session session(compile(lowered, options, jit).plan.program, variables);
  initialize_parameters(lowered.model, seed, variables);
  Gradients gradients;
  auto values = [&](const Parameter& p) {
    const auto all = variables.at(p.name).values();
    return std::vector<double>(all.begin(), all.end());
  };
  for (const Parameter& p : lowered.model.parameters) {
    if (!p.frozen) gradients[p.name] = values(p);
  }
  batch.fill(session, kRate);
  Team team(1, trace);
  session.run(team);
  for (const Parameter& p : lowered.model.parameters) {
    if (p.frozen) continue;
    const std::vector<double> after = values(p);
    std::vector<double>& gradient = gradients.at(p.name);
    for (size_t i = 0; i < after.size(); ++i) gradient[i] = (gradient[i] - after[i]) / kRate;
  }
  return gradients;
}

/// Largest element of the difference of a parameter's two gradients.
double largest_difference(const Gradients& compiled, const Tensor& exact, const std::string& name) {
  const auto it = compiled.find(name);
  double largest = 0;
  for (size_t i = 0; it != compiled.end() && i < exact.data.size(); ++i)
    largest = std::max(largest, std::abs(it->second[i] - exact.data[i]));
  return largest;
}

/// A difference quotient along a direction: sum of weight · f(x + offset · step · direction) / step.
struct Stencil {
  double step;
  std::vector<std::pair<int, double>> points;  // offset, weight
};

// A gradient is right if one of them agrees. The first has the least rounding, its error is of the order of
// step^4. The others cross fewer corners of relu, max and abs, at the price of more rounding.
const Stencil kStencils[] = {{2e-4, {{-2, 1 / 12.0}, {-1, -8 / 12.0}, {1, 8 / 12.0}, {2, -1 / 12.0}}},
                             {1e-5, {{-1, -0.5}, {1, 0.5}}},
                             {1e-7, {{-1, -0.5}, {1, 0.5}}}};

double loss_at(const Graph& forward, const Tensors& values, const RowTable& table) {
  return interpret_roots(forward, values, table).outputs.at("loss").data.at(0);
}

/// Passes without which the compiled program's gradient is right.
std::vector<std::string> guilty_passes(const Lowered& lowered, const CompileOptions& options, Jit& jit,
                                       uint64_t seed, const SyntheticBatch& batch, const Tensors& exact,
                                       const std::map<std::string, Check>& checks) {
  std::vector<std::string> guilty;
  for (const Pass& pass : pipeline()) {
    if (!pass.optional || pass.cuts) continue;
    CompileOptions without = options;
    without.disabled_passes.emplace_back(pass.name);
    const Gradients gradients = compiled_gradients(lowered, without, jit, seed, batch);
    const bool right = std::ranges::all_of(checks, [&](const auto& item) {
      return largest_difference(gradients, exact.at(item.first), item.first) < kCompiled * item.second.size;
    });
    if (right) guilty.emplace_back(pass.name);
  }
  return guilty;
}

nlohmann::json json_of(const std::vector<Culprit>& culprits) {
  nlohmann::json list = nlohmann::json::array();
  for (const Culprit& c : culprits)
    list.push_back({{"equation", c.equation},
                    {"line", c.line},
                    {"operation", info(c.op).name},
                    {"corner", c.corner},
                    {"error", c.error}});
  return list;
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
  initialize_parameters(lowered.model, seed, variables);
  Jit jit = make_jit(options);
  const Gradients compiled = compiled_gradients(lowered, compile_options, jit, seed, batch, options.trace);
  Tensors values = batch.tensors(both, 1);
  for (const Parameter& p : parameters) {
    Tensor t = make_tensor({Type::F32, Rows::fixed(p.rows), p.cols}, batch.table());
    const auto first = variables.at(p.name).values();
    t.data.assign(first.begin(), first.end());
    values[p.name] = std::move(t);
  }
  const Tensors exact = interpret_roots(both, values, batch.table()).outputs;
  const double exact_loss = loss_at(forward, values, batch.table());

  std::map<std::string, Check> checks;
  double worst = 0;
  bool differs = false, compiled_differs = false;
  for (const Parameter& p : parameters) {
    Check& check = checks[p.name];
    const Tensor at = values.at(p.name);
    const std::vector<double>& gradient = exact.at(p.name).data;
    const Random random(seed, place_of(p.name), 1);
    Tensor& moved = values.at(p.name);
    double along = 0, size = 0;
    for (size_t i = 0; i < at.data.size(); ++i) {
      along += gradient[i] * random.normal(i);
      size += gradient[i] * gradient[i];
    }
    check.size = std::max(std::sqrt(size), 1e-12);
    check.error = std::numeric_limits<double>::infinity();
    check.differs = true;
    for (const Stencil& stencil : kStencils) {
      double expected = 0;
      for (const auto& [offset, weight] : stencil.points) {
        for (size_t i = 0; i < at.data.size(); ++i)
          moved.data[i] = at.data[i] + offset * stencil.step * random.normal(i);
        expected += weight * loss_at(forward, values, batch.table()) / stencil.step;
      }
      moved = at;
      const double error = std::abs(along - expected) / check.size;
      // The rounding of the losses limits what their difference can tell of a small gradient.
      const double rounding =
          8 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(exact_loss)) / stencil.step;
      check.error = std::min(check.error, std::isnan(error) ? check.error : error);
      check.differs = check.differs && !(error < kAgrees + rounding / check.size);
      if (!check.differs) break;
    }
    check.compiled = largest_difference(compiled, exact.at(p.name), p.name) / check.size;
    check.compiled_differs = !(check.compiled < kCompiled);
    worst = std::max(worst, check.error);
    differs = differs || check.differs;
    compiled_differs = compiled_differs || check.compiled_differs;
  }
  const std::vector<Culprit> culprits =
      differs ? find_culprits(forward, values, batch.table(), differentiate) : std::vector<Culprit>{};
  const std::vector<std::string> guilty =
      compiled_differs ? guilty_passes(lowered, compile_options, jit, seed, batch, exact, checks)
                       : std::vector<std::string>{};

  if (options.json) {
    nlohmann::json errors = nlohmann::json::object(), of_compiled = nlohmann::json::object();
    for (const auto& [name, check] : checks) {
      errors[name] = check.error;
      of_compiled[name] = check.compiled;
    }
    fmt::print("{}\n", nlohmann::json{{"max_relative_error", worst},
                                      {"parameters", errors},
                                      {"compiled", of_compiled},
                                      {"equations", json_of(culprits)},
                                      {"passes", guilty},
                                      {"ok", !differs && !compiled_differs}}
                           .dump());
  } else {
    fmt::print("{:<32} {:>22} {:>18}\n", "parameter", "finite differences", "compiled (f32)");
    for (const Parameter& p : parameters) {
      const Check& check = checks.at(p.name);
      fmt::print("{:<32} {:>22.1e} {:>18.1e}{}\n", p.name, check.error, check.compiled,
                 check.agrees() ? "" : "   disagrees");
    }
    fmt::print("largest relative error {:.1e}\n", worst);
    for (const Culprit& culprit : culprits) fmt::print("{}\n", to_string(culprit));
    if (differs && culprits.empty())
      fmt::print("each operation's own derivative agrees: the error is where they are summed\n");
    for (const std::string& pass : guilty) fmt::print("the compiled program agrees without {}\n", pass);
  }
  return differs || compiled_differs ? kFailed : kDone;
}

}  // namespace rnnc
