// Time loops found again: runs of commands that repeat with even steps become loops.
#pragma once
#include "runtime/program.h"

namespace rnnc::planning {

/// Replaces repeats in `program.commands` by loops. The order of execution stays what it is.
void roll_loops(Program& program);

}  // namespace rnnc::planning
