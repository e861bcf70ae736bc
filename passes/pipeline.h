// The passes in their order, as data: one loop runs, times, verifies and disables them.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/verify.h"
#include "passes/notes.h"
#include "passes/recompute.h"

namespace rnnc {

/// What a pass is told besides the graph.
struct PassContext {
  Notes* notes = nullptr;  // what it says of its work; null: nothing
  Segments segments = {};  // of recompute
};

struct Pass {
  std::string_view name;
  Graph (*function)(const Graph&, const PassContext&);
  std::string_view why_here;
  bool optional;                            // can be disabled; the others make what the plan needs
  GraphStage stage = GraphStage::Unrolled;  // what its result holds, if it is given what it needs
  bool cuts = false;                        // runs only if sequences are to be cut (PassContext::segments)

  Graph run(const Graph& graph, const PassContext& context = {}) const { return function(graph, context); }
};

/// In the order in which they run.
std::span<const Pass> pipeline();
const Pass* find_pass(std::string_view name);

/// What one pass did.
struct PassReport {
  std::string_view name;
  double milliseconds = 0;
  uint32_t nodes = 0;     // after it
  uint32_t products = 0;  // matrix products after it
};

struct PipelineOptions {
  std::vector<std::string> disabled;                     // names of passes left out
  std::function<void(const Pass&, const Graph&)> after;  // called after each pass: verify, dump
  PassContext context = {};
};

/// Whether the pipeline runs the pass: it is not disabled, and what it is for is asked for.
bool runs(const Pass& pass, const PipelineOptions& options);

uint32_t count_products(const Graph& graph);

Graph run_pipeline(const Graph& graph, const PipelineOptions& options,
                   std::vector<PassReport>* report = nullptr);

}  // namespace rnnc
