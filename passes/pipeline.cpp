// The order of the passes: see pipeline.h.
#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>

#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// A pass that has nothing to say.
template <Graph (*pass)(const Graph&)>
Graph silent(const Graph& graph, const PassContext&) {
  return pass(graph);
}
template <Graph (*pass)(const Graph&, Notes*)>
Graph noting(const Graph& graph, const PassContext& context) {
  return pass(graph, context.notes);
}
Graph in_segments(const Graph& graph, const PassContext& context) {
  return recompute(graph, context.segments);
}

constexpr Pass kPipeline[] = {
    {"dce", silent<dce>, "what nobody asked for costs nothing", false},
    {"simplify", silent<simplify>,
     "the first step's zeros and the pads around products would hide equal groups", true},
    {"fuse_sums", noting<fuse_sums>,
     "before fuse_gates, which would tie terms of several sums together; before batch_over_time: a sum over "
     "steps is one product, not a batch of them",
     true},
    {"fuse_gates", noting<fuse_gates>, "after fuse_sums: sums that it made have one left operand", true},
    {"recompute", in_segments,
     "after the merges along K, which decide the order of sums: with and without it the bits are the same; "
     "before products of several steps become one",
     true, GraphStage::Unrolled, true},
    {"batch_over_time", noting<batch_over_time>, "what does not recur leaves the recurrence", true},
    {"fuse_weight_gradients", noting<fuse_weight_gradients>, "only now their left operands are equal", true},
    {"simplify_again", silent<simplify>, "slices of joins and joins of slices that the merges left", true},
    {"legalize", silent<legalize>, "after the last pass that makes joins", false, GraphStage::Legal},
    {"fuse_pointwise", noting<fuse_pointwise>, "last: islands are kernels", true, GraphStage::Legal},
};

}  // namespace

std::span<const Pass> pipeline() {
  return kPipeline;
}

const Pass* find_pass(std::string_view name) {
  for (const Pass& pass : kPipeline) {
    if (pass.name == name) return &pass;
  }
  return nullptr;
}

bool runs(const Pass& pass, const PipelineOptions& options) {
  if (pass.cuts && !options.context.segments.on()) return false;
  return !pass.optional || std::ranges::find(options.disabled, pass.name) == options.disabled.end();
}

uint32_t count_products(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  uint32_t count = 0;
  for (NodeId id = 0; id < graph.size(); ++id) count += live[id] && graph[id].op == Op::MatMul;
  return count;
}

/// The same where every node is live, as every pass leaves it.
static uint32_t products_among(const Graph& graph) {
  uint32_t count = 0;
  for (NodeId id = 0; id < graph.size(); ++id) count += graph[id].op == Op::MatMul;
  return count;
}

Graph run_pipeline(const Graph& graph, const PipelineOptions& options, std::vector<PassReport>* report) {
  Graph g = graph;
  for (const Pass& pass : kPipeline) {
    if (!runs(pass, options)) continue;
    const auto begin = std::chrono::steady_clock::now();
    g = pass.run(g, options.context);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    if (report) report->push_back({pass.name, time.count(), g.size(), products_among(g)});
    if (options.after) options.after(pass, g);
  }
  return g;
}

}  // namespace rnnc
