// A saved model with the file it is used through: what eval, predict and generate begin with.
#pragma once

#include <string>
#include <vector>

#include "driver/experiment.h"
#include "runtime/checkpoint.h"

namespace rnnc {

struct SavedExperiment {
  Experiment experiment;
  SavedModel saved;
  std::string path;                   // of the saved model
  std::string model;                  // its name
  const ast::Train* train = nullptr;  // the block that trained it, null if the file has none
  const ast::DataBlock* data = nullptr;
};

enum class Purpose { Eval, Predict, Generate };

/// Opens the file of `options`, a .rnn file or a saved model itself, and the saved model of the model meant:
/// `options.name`, or the first of `inputs` if it is a name (it is then taken out), or the only one with a
/// block for this purpose. Throws UserError, DataError.
SavedExperiment open_saved(const Options& options, std::vector<std::string>& inputs, Purpose purpose);

/// Refuses a saved model that lacks what encoding the fields `inputs` and the sizes of the model need.
void check_knows(const SavedExperiment& used, const DataSpec& spec, const std::vector<std::string>& inputs);

/// A dataset without rows, with what the saved model learned and the sequence dimensions of the fields
/// `inputs`: what lowering needs.
Dataset without_rows(const Learned& learned, const DataSpec& spec, const std::vector<std::string>& inputs);

}  // namespace rnnc
