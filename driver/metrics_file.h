// `--metrics FILE`: the figures of every epoch as a table that other programs read, a line as soon as the
// epoch is done. CSV or JSON lines, as the name ends.
#pragma once

#include <string>
#include <vector>

#include "driver/training_state.h"

namespace rnnc {

/// Refuses a name that ends in none of these (each with its dot), before anything else is done.
void check_ending(const std::string& option, const std::string& path,
                  const std::vector<std::string>& endings);

/// The name for train block `number` (from 1) of several: `out.csv`, `out.2.csv`, ...
std::string numbered(const std::string& path, size_t number);

class MetricsFile {
 public:
  /// Begins the file anew with the epochs there are: none, or those before training went on. Throws RunError.
  MetricsFile(std::string path, std::string model, const std::vector<EpochRecord>& history);
  /// Appends an epoch and hands the line to the system. Throws RunError.
  void add(const EpochRecord& record);

 private:
  void append(const std::string& text);
  std::string csv_header(const EpochRecord& record) const;
  std::string line(const EpochRecord& record) const;

  std::string path_, model_;
  bool csv_;
  bool has_header_ = false;
};

}  // namespace rnnc
