// The whole way from a lowered model to a program that runs, and what was learned on the way.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "frontend/lower.h"
#include "passes/pipeline.h"
#include "passes/training.h"
#include "runtime/program.h"

namespace rnnc {

/// What a program of a model gives: each is a graph with other roots.
enum class ProgramKind {
  Train,     // `loss`, `gradient_norm`; updates the variables
  Evaluate,  // the sums and counts of all figures and watches
  Predict,   // the values shown
};

struct CompileOptions {
  ProgramKind kind = ProgramKind::Train;
  Optimizer optimizer;
  int64_t batch_capacity = 32;
  std::vector<int32_t> time_steps;  // capacity of each sequence dimension of the data
  std::vector<TreeSize> trees;      // of those that are trees; empty: as large as so many nodes can make them
  std::vector<std::string> disabled_passes;
  Segments segments = {};    // the forward pass of each is computed again
  int64_t memory_limit = 0;  // bytes; segments are chosen so that the program needs no more. 0: none
  bool fused = true;         // false: no optional pass, one kernel an op
  bool verify = false;       // after every pass
};

struct CompileReport {
  uint32_t nodes = 0;     // of the unrolled graph with gradients and updates
  uint32_t products = 0;  // after the passes
  std::vector<PassReport> passes;
  size_t kernels = 0, commands = 0, loops = 0;
  int functions = 0, from_disk = 0;  // kernels and micro-kernels needed; those not compiled but found
  int64_t arena_bytes = 0, memory_bytes = 0;  // with the variables
  Segments segments;                          // as chosen
  double unroll_ms = 0, plan_ms = 0, llvm_ms = 0, total_ms = 0;
};

struct Compiled {
  Plan plan;  // with the code
  CompileReport report;
};

/// The model unrolled, with the roots of one program: no gradients yet.
Graph forward_graph(const Lowered& lowered, const CompileOptions& options);

/// The graph of one program before any pass: unrolled, and differentiated if it trains.
Graph build_graph(const Lowered& lowered, const CompileOptions& options);

/// Steps and rows that the spaces of a model have room for.
std::vector<int32_t> capacity_of(std::span<const Space> spaces, const CompileOptions& options);
PlanOptions plan_options(std::span<const Space> spaces, const CompileOptions& options, const Target& target);

/// Passes, plan and code for a graph, whose rows lie in these spaces.
Compiled compile(const Graph& graph, const CompileOptions& options, const std::vector<Space>& spaces,
                 Jit& jit);

/// Both.
Compiled compile(const Lowered& lowered, const CompileOptions& options, Jit& jit);

/// Twice the multiply-adds of the matrix products of a graph for a batch: how rungs and peers are counted
/// alike.
int64_t flops(const Graph& graph, const RowTables& rows);
/// The same of one product.
int64_t product_flops(const Graph& graph, NodeId product, const RowTables& rows);

}  // namespace rnnc
