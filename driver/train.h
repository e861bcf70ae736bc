// One train block from the first values to the saved model: epochs, schedules, the best parameters, states
// to go on from.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "driver/experiment.h"
#include "driver/figures.h"
#include "driver/interrupt.h"
#include "driver/metrics_file.h"
#include "driver/not_a_number.h"
#include "driver/train_settings.h"
#include "driver/training_state.h"
#include "ir/diagnostic.h"
#include "runtime/progress.h"

namespace rnnc {

/// Training cannot go on: the loss, a gradient or a parameter is not a number. Exit status 1, the message as
/// a Diagnostic.
struct TrainingFailed : std::runtime_error {
  explicit TrainingFailed(const Diagnostic& diagnostic) : std::runtime_error(render(diagnostic)) {}
};

/// What came of a train block.
struct TrainResult {
  std::vector<EpochRecord> epochs;
  int64_t best_epoch = 0;
  Part part = Part::Test;  // the part of `figures`: test, else valid, else train
  PartFigures figures;     // with the best parameters
  double seconds = 0;
  double rows_per_second = 0;
  std::string model_file;
  std::vector<std::string> pages;  // other files that were written
  bool interrupted = false;        // Ctrl-C: the state was saved, `figures` are missing
};

class Trainer {
 public:
  /// Reads the settings and refuses a path at which the model could not be saved, before any data are read.
  /// All of these must outlive this.
  Trainer(const Experiment& experiment, const Task& task, const Options& options, Jit& jit, Team& team);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains. Where --resume finds no state, training begins anew if `may_begin`, else that is refused. Throws
  /// UserError, DataError, RunError, TrainingFailed.
  TrainResult run(const InterruptGuard& interrupt, bool may_begin);

  const TrainSettings& settings() const { return settings_; }

 private:
  struct Loaded;

  void load();
  void check_batch(int64_t rows, bool pieces) const;
  bool finished() const;
  /// The rest of the present epoch. False: stop now (Ctrl-C, or --steps reached).
  bool train_epoch(Progress& progress, const InterruptGuard& interrupt);
  void step(const Batch& batch);
  void fill(Session& session, const Batch& batch);
  /// When a number was lost (train_lost.cpp): the variables before the next step are remembered, looked at,
  /// brought back.
  void remember();
  void check_variables();
  std::string lost_variable() const;
  std::string go_back_to(int64_t step);
  [[noreturn]] void lost(LostIn seen);
  std::string keep_parameters();
  void finish_epoch(Progress& progress);
  void write_files();
  void write_model();
  void save_parameters(const std::string& file, const Values& values, int64_t epochs) const;
  void write_pages();
  void measure_gradients(int64_t epoch);
  void conclude(TrainResult& result);

  const Experiment& experiment_;
  const Task& task_;
  const Options& options_;
  Jit& jit_;
  Team& team_;
  TrainSettings settings_;
  Variables variables_;
  Position position_;
  struct {
    int64_t epoch = 0, step = 0, total_steps = 0;
    Values values, carried;
  } remembered_;
  Values best_;  // parameters of the best epoch; empty before the first
  RunIdentity identity_;
  int64_t rows_trained_ = 0;  // in this process
  int64_t saved_best_ = 0;    // best epoch in the model's file
  double rate_ = 0;           // of the last step
  std::optional<MetricsFile> metrics_;
  std::chrono::steady_clock::time_point written_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace rnnc
