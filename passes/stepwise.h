// A model cut at the sequence that it writes: what is computed once, and one step of the rest, with the
// states that lie between two steps as inputs and outputs. A pass on the Model, before `unroll`.
#pragma once
#include <string>
#include <vector>

#include "ir/model.h"

namespace rnnc {

/// A value that lives from step to step, one row for each row of the batch.
struct StepState {
  Type type = Type::F32;
  int32_t cols = 1;
  std::string input;  // of the step: `%state.K`, the value before it
  // The value before the first step:
  std::string first;  // root of the prefix, `first.K`; empty: every number is `fill`
  double fill = 0;
  // The value after a step is one of these:
  std::string output;  // root of the step, `state.K`
  std::string field;   // the input of this name, as it is at the step
  int older = -1;      // what the state of this number was before the step
};

/// `prefix` and `step` share parameters, dimensions and the inputs that do not run along the dimension.
struct Stepwise {
  Model prefix;                   // roots: `cut.K`, `first.K`
  Model step;                     // roots: those of the model, `state.K`
  std::vector<std::string> cuts;  // roots of the prefix that are inputs of the step, under the same name
  std::vector<StepState> states;
  /// Whether the model's own roots, and the values after a step, depend on what the step reads along the
  /// dimension (a state that is such an input itself does not count).
  bool roots_read_step = false, states_read_step = false;
};

/// Cuts at sequence dimension `dim`. In the step a value along it has one row for each row of the batch;
/// scans along it stand there once, as their bodies.
///
///   enc = scan cell over x                        prefix:  cut.0 = scan cell over x
///   h   = scan gru over y with m = enc       →    step:    h = gru(y, %state.0, cut.0)
///   s   = h @ W                                            s = h @ W,  state.0 = h
///
/// All roots must be values along `dim`. Throws GraphError where a value needs more than one step of the
/// dimension at once: reductions, `last`, scans backwards.
Stepwise stepwise(const Model& model, int dim);

}  // namespace rnnc
