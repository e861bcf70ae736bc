// Where a training run is, and the file from which it can go on: FILE.state holds current and best
// parameters, optimizer state and position together, so that no two files can disagree.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "driver/figures.h"
#include "driver/run_differences.h"
#include "runtime/program.h"

namespace rnnc {

/// What is told about an epoch.
struct EpochRecord {
  int64_t epoch = 0;
  double train_loss = 0;
  std::optional<PartFigures> valid;  // without a valid part none
  double gradient_norm = 0;          // mean over the steps
  double seconds = 0;                // of its steps, without the valid part
  double rows_per_second = 0;
  double rate = 0;    // of its last step
  int64_t steps = 0;  // done in all epochs up to its end
};

nlohmann::json to_json(const PartFigures& figures);
nlohmann::json to_json(const EpochRecord& record);

/// Everything but the numbers of the tensors.
struct Position {
  int64_t epoch = 1;        // the one being trained, from 1
  int64_t step = 0;         // steps done in it
  int64_t total_steps = 0;  // done in all epochs
  // Of this epoch so far:
  double loss_sum = 0;  // step losses times rows
  int64_t rows = 0;
  double norm_sum = 0;
  double seconds = 0;
  std::map<std::string, std::vector<float>> carried;  // states after the last piece, by their inputs
  // Of the epochs before:
  int64_t best_epoch = 0;  // 0: none yet
  double best_loss = std::numeric_limits<double>::infinity();
  int64_t since_best = 0;     // epochs without a better valid loss
  int64_t since_halving = 0;  // the same, since `halve` acted
  int64_t halvings = 0;
  std::vector<EpochRecord> history;
};

/// What must be the same for a run to go on.
struct RunIdentity {
  std::string model, data;
  uint64_t seed = 0;
  int64_t number = 1;  // of the train block in its file, from 1
  int64_t batch = 0, train_rows = 0, buckets = 1;
  uint64_t fingerprint = 0;  // of the data
  RunText text;
};

using Values = std::map<std::string, std::vector<float>>;  // parameters by name

/// Writes the state. Throws RunError; the file is then as it was.
void write_state(const std::string& path, const RunIdentity& run, const Position& position,
                 const Variables& current, const Values& best);

/// Reads a state into `current` (which has all its variables already) and `best`. Throws DataError for a
/// damaged file, UserError with a list of all that differs if it belongs to another run.
Position read_state(const std::string& path, const RunIdentity& run, Variables& current, Values& best);

}  // namespace rnnc
