// `bleu` of what a model writes (language.md section 5): the rows of a part are written with the search of
// the file's generate block and compared with what stands there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/generate_settings.h"
#include "driver/generator.h"
#include "ir/measure.h"

namespace rnnc {

/// What tells one `bleu` from another: `bleu y`.
std::string bleu_key(const Measure& bleu);
/// Whether a figure is made of one.
bool asks_for_bleu(const Measure& measure);

class BleuFigures {
 public:
  /// For the metrics of `train`, at least one of which asks for it. Refuses where the file has no generate
  /// block of the model, or a metric means another field than the one that is written. The seed of the search
  /// is that of the block whatever --seed says, so that eval finds what training found. All of these must
  /// outlive this.
  BleuFigures(const Experiment& experiment, const ast::Train& train, const ast::DataBlock& data,
              const Dataset& dataset, const Options& options, CompileOptions compiling, Jit& jit,
              Variables& variables);

  /// By key: of the rows of the part, which are written with the variables as they are.
  std::map<std::string, double> of(Part part, Team& team);

 private:
  std::vector<int32_t> words(std::span<const int32_t> symbols) const;

  const Dataset& dataset_;
  GenerateSettings settings_;
  Generator generator_;
  std::vector<int32_t> start_;
};

}  // namespace rnnc
