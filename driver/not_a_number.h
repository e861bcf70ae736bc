// Where a number was lost: the batch is run once more, one kernel an op, and the first value that is none is
// told with its equation, row, step and operands. Only when training has failed already.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "driver/experiment.h"
#include "driver/row_inputs.h"

namespace rnnc {

struct LostNumber {
  const Experiment& experiment;
  const Lowered& lowered;
  CompileOptions options;   // of the training program
  const RowInputs& inputs;  // of the batch, once it is filled in
  Variables& variables;     // as they were before the step; they stay so
  std::function<void(Session&)> fill;
  bool loss;  // it is the loss that is no number; else only the gradient
};

/// `first seen in `c'` of cell `lstm` (ptb.rnn:24), row 7, step 18: 0 * inf`, then the layer, and whether it
/// was on the way forward or back; nothing if one kernel an op rounds so that every value is a number.
std::vector<std::string> first_lost_number(const LostNumber& lost, Jit& jit, Team& team);

}  // namespace rnnc
