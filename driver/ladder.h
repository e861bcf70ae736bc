// The benchmark's ladder: one model as a plain unrolled graph with one kernel an op, then with each pass
// added.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "driver/compile.h"
#include "driver/synthetic.h"

namespace rnnc {

struct Rung {
  std::string name;
  CompileReport report;
  int64_t bytes_moved = 0, commands_run = 0;
  double min_ms = 0, median_ms = 0;
  double max_difference = 0;  // of outputs and new variables, relative to their size, from the plain graph's
  /// Milliseconds of one step on one thread by kind of command.
  struct Where {
    double products = 0, weight_gradients = 0, pointwise = 0, packing = 0, other = 0;
  } where;
};

struct Ladder {
  std::vector<Rung> rungs;
  int64_t flops = 0;  // of a step, by the products of the plain graph
};

struct LadderOptions {
  CompileOptions compile;  // kind, batch and time steps
  int threads = 1;
  int repeat = 20;
  uint64_t seed = 0;
  Trace* trace = nullptr;  // shows one more run of each rung, after those that are measured
};

/// Runs all rungs interleaved: every repeat runs each rung once, on the same batch and the same first values.
/// `set_variables` gives the first values. Throws RunError if a rung's numbers are not those of the first.
Ladder run_ladder(const Lowered& lowered, const LadderOptions& options,
                  const std::function<void(Variables&)>& set_variables, Jit& jit);

}  // namespace rnnc
