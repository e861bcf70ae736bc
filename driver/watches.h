// Watches of sequences: the program gives the values of all rows at all steps, and they are summed here, step
// by step.
#pragma once
#include <string>
#include <vector>

#include "frontend/lower.h"
#include "runtime/program.h"

namespace rnnc {

/// The output of a root. Of a watch along a sequence: the sums over the rows, one for each step and column,
/// and as its count the rows that have the step.
std::vector<float> figure_output(const Session& session, const std::vector<Watch>& watches,
                                 const std::string& root);

}  // namespace rnnc
