// The one model that bench, compile and gradcheck work on, with everything the file and its data say about
// it.
#pragma once
#include "driver/experiment.h"
#include "driver/train_settings.h"

namespace rnnc {

struct Subject {
  std::string model;
  TrainSettings settings;
  Dataset dataset;
  Lowered lowered;

  /// Rows of a training step: --batch, else what the train block says.
  int64_t batch(const Options& options) const;
  /// What to compile: training, or with --mode infer what `predict` shows; time_steps as --time-steps says or
  /// as given.
  CompileOptions compile_options(const Options& options, std::vector<int32_t> time_steps,
                                 std::vector<TreeSize> trees = {}) const;
};

/// Opens the file, reads its data, lowers the model of its only train block, or of the one named. Throws
/// UserError, DataError.
Subject open_subject(const Experiment& experiment, const Options& options);

}  // namespace rnnc
