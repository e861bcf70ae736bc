// `rnnc compile`: any stage as text, or what compiling costs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/compiler.h"
#include "driver/memory_limit.h"
#include "driver/subject.h"
#include "frontend/print_syntax.h"
#include "frontend/suggest.h"
#include "ir/dot.h"
#include "ir/print.h"

namespace rnnc {
namespace {

constexpr std::array kStages = {"ast", "model", "graph", "fused", "plan", "llvm", "asm", "dot"};

/// What is compiled: the model of the only task, with the batch and length wanted.
struct Wanted {
  Lowered lowered;
  CompileOptions compile;
};

Wanted wanted(const Experiment& experiment, const Options& options) {
  Subject subject = open_subject(experiment, options);
  CompileOptions compile =
      subject.compile_options(options, longest_rows(subject.dataset), tree_sizes(subject.dataset));
  return {std::move(subject.lowered), std::move(compile)};
}

std::string print_model(const Model& model) {
  std::string s = fmt::format("model {}\n", model.name);
  for (const Parameter& p : model.parameters)
    s += fmt::format("parameter \"{}\" : [{}]{}\n", p.name, fmt::join(p.dims, ", "),
                     p.frozen ? " frozen" : "");
  s += print(model.graph);
  for (size_t i = 0; i < model.scans.size(); ++i) {
    const ScanBody& b = model.scans[i];
    s += fmt::format("\nscan {}{} along {}: {} sequences, {} constants, {} states\n{}", i,
                     b.reverse ? " reverse" : "", model.spaces[size_t(b.dim)].name, b.sequences, b.constants,
                     b.states, print(b.body));
    s += fmt::format("next %{}\nresults %{}\n", fmt::join(b.next, " %"), fmt::join(b.results, " %"));
  }
  return s;
}

void emit(const Options& options, const Experiment& experiment) {
  if (std::find(kStages.begin(), kStages.end(), options.emit) == kStages.end()) {
    const std::string near = suggest(options.emit, std::vector<std::string>(kStages.begin(), kStages.end()));
    refuse_command(fmt::format("there is no stage `{}`", options.emit),
                   near.empty() ? fmt::format("the stages are: {}", fmt::join(kStages, ", ")) : near);
  }
  if (options.emit == "ast") {
    fmt::print("{}", print_syntax(experiment.checked.file));
    return;
  }
  const Wanted w = wanted(experiment, options);
  if (options.emit == "model") {
    fmt::print("{}", print_model(w.lowered.model));
    return;
  }
  const Graph graph = build_graph(w.lowered, w.compile);
  if (options.emit == "graph") {
    fmt::print("{}", print(graph));
    return;
  }
  const Graph fused = run_pipeline(graph, {w.compile.disabled_passes, {}});
  if (options.emit == "fused") {
    fmt::print("{}", print(fused));
  } else if (options.emit == "dot") {
    fmt::print("{}", to_dot(fused));
  } else {
    const Target target = target_by_name(options.target);
    const Plan plan = make_plan(fused, plan_options(w.lowered.model.spaces, w.compile, target));
    if (options.emit == "plan") fmt::print("{}", to_string(plan));
    else if (options.emit == "llvm") fmt::print("{}", Jit(target).ir(plan.kernels));
    else fmt::print("{}", Jit(target).assembly(plan.kernels));
  }
}

nlohmann::json to_json(const CompileReport& r, int32_t time_steps, int64_t batch) {
  nlohmann::json passes = nlohmann::json::array();
  for (const PassReport& p : r.passes)
    passes.push_back({{"name", p.name}, {"ms", p.milliseconds}, {"nodes", p.nodes}});
  return {{"time_steps", time_steps},
          {"batch", batch},
          {"nodes", r.nodes},
          {"products", r.products},
          {"kernels", r.kernels},
          {"commands", r.commands},
          {"loops", r.loops},
          {"arena_bytes", r.arena_bytes},
          {"memory_bytes", r.memory_bytes},
          {"passes", passes},
          {"unroll_ms", r.unroll_ms},
          {"plan_ms", r.plan_ms},
          {"llvm_ms", r.llvm_ms},
          {"total_ms", r.total_ms},
          {"cached", r.functions > 0 && r.from_disk == r.functions},
          {"functions", r.functions},
          {"from_disk", r.from_disk},
          {"segment_steps", r.segments.on() ? nlohmann::json(r.segments.steps) : nullptr}};
}

/// One row a length: the work of LLVM does not grow with it.
void time_compilation(const Options& options, const Experiment& experiment) {
  Wanted w = wanted(experiment, options);
  const bool sequences = !w.compile.time_steps.empty();
  std::vector<int32_t> lengths{10, 100, 1000};
  if (options.time_steps || !sequences) lengths = {sequences ? w.compile.time_steps[0] : 1};
  nlohmann::json all = nlohmann::json::array();
  if (!options.json) {
    fmt::print("{:>6} {:>9} {:>9} {:>8} {:>9} {:>6} {:>11} {:>9} {:>9} {:>8} {:>8} {:>9} {:>9}\n", "steps",
               "nodes", "products", "kernels", "commands", "loops", "arena MiB", "unroll ms", "passes ms",
               "plan ms", "LLVM ms", "total ms", "from disk");
  }
  for (int32_t steps : lengths) {
    w.compile.time_steps.assign(w.compile.time_steps.size(), steps);
    w.compile.trees.clear();
    Jit jit = make_jit(options);  // a fresh one: only what an earlier command left on disk helps
    const Compiled compiled = compile(w.lowered, w.compile, jit);
    const CompileReport& r = compiled.report;
    double passes = 0;
    for (const PassReport& p : r.passes) passes += p.milliseconds;
    all.push_back(to_json(r, steps, w.compile.batch_capacity));
    if (options.json) continue;
    fmt::print(
        "{:>6} {:>9} {:>9} {:>8} {:>9} {:>6} {:>11.1f} {:>9.1f} {:>9.1f} {:>8.1f} {:>8.1f} {:>9.1f} {:>9}\n",
        steps, r.nodes, r.products, r.kernels, r.commands, r.loops, double(r.arena_bytes) / (1 << 20),
        r.unroll_ms, passes, r.plan_ms, r.llvm_ms, r.total_ms,
        fmt::format("{}/{}", r.from_disk, r.functions));
    const std::string cut = cut_text(r.segments, compiled.plan.program);
    if (!cut.empty()) fmt::print("{:>6} {}\n", "", cut);
  }
  if (!options.json) return;
  nlohmann::json result = all.back();
  if (all.size() > 1) result["lengths"] = all;
  fmt::print("{}\n", result.dump());
}

}  // namespace

int compile_command(const Options& options) {
  const Experiment experiment = open_experiment(options);
  if (!options.emit.empty()) emit(options, experiment);
  else time_compilation(options, experiment);
  return kDone;
}

}  // namespace rnnc
