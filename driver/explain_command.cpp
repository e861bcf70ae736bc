// `rnnc explain`: which products and operations were merged, which were not and why, by the equations they
// come from; arithmetic, parameters and memory. What was merged is what the passes say themselves
// (passes/notes.h).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/equation_source.h"
#include "driver/subject.h"
#include "driver/synthetic.h"

namespace rnnc {
namespace {

constexpr size_t kLargest = 8;  // slabs shown

/// Multiply-adds of the products of one equation before any pass.
struct Work {
  int64_t forward = 0, backward = 0;
};

struct Explained {
  std::string model;
  CompileOptions options;
  uint32_t products_before = 0, products_after = 0, nodes = 0;
  int64_t commands_run = 0, bytes_moved = 0;
  Notes notes;
  std::vector<std::pair<std::string, Work>> work;  // by equation, the most first
  Plan plan;
};

/// `h.gru z` of the instance `h.gru`; a model's own equations have no instance.
std::string instance_of(const std::string& equation) {
  const size_t blank = equation.find(' ');
  return blank == std::string::npos ? std::string() : equation.substr(0, blank);
}
std::string short_name(const Note& note) {
  const size_t blank = note.equation.find(' ');
  const std::string name = blank == std::string::npos ? note.equation : note.equation.substr(blank + 1);
  return note.backward ? "d " + name : name;
}

std::vector<std::pair<std::string, Work>> work_of(const Graph& graph, const RowTables& rows) {
  std::map<std::string, Work> by_equation;
  const std::vector<bool> live = live_nodes(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!live[id] || graph[id].op != Op::MatMul) continue;
    Work& work = by_equation[graph.origins[graph[id].origin].equation];
    (graph[id].backward ? work.backward : work.forward) += product_flops(graph, id, rows) / 2;
  }
  std::vector<std::pair<std::string, Work>> list(by_equation.begin(), by_equation.end());
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.second.forward + a.second.backward > b.second.forward + b.second.backward;
  });
  return list;
}

Explained explain(const Subject& subject, const Options& options) {
  Explained e;
  e.model = subject.model;
  e.options = subject.compile_options(options, longest_rows(subject.dataset), tree_sizes(subject.dataset));
  const SyntheticBatch batch(subject.lowered.model, e.options.batch_capacity, e.options.time_steps, 0);
  const Graph graph = build_graph(subject.lowered, e.options);
  PipelineOptions passes{e.options.disabled_passes, {}};
  passes.context.notes = &e.notes;
  const Graph fused = run_pipeline(graph, passes);
  e.nodes = graph.size();
  e.products_before = count_products(graph);
  e.products_after = count_products(fused);
  e.work = work_of(graph, batch.rows());
  e.plan =
      make_plan(fused, plan_options(subject.lowered.model.spaces, e.options, target_by_name(options.target)));
  const Traffic moved = traffic(e.plan, batch.rows());
  e.commands_run = moved.commands;
  e.bytes_moved = moved.bytes;
  return e;
}

/// The largest slabs of the arena, with the commands between which they live.
std::vector<const Slab*> largest_slabs(const Program& program) {
  std::vector<const Slab*> slabs;
  for (const Slab& slab : program.slabs)
    if (slab.variable < 0) slabs.push_back(&slab);
  std::stable_sort(slabs.begin(), slabs.end(),
                   [](const Slab* a, const Slab* b) { return a->bytes > b->bytes; });
  slabs.resize(std::min(slabs.size(), kLargest));
  return slabs;
}

std::string times(int n) {
  return n == 1 ? "" : fmt::format("  ({} times)", n);
}

void print_notes(const Explained& e, const Experiment& experiment) {
  std::vector<std::string> instances;  // in the order of the passes' first word about them
  for (const Note& note : e.notes.list()) {
    const std::string instance = instance_of(note.equation);
    if (std::find(instances.begin(), instances.end(), instance) == instances.end())
      instances.push_back(instance);
  }
  for (const std::string& instance : instances) {
    fmt::print("\n{}\n", instance.empty() ? "the model, the loss and the optimizer" : instance);
    for (const bool refused : {false, true}) {
      bool any = false;
      for (const Note& note : e.notes.list()) {
        if (instance_of(note.equation) != instance || note.refused() != refused) continue;
        if (!any) fmt::print("  {}\n", refused ? "not merged" : "merged");
        any = true;
        const std::string place =
            place_of_origin({note.equation, note.line}, experiment.checked, experiment.source);
        std::string where = short_name(note);
        if (!place.empty()) where += fmt::format("{}({})", where.empty() ? "" : " ", place);
        fmt::print("    {:<26} {:<22} {}{}{}{}\n", where, note.pass, note.from, refused ? ": " : " -> ",
                   refused ? note.reason : note.to, times(note.times));
      }
    }
  }
}

