// Figures that are counted from the data, without a program: `ngram` (language.md section 5).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/measure.h"
#include "runtime/dataset.h"

namespace rnnc {

/// What tells one `ngram` from another: `x 2 0.01`.
std::string ngram_key(const Measure& ngram);

/// The `ngram`s of a dataset, each counted once a part.
class CountedFigures {
 public:
  /// The dataset must outlive this.
  explicit CountedFigures(const Dataset& dataset) : dataset_(dataset) {}

  /// The `ngram`s of this measure will be counted.
  void want(const Measure& measure);
  /// By key: the mean of -log P(next(x)) over the positions of the part that have enough before them.
  const std::map<std::string, double>& of(Part part);

 private:
  double cross_entropy(const Measure& ngram, Part part) const;

  const Dataset& dataset_;
  std::map<std::string, Measure> wanted_;
  std::map<Part, std::map<std::string, double>> known_;
};

}  // namespace rnnc
