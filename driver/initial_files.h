// `~ file("w.npy")`: first values from files.
#pragma once
#include "driver/experiment.h"

namespace rnnc {

/// Sets the parameters that begin with a file. Those entries of a vocabulary that a text file lacks keep
/// their values. Throws UserError, DataError.
void read_first_values(const Experiment& experiment, const Model& model, const Dataset& dataset,
                       Variables& variables);

}  // namespace rnnc
