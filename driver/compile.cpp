// The whole flow: see compile.h.
#include "driver/compile.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "driver/memory_limit.h"
#include "ir/verify.h"
#include "passes/passes.h"
#include "runtime/memory.h"

namespace rnnc {
namespace {

class Clock {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> ms = now - last_;
    last_ = now;
    return ms.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

constexpr uint32_t kManyNodes = 100'000;

bool wanted(const Root& root, ProgramKind kind) {
  switch (kind) {
    case ProgramKind::Train: return root.name == "loss" || root.name.starts_with(kCarryOutputPrefix);
    case ProgramKind::Evaluate:
      return root.name.starts_with("figure.") || root.name.starts_with(kCarryOutputPrefix) ||
             root.name.starts_with("watch.") || root.name.starts_with("gradient.") || root.name == "row_loss";
    case ProgramKind::Predict: return root.name.starts_with("show.");
  }
  return false;
}

}  // namespace

std::vector<int32_t> capacity_of(std::span<const Space> spaces, const CompileOptions& options) {
  return space_steps(spaces, options.time_steps, options.trees);
}

PlanOptions plan_options(std::span<const Space> spaces, const CompileOptions& options, const Target& target) {
  PlanOptions plan{target, options.batch_capacity, capacity_of(spaces, options), {}};
  for (const Space& space : spaces) plan.dimensions.push_back(space.name);
  plan.inner_rows = inner_rows(spaces, plan.time_steps, options.trees);
  return plan;
}

Graph forward_graph(const Lowered& lowered, const CompileOptions& options) {
  const std::vector<int32_t> steps = capacity_of(lowered.model.spaces, options);
  const bool clips = options.kind == ProgramKind::Train && options.optimizer.clip_step > 0;
  Graph graph = clips ? unroll(clip_steps(lowered.model, options.optimizer.clip_step), steps)
                      : unroll(lowered.model, steps);
  std::erase_if(graph.roots, [&](const Root& root) { return !wanted(root, options.kind); });
  graph = dce(graph);
  if (options.kind != ProgramKind::Train) graph = settle_coins(graph);
  if (options.kind == ProgramKind::Evaluate) graph = watch_gradients(graph);
  return dce(graph);
}

Graph build_graph(const Lowered& lowered, const CompileOptions& options) {
  Graph graph = forward_graph(lowered, options);
  if (options.kind == ProgramKind::Train)
    graph = add_training(graph, lowered.model.parameters, options.optimizer);
  return graph;
}

Compiled compile(const Graph& graph, const CompileOptions& options, const std::vector<Space>& spaces,
                 Jit& jit) {
  Clock total, clock;
  Compiled result;
  CompileReport& report = result.report;
  report.nodes = graph.size();

  PipelineOptions passes{options.disabled_passes, {}, {nullptr, options.segments}};
  if (!options.fused) {
    for (const Pass& pass : pipeline()) passes.disabled.emplace_back(pass.name);
  }
  if (options.verify) passes.after = [](const Pass& pass, const Graph& g) { verify(g, pass.stage); };
  const Graph fused = run_pipeline(graph, passes, &report.passes);
  report.products = count_products(fused);

  clock.lap();
  result.plan = make_plan(fused, plan_options(spaces, options, jit.target()));
  report.plan_ms = clock.lap();
  const JitStats before = jit.stats();
  result.plan.program.kernels = jit.compile(result.plan.kernels);
  report.functions = jit.stats().kernels + jit.stats().micro_kernels - before.kernels - before.micro_kernels;
  report.from_disk = jit.stats().from_disk - before.from_disk;
  report.llvm_ms = clock.lap();
  report.kernels = result.plan.kernels.size();
  report.commands = result.plan.program.commands.size();
  report.loops = result.plan.program.loops.size();
  report.arena_bytes = result.plan.program.arena_bytes;
  report.memory_bytes = memory_of(result.plan.program);
  report.segments = options.segments;
  report.total_ms = total.lap();
  return result;
}

Compiled compile(const Lowered& lowered, const CompileOptions& options, Jit& jit) {
  Clock clock;
  Graph graph = build_graph(lowered, options);
  const double unroll_ms = clock.lap();
  CompileOptions cut = options;
  if (options.memory_limit > 0)
    cut.segments = fit_segments(graph, options, lowered.model.spaces, jit.target());
  Compiled result = compile(graph, cut, lowered.model.spaces, jit);
  // The program has no graph. What the passes of a long one took goes back to the system: training needs it.
  if (std::exchange(graph, Graph()).size() > kManyNodes) malloc_trim(0);
  result.report.unroll_ms = unroll_ms;
  result.report.total_ms += unroll_ms;
  return result;
}

int64_t product_flops(const Graph& graph, NodeId product, const RowTables& rows) {
  auto count = [&](Rows r) {
    switch (r.kind) {
      case Rows::Fixed: return int64_t(r.begin);
      case Rows::Batch: return rows.count({RowRange::Batch, r.dim, 0, 0});
      case Rows::Steps: break;
    }
    return rows.count({RowRange::Steps, r.dim, r.begin, r.end});
  };
  const Shape left = graph.shape(graph.arg(product, 0));
  const bool gradient = graph[product].attr.flags & kTransposeLeft;
  return 2 * count(left.rows) * left.cols *
         (gradient ? graph.shape(graph.arg(product, 1)).cols : graph.shape(product).cols);
}

int64_t flops(const Graph& graph, const RowTables& rows) {
  const std::vector<bool> live = live_nodes(graph);
  int64_t total = 0;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (live[id] && graph[id].op == Op::MatMul) total += product_flops(graph, id, rows);
  return total;
}

}  // namespace rnnc
