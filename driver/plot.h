// `--plot FILE.html`: learning curves as one page.
#pragma once

#include <string>
#include <vector>

#include "driver/training_state.h"

namespace rnnc {

/// The page: losses, each metric, gradient norm and rate over the epochs. `best_epoch` 0: none yet.
std::string learning_curves(const std::string& model, const std::vector<EpochRecord>& history,
                            int64_t best_epoch);

/// Replaces the file at `path` as a whole. Throws RunError.
void write_page(const std::string& path, const std::string& html);

}  // namespace rnnc
