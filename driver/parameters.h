// Parameters between their places: first values, the variables of programs, saved models.
#pragma once

#include <string>
#include <vector>

#include "driver/experiment.h"
#include "runtime/checkpoint.h"

namespace rnnc {

/// Adds the parameters of a model to `variables` with their first values: a function of seed, name and shape.
void initialize_parameters(const Model& model, uint64_t seed, Variables& variables);

/// Adds the parameters of a model with the values of a saved one. Throws UserError with a line for each
/// parameter that does not fit.
void set_parameters(const Model& model, const SavedModel& saved, const std::string& path,
                    Variables& variables);

/// `load`: parameters of the same name and shape take their values from the saved model. Gives the names of
/// the others.
std::vector<std::string> load_parameters(const Model& model, const SavedModel& saved, Variables& variables);

/// A parameter's shape as declared.
std::vector<int64_t> declared_shape(const Parameter& parameter);

/// Refuses a path at which no file could be written, without touching what is there.
void check_writable(const std::string& path);

/// The file of the saved model of a train block, for commands that read it; `model_file` (of --model) wins.
SavedModel read_saved_model(const std::string& path, const std::string& model);

}  // namespace rnnc
