// Where a number was lost: the batch is run once more, one kernel an op, and the first value that is none is
// told with its equation, row, step and operands. Only when training has failed already.
//
//   e = exp(s)       row 7, step 18: exp(102) = inf       an infinity may be meant (1 / inf is 0) ...
//   p = e / sum(e)   row 7, step 18: inf / inf = nan      ... so this is told first, and where inf came from
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "driver/experiment.h"
#include "driver/row_inputs.h"

namespace rnnc {

/// Where it was seen first that a number was lost.
enum class LostIn { Loss, Gradient, Update };

struct LostNumber {
  const Experiment& experiment;
  const Lowered& lowered;
  CompileOptions options;   // of the training program
  const RowInputs& inputs;  // of the batch, once it is filled in
  Variables& variables;     // as they were before the step; they stay so
  std::function<void(Session&)> fill;
  LostIn seen = LostIn::Loss;
  std::string variable;  // Update: the one that the step would leave without a number
};

/// `first seen in `c'` of cell `lstm` (ptb.rnn:24), row 7, step 18: 0 * inf`, then where an infinity that led
/// to it came from, the layer, and whether it was on the way forward or back; nothing if one kernel an op
/// rounds so that every value is a number.
std::vector<std::string> first_lost_number(const LostNumber& lost, Jit& jit, Team& team);

}  // namespace rnnc
