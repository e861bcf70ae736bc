// From a graph to a program without addresses or code: which kernels, called on what, in which order, and
// where every tensor lies. See docs/codegen.md.
//
//   graph ─islands→ drafts (kernel + nodes) ─places→ families, slabs ─live ranges→ arena offsets ─repeats→
//   loops
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/target.h"
#include "ir/graph.h"
#include "runtime/program.h"

namespace rnnc {

struct PlanOptions {
  Target target;
  int64_t batch_capacity = 32;
  std::vector<int32_t> time_steps;      // capacity of each space
  std::vector<std::string> dimensions;  // their names
  std::vector<int64_t> inner_rows =
      {};  // the most rows of an example in a step of each space; empty: 1 in all
};

struct Plan {
  Program program;              // without code: kernels[] is empty until the kernels are compiled
  std::vector<Kernel> kernels;  // unequal; Command::kernel is an index
};

/// Plans a legalized graph (passes/passes.h). Throws GraphError for what has no kernel.
Plan make_plan(const Graph& graph, const PlanOptions& options);

/// Human-readable: slabs, then loops of commands.
std::string to_string(const Plan& plan);

/// Bytes that the commands read and write in a run with all sequences `time_steps` long.
struct Traffic {
  int64_t bytes = 0;
  int64_t commands = 0;  // executed, loops counted out
};
Traffic traffic(const Plan& plan, const RowTables& rows);

}  // namespace rnnc
