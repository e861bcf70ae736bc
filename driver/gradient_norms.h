// `--gradients FILE`: how long the gradient of the loss by each layer's state is at each time step, so that
// one sees where gradients vanish and explode.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "driver/experiment.h"

namespace rnnc {

/// The norms of one layer, at steps 0, 1, ...: of the gradient of a batch's loss by the layer's results at
/// the step, all rows and columns together; over several batches the root of the mean square.
struct LayerNorms {
  std::string layer;  // `h.lstm.1`; of a cell with several results also which one
  std::vector<double> norms;
};

struct EpochNorms {
  int64_t epoch = 0;  // 0: before training
  std::vector<LayerNorms> layers;
};

/// A program that gives these gradients, and what it found so far.
class GradientNorms {
 public:
  /// Refuses a model without a recurrence. All of these must outlive this.
  GradientNorms(const Experiment& experiment, const Lowered& lowered, const Dataset& dataset,
                CompileOptions options, Jit& jit, Variables& variables);
  ~GradientNorms();
  GradientNorms(const GradientNorms&) = delete;
  GradientNorms& operator=(const GradientNorms&) = delete;

  /// Measures with the variables as they are, over the first batches of the training part in the order of the
  /// data, without dropout and clipping.
  void measure(int64_t epoch, Team& team);
  const std::vector<EpochNorms>& found() const { return found_; }

 private:
  struct Program;

  const Dataset& dataset_;
  std::unique_ptr<Program> program_;
  std::vector<EpochNorms> found_;
};

nlohmann::json to_json(const std::vector<EpochNorms>& found);
/// A page with a chart an epoch: first and last, and some between.
std::string gradients_page(const std::string& model, const std::vector<EpochNorms>& found);

}  // namespace rnnc
