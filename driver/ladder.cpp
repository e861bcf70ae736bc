// Measuring the ladder: see ladder.h.
#include "driver/ladder.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "runtime/errors.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

constexpr double kRate = 1e-3;
constexpr double kMostDifference = 1e-3;  // f32 sums in other orders; a wrong pass is off by far more

/// One rung, ready to run.
struct Ready {
  Rung rung;
  Plan plan;
  std::unique_ptr<Variables> variables;
  std::unique_ptr<Session> session;
  std::vector<double> times;
};

std::map<std::string, std::vector<float>> numbers(const Ready& r) {
  std::map<std::string, std::vector<float>> result;
  for (const ProgramOutput& output : r.plan.program.outputs)
    result[output.name] = r.session->output(output.name);
  for (const auto& [name, variable] : r.variables->all()) {
    if (name.find("%m") == std::string::npos && name.find('%') != std::string::npos) continue;
    const auto values = variable->values();
    result["variable " + name] = {values.begin(), values.end()};
  }
  return result;
}

/// Adam's first step is its rate times the sign of the gradient, whatever its size: compare the moments
/// instead of the parameters, where there are moments.
double difference(const std::map<std::string, std::vector<float>>& a,
                  const std::map<std::string, std::vector<float>>& b) {
  double worst = 0;
  for (const auto& [name, x] : a) {
    const auto y = b.find(name);
    if (y == b.end() || y->second.size() != x.size()) return INFINITY;
    if (name.starts_with("variable ") && a.count(name + "%m")) continue;
    double scale = 1e-6;
    for (float v : x) scale = std::max(scale, std::abs(double(v)));
    for (size_t i = 0; i < x.size(); ++i) {
      const double d = std::abs(double(x[i]) - y->second[i]) / scale;
      worst = std::isnan(d) ? INFINITY : std::max(worst, d);
    }
  }
  return worst;
}

double run_once(Ready& r, const SyntheticBatch& batch, Team& team) {
  batch.fill(*r.session, kRate);  // inputs give their memory away once they are read
  const auto begin = std::chrono::steady_clock::now();
  r.session->run(team);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  return time.count();
}

/// Where the time goes: the best of a few runs, command by command.
Rung::Where where_of(Ready& r, const SyntheticBatch& batch) {
  std::vector<double> best;
  for (int i = 0; i < 3; ++i) {
    std::vector<double> seconds;
    batch.fill(*r.session, kRate);
    r.session->run_timed(seconds);
    if (best.empty()) best = seconds;
    for (size_t c = 0; c < best.size(); ++c) best[c] = std::min(best[c], seconds[c]);
  }
  Rung::Where where;
  for (size_t c = 0; c < best.size(); ++c) {
    const Command& command = r.plan.program.commands[c];
    const double ms = best[c] * 1e3;
    if (command.kernel == Command::kReshape) {
      where.other += ms;
      continue;
    }
    if (command.kernel == Command::kPack) {
      where.packing += ms;
      continue;
    }
    const Kernel& kernel = r.plan.kernels[size_t(command.kernel)];
    switch (kernel.kind) {
      case KernelKind::Rows: (kernel.product.parts ? where.products : where.pointwise) += ms; break;
      case KernelKind::WeightGradient: where.weight_gradients += ms; break;
      case KernelKind::ColumnSum:
      case KernelKind::Scatter: where.other += ms; break;
    }
  }
  return where;
}

}  // namespace

Ladder run_ladder(const Lowered& lowered, const LadderOptions& options,
                  const std::function<void(Variables&)>& set_variables, Jit& jit) {
  Ladder ladder;
  const Graph plain = build_graph(lowered, options.compile);
  const SyntheticBatch batch(lowered.model, options.compile.batch_capacity, options.compile.time_steps,
                             options.seed);
  ladder.flops = flops(plain, batch.rows());

  std::vector<std::string> left_out;
  const PipelineOptions given{options.compile.disabled_passes, {}, {nullptr, options.compile.segments}};
  for (const Pass& pass : pipeline())
    if (pass.optional && runs(pass, given)) left_out.emplace_back(pass.name);
  std::vector<Ready> ready;
  for (size_t added = 0; added <= left_out.size(); ++added) {
    CompileOptions compile_options = options.compile;
    compile_options.disabled_passes.insert(compile_options.disabled_passes.end(),
                                           left_out.begin() + long(added), left_out.end());
    Ready r;
    r.rung.name = added == 0 ? "unfused" : "+ " + left_out[added - 1];
    Compiled compiled = compile(plain, compile_options, lowered.model.spaces, jit);
    r.rung.report = compiled.report;
    r.plan = std::move(compiled.plan);
    const Traffic moved = traffic(r.plan, batch.rows());
    r.rung.bytes_moved = moved.bytes;
    r.rung.commands_run = moved.commands;
    r.variables = std::make_unique<Variables>();
    r.session = std::make_unique<Session>(r.plan.program, *r.variables);
    set_variables(*r.variables);
    ready.push_back(std::move(r));
  }

  Team team(options.threads);
  for (Ready& r : ready) {
    run_once(r, batch, team);
    r.rung.max_difference = difference(numbers(ready[0]), numbers(r));
    if (!(r.rung.max_difference <= kMostDifference)) {
      throw RunError(fmt::format(
          "rung `{}` computes other numbers than the unfused graph: they differ by {:.2g} of their size",
          r.rung.name, r.rung.max_difference));
    }
  }
  for (int repeat = 0; repeat < options.repeat; ++repeat) {
    for (Ready& r : ready) r.times.push_back(run_once(r, batch, team));
  }
  if (options.trace != nullptr) {
    Team traced(options.threads, options.trace);
    for (Ready& r : ready) {
      const Stage stage(options.trace, r.rung.name);
      run_once(r, batch, traced);
    }
  }
  for (Ready& r : ready) {
    std::sort(r.times.begin(), r.times.end());
    r.rung.min_ms = r.times.front();
    r.rung.median_ms = r.times[r.times.size() / 2];
    r.rung.where = where_of(r, batch);
    ladder.rungs.push_back(std::move(r.rung));
  }
  return ladder;
}

}  // namespace rnnc
