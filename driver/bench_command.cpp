// `rnnc bench`: the ladder of one model, from one kernel an op to all passes, with this machine's peak beside
// it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/peak.h"
#include "driver/commands.h"
#include "driver/compiler.h"
#include "driver/ladder.h"
#include "driver/parameters.h"
#include "driver/subject.h"
#include "runtime/bandwidth.h"

namespace rnnc {
namespace {

struct Machine {
  std::string cpu;
  double peak_gflops = 0, bandwidth_gbs = 0;
};

/// As Linux names it; the architecture if it does not.
std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(':');
    if (colon != std::string::npos) return line.substr(std::min(line.size(), colon + 2));
  }
  return "unknown";
}

/// The median length of the training rows: what a step of this data is like.
std::vector<int32_t> typical_lengths(const Dataset& dataset) {
  std::vector<int32_t> result;
  for (const std::string& dimension : dataset.dimensions) {
    std::vector<int64_t> lengths;
    for (size_t f = 0; f < dataset.fields.size() && lengths.empty(); ++f) {
      if (dataset.fields[f].dimension == dimension)
        for (int64_t row : dataset.train) lengths.push_back(dataset.length(f, row));
      const std::vector<int64_t>& inner = dataset.data[f].inner;
      for (size_t e = 1; e < inner.size() && dataset.fields[f].inside == dimension; ++e)
        lengths.push_back(inner[e] - inner[e - 1]);
    }
    std::nth_element(lengths.begin(), lengths.begin() + long(lengths.size() / 2), lengths.end());
    result.push_back(std::max<int32_t>(1, int32_t(lengths.empty() ? 1 : lengths[lengths.size() / 2])));
  }
  return result;
}

nlohmann::json to_json(const Rung& r, int64_t flops) {
  return {{"name", r.name},
          {"min_ms", r.min_ms},
          {"median_ms", r.median_ms},
          {"gflops", double(flops) / r.min_ms / 1e6},
          {"products", r.report.products},
          {"kernels", r.report.kernels},
          {"commands", r.commands_run},
          {"bytes_moved", r.bytes_moved},
          {"arena_bytes", r.report.arena_bytes},
          {"compile_ms", r.report.total_ms},
          {"max_difference", r.max_difference},
          {"where_ms",
           {{"products", r.where.products},
            {"weight_gradients", r.where.weight_gradients},
            {"pointwise", r.where.pointwise},
            {"packing", r.where.packing},
            {"sums_and_scatters", r.where.other}}}};
}

void print_table(const Ladder& ladder, const Machine& machine) {
  fmt::print("{:<24} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8} {:>8} {:>9} {:>9} {:>9} {:>10}\n", "", "min ms",
             "median", "speed-up", "GFLOP/s", "% peak", "products", "kernels", "commands", "MB moved",
             "arena MB", "compile ms");
  for (const Rung& r : ladder.rungs) {
    const double gflops = double(ladder.flops) / r.min_ms / 1e6;
    fmt::print(
        "{:<24} {:>8.3f} {:>8.3f} {:>8.2f} {:>8.1f} {:>6.1f} {:>8} {:>8} {:>9} {:>9.1f} {:>9.1f} {:>10.0f}\n",
        r.name, r.min_ms, r.median_ms, ladder.rungs[0].min_ms / r.min_ms, gflops,
        100 * gflops / machine.peak_gflops, r.report.products, r.report.kernels, r.commands_run,
        double(r.bytes_moved) / 1e6, double(r.report.arena_bytes) / 1e6, r.report.total_ms);
  }
  fmt::print("\nwhere the time goes, ms on one thread\n{:<24} {:>9} {:>17} {:>10} {:>8} {:>18}\n", "",
             "products", "weight gradients", "pointwise", "packing", "sums and scatters");
  for (const Rung& r : ladder.rungs) {
    fmt::print("{:<24} {:>9.3f} {:>17.3f} {:>10.3f} {:>8.3f} {:>18.3f}\n", r.name, r.where.products,
               r.where.weight_gradients, r.where.pointwise, r.where.packing, r.where.other);
  }
}

}  // namespace

int bench_command(const Options& options) {
  const Experiment experiment = open_experiment(options);
  const Subject subject = open_subject(experiment, options);
  const Lowered& lowered = subject.lowered;

  LadderOptions ladder_options;
  ladder_options.compile = subject.compile_options(options, typical_lengths(subject.dataset));
  const CompileOptions& compile = ladder_options.compile;
  ladder_options.threads = thread_count(options);
  ladder_options.repeat = int(options.repeat);
  ladder_options.seed = subject.settings.seed;
  ladder_options.trace = options.trace;

  Jit jit = make_jit(options);
  Machine machine{cpu_name()};
  {
    Team team(ladder_options.threads);
    machine.peak_gflops = measure_peak_gflops(jit, team);
    machine.bandwidth_gbs = measure_bandwidth(team);
  }
  const Ladder ladder = run_ladder(
      lowered, ladder_options,
      [&](Variables& variables) { initialize_parameters(lowered.model, subject.settings.seed, variables); },
      jit);

  const int64_t steps = compile.time_steps.empty() ? 1 : compile.time_steps[0];
  const double speedup = ladder.rungs.front().min_ms / ladder.rungs.back().min_ms;
  double largest = 0;
  for (const Rung& r : ladder.rungs) largest = std::max(largest, r.max_difference);
  if (options.json) {
    nlohmann::json rungs = nlohmann::json::array();
    for (const Rung& r : ladder.rungs) rungs.push_back(to_json(r, ladder.flops));
    const nlohmann::json result = {{"machine",
                                    {{"cpu", machine.cpu},
                                     {"target", jit.target().name},
                                     {"threads", ladder_options.threads},
                                     {"peak_gflops", machine.peak_gflops},
                                     {"bandwidth_gbs", machine.bandwidth_gbs}}},
                                   {"model", subject.model},
                                   {"mode", options.mode},
                                   {"time_steps", steps},
                                   {"batch", compile.batch_capacity},
                                   {"rungs", rungs},
                                   {"speedup", speedup}};
    fmt::print("{}\n", result.dump());
    return kDone;
  }
  fmt::print("{}, {}, {} thread{}: peak {:.0f} GFLOP/s, memory {:.0f} GB/s\n", machine.cpu, jit.target().name,
             ladder_options.threads, ladder_options.threads == 1 ? "" : "s", machine.peak_gflops,
             machine.bandwidth_gbs);
  fmt::print("{}: {} step of {} rows, {} time steps; {} runs of each, interleaved\n\n", subject.model,
             compile.kind == ProgramKind::Train ? "a training" : "a prediction", compile.batch_capacity,
             steps, ladder_options.repeat);
  print_table(ladder, machine);
  fmt::print("\nfused {:.2f} times as fast as unfused; largest difference between rungs {:.1e}\n", speedup,
             largest);
  return kDone;
}

}  // namespace rnnc
