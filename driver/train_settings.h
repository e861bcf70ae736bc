// What a train block says about training, as plain values: the syntax of its settings ends here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/experiment.h"
#include "passes/training.h"

namespace rnnc {

/// One schedule; several of them multiply.
struct Schedule {
  enum Kind {
    Decay,   // times factor^(epoch - after) in the epochs beyond `after`
    Halve,   // times 1/2 each time that the valid loss stood still for `after` epochs
    Cosine,  // times (1 + cos(π · (step - 1) / steps)) / 2
    Warmup,  // times step / `after` in the first steps
  } kind = Decay;
  int64_t after = 1;
  double factor = 1;
};

struct TrainSettings {
  Optimizer optimizer;
  double rate = 0;
  std::vector<Schedule> schedules;
  int64_t batch = 32;  // 0: all rows
  bool batch_given = false;
  int64_t epochs = 0;
  std::optional<int64_t> patience;  // `stop patience(n)`
  uint64_t seed = 0;
  std::string save;  // the saved model's file: --model, `save`, or MODEL.model
  std::string load;  // empty: nothing is loaded

  const Schedule* find(Schedule::Kind kind) const;
};

/// Reads the settings of a train block; those of --set and the options of the command line replace the
/// file's. Throws UserError, in the file or for a value of --set.
TrainSettings train_settings(const Experiment& experiment, const ast::Train& train, const Options& options);

/// The settings and options of optimizers that --set can replace.
std::vector<std::string> settable_names();

/// The learning rate of step `step` (from 1, of `steps` in all) in epoch `epoch` (from 1), after the rate was
/// halved `halvings` times.
double rate_at(const TrainSettings& settings, int64_t epoch, int64_t step, int64_t steps, int64_t halvings);

}  // namespace rnnc
