// `--plot FILE.html|png`: learning curves as one page or picture.
#pragma once

#include <string>
#include <vector>

#include "driver/training_state.h"

namespace rnnc {

/// Losses, each metric, gradient norm and rate over the epochs, `as_picture` (PNG) or as a page (HTML).
/// `best_epoch` 0: none yet.
std::string learning_curves(const std::string& model, const std::vector<EpochRecord>& history,
                            int64_t best_epoch, bool as_picture);

/// Replaces the file at `path` as a whole. Throws RunError.
void write_page(const std::string& path, const std::string& content);

}  // namespace rnnc
