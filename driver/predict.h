// Rows through a saved model: the values that the `predict` block shows, as text or JSON.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "driver/room.h"
#include "driver/saved_experiment.h"

namespace rnnc {

class Predictor {
 public:
  /// Takes parameters and vocabularies from the saved model; refuses one that does not fit. `used` and
  /// `options` must outlive this.
  Predictor(const SavedExperiment& used, const Options& options);
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  /// What a row has to give: `line`, `col(1)`, ...
  const std::vector<std::string>& needed() const { return needed_; }

  /// A line of output for each row of values; `origin` stands for them in messages.
  std::vector<std::string> rows(std::span<const std::vector<std::string>> values, const std::string& origin);
  /// The same for the rows of data files.
  std::vector<std::string> files(std::span<const std::string> names);

 private:
  std::vector<std::string> run(const Dataset& dataset);
  void make_program(const Dataset& dataset, int64_t rows);

  const SavedExperiment& used_;
  const Options& options_;
  DataSpec spec_;
  std::vector<std::string> fields_;  // the model's inputs
  std::vector<std::string> needed_;
  Jit jit_;
  Team team_;
  Variables variables_;
  Lowered lowered_;
  Room room_;
  std::unique_ptr<Session> program_;  // with this room
};

}  // namespace rnnc
