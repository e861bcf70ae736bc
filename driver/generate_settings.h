// What a generate block says, as plain values: the syntax of its settings ends here.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "driver/experiment.h"
#include "driver/search.h"

namespace rnnc {

/// Symbols that are written at most where a block has no `length`.
inline constexpr int64_t kUsualLength = 100;

struct GenerateSettings {
  SearchSettings search;
  std::string start;                                       // the beginning of the text; empty: none
  std::vector<std::pair<std::string, std::string>> given;  // input of the model and its value, as text
};

/// Reads the settings of a generate block; --set and --seed replace the file's. Throws UserError, in the file
/// or for a value of --set.
GenerateSettings generate_settings(const Experiment& experiment, const ast::Use& block,
                                   const Options& options);

/// What --set can replace in the generate blocks of a file: `search`, `length`, `start`, `temperature`,
/// `top`, `beam`, and the inputs of their models, whose values it gives. Nothing if there is no such block.
std::vector<std::string> generate_names(const ast::File& file);

}  // namespace rnnc
