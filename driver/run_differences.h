// What a model file and a command line say about a training run, kept in its state: whoever goes on with
// another network, another loss or other data would get numbers that no run from the beginning gives.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "frontend/check.h"

namespace rnnc {

struct RunText {
  std::string source_name, source;                       // the model file
  DimValues dims;                                        // of --set
  std::vector<std::pair<std::string, std::string>> set;  // of --set, other than dims
};

nlohmann::json to_json(const RunText& text);
/// Throws nlohmann::json::exception.
RunText run_text_from_json(const nlohmann::json& json);

/// One line for each thing that changes what training does: sizes, cells, layers, the model and the data
/// block as far as this training reads them, settings of its train block. Lengths of runs, figures and file
/// names may differ, and so may what the command line now says with --set.
std::vector<std::string> differences(const RunText& then, const RunText& now, const std::string& model,
                                     const std::string& data, size_t train_block);

}  // namespace rnnc