void print_text(const Explained& e, const Subject& subject, const Experiment& experiment) {
  const Program& program = e.plan.program;
  fmt::print("{}: {} step of {} rows", e.model,
             e.options.kind == ProgramKind::Train ? "a training" : "a prediction", e.options.batch_capacity);
  if (!e.options.time_steps.empty()) fmt::print(", {} time steps", fmt::join(e.options.time_steps, " and "));
  fmt::print("\n{} operations, {} of them matrix products, became {} kernels with {} products\n", e.nodes,
             e.products_before, e.plan.kernels.size(), e.products_after);
  print_notes(e, experiment);

  fmt::print("\n{:<40} {:>14} {:>14}\n", "multiply-adds of the products, million", "forward", "backward");
  for (const auto& [equation, work] : e.work)
    fmt::print("  {:<38} {:>14.3f} {:>14.3f}\n", equation.empty() ? "-" : equation,
               double(work.forward) / 1e6, double(work.backward) / 1e6);

  int64_t numbers = 0;
  fmt::print("\n{:<40} {:>14} {:>14}\n", "parameters", "shape", "numbers");
  for (const Parameter& p : subject.lowered.model.parameters) {
    const int64_t n = int64_t(p.rows) * p.cols;
    numbers += n;
    fmt::print("  {:<38} {:>14} {:>14}{}\n", p.name, fmt::format("[{}]", fmt::join(p.dims, ", ")), n,
               p.frozen ? "  frozen" : "");
  }
  fmt::print("  {:<38} {:>14} {:>14}\n", "all", "", numbers);

  fmt::print("\nmemory: {:.1f} MiB at once; {:.1f} MB read and written in {} commands of {} loops\n",
             double(program.arena_bytes) / (1 << 20), double(e.bytes_moved) / 1e6, e.commands_run,
             program.loops.size());
  fmt::print("  {:<38} {:>14} {:>14}\n", "the largest pieces", "KiB", "commands");
  for (const Slab* slab : largest_slabs(program))
    fmt::print("  {:<38} {:>14.1f} {:>14}\n", slab->name.empty() ? "-" : slab->name,
               double(slab->bytes) / 1024, fmt::format("{} to {}", slab->first, slab->last));
}

nlohmann::json to_json(const Explained& e, const Subject& subject, const Experiment& experiment) {
  nlohmann::json merges = nlohmann::json::array(), refused = nlohmann::json::array();
  for (const Note& note : e.notes.list()) {
    nlohmann::json one{
        {"kind", note.pass},
        {"where", note.equation},
        {"backward", note.backward},
        {"line", note.line},
        {"place", place_of_origin({note.equation, note.line}, experiment.checked, experiment.source)},
        {"from", note.from},
        {"times", note.times}};
    one[note.refused() ? "reason" : "to"] = note.refused() ? note.reason : note.to;
    (note.refused() ? refused : merges).push_back(std::move(one));
  }
  nlohmann::json work = nlohmann::json::array(), parameters = nlohmann::json::array();
  for (const auto& [equation, w] : e.work)
    work.push_back({{"where", equation}, {"forward", w.forward}, {"backward", w.backward}});
  for (const Parameter& p : subject.lowered.model.parameters)
    parameters.push_back({{"name", p.name}, {"shape", p.dims}, {"frozen", p.frozen}});
  nlohmann::json slabs = nlohmann::json::array();
  for (const Slab& slab : e.plan.program.slabs) {
    if (slab.variable < 0)
      slabs.push_back({{"name", slab.name},
                       {"offset", slab.offset},
                       {"bytes", slab.bytes},
                       {"first", slab.first},
                       {"last", slab.last}});
  }
  return {{"model", e.model},
          {"time_steps", e.options.time_steps},
          {"batch", e.options.batch_capacity},
          {"nodes", e.nodes},
          {"products_before", e.products_before},
          {"products", e.products_after},
          {"kernels", e.plan.kernels.size()},
          {"commands", e.commands_run},
          {"bytes_moved", e.bytes_moved},
          {"arena_bytes", e.plan.program.arena_bytes},
          {"merges", merges},
          {"refused", refused},
          {"multiply_adds", work},
          {"parameters", parameters},
          {"arena", slabs}};
}

}  // namespace

int explain_command(const Options& options) {
  const Experiment experiment = open_experiment(options);
  const Subject subject = open_subject(experiment, options);
  const Explained explained = explain(subject, options);
  if (options.json) fmt::print("{}\n", to_json(explained, subject, experiment).dump());
  else print_text(explained, subject, experiment);
  return kDone;
}

}  // namespace rnnc
