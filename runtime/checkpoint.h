// Saved models and the state from which training goes on.
//
// A saved model is one safetensors file that others can read: parameters under the names of the model file,
// and as metadata the model's source and what was learned from the data, so that `predict` needs nothing
// else. The state lies beside it (FILE.state), all in one file, so that no two files can disagree.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "runtime/dataset.h"
#include "runtime/safetensors.h"

namespace rnnc {

/// What stands in a saved model beside the parameters.
struct ModelInfo {
  std::string source_name;  // surname.rnn
  std::string source;       // its text
  std::string model;        // the model's name
  std::string data;         // the data block's name
  Learned learned;
  nlohmann::json extra =
      nlohmann::json::object();  // the driver's own (`dim` values of --set, best epoch, ...)
};

struct SavedModel {
  std::map<std::string, SavedTensor> parameters;
  ModelInfo info;
};

/// Throws RunError if it cannot be written; the file is then as it was.
void save_model(const std::string& path, std::span<const TensorView> parameters, const ModelInfo& info);

/// Throws DataError if the file is missing, cut short or no saved model.
SavedModel load_model(const std::string& path);
/// The same from bytes; `path` is for messages.
SavedModel parse_model(std::span<const std::byte> bytes, const std::string& path);

/// A parameter that the program has.
struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;
};

/// One line for each parameter that is missing, new or of another shape; empty if the saved model fits.
std::vector<std::string> misfits(const SavedModel& model, std::span<const ParameterShape> expected);

/// What training needs to go on: tensors (current and best parameters, optimizer state, under names the
/// driver chooses) and the rest as JSON (epoch, step, best loss, ...).
struct TrainingState {
  std::map<std::string, SavedTensor> tensors;
  nlohmann::json rest = nlohmann::json::object();
};

/// FILE.state
std::string state_path(const std::string& model_path);

void save_state(const std::string& path, std::span<const TensorView> tensors, const nlohmann::json& rest);
TrainingState load_state(const std::string& path);
TrainingState parse_state(std::span<const std::byte> bytes, const std::string& path);

}  // namespace rnnc
