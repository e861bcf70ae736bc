// Figures that are counted from the data: see counted.h.
#include "driver/counted.h"

#include <fmt/format.h>

#include <stdexcept>

#include "runtime/ngrams.h"

namespace rnnc {
namespace {

/// Row `row` of a field of sequences.
std::vector<int32_t> row_of(const FieldData& data, int64_t row) {
  const auto at = static_cast<size_t>(row);
  const int64_t begin = data.offsets.at(at), end = data.offsets.at(at + 1);
  return data.ids.slice(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

}  // namespace

std::string ngram_key(const Measure& ngram) {
  return fmt::format("{} {} {}", ngram.field, ngram.length, ngram.number);
}

void CountedFigures::want(const Measure& measure) {
  if (measure.kind == Measure::Ngram) wanted_.emplace(ngram_key(measure), measure);
  for (const Measure& arg : measure.args) want(arg);
}

const std::map<std::string, double>& CountedFigures::of(Part part) {
  std::map<std::string, double>& known = known_[part];
  for (const auto& [key, ngram] : wanted_)
    if (!known.contains(key)) known[key] = cross_entropy(ngram, part);
  return known;
}

double CountedFigures::cross_entropy(const Measure& ngram, Part part) const {
  const int field = dataset_.find(ngram.field);
  if (field < 0) throw std::logic_error("ngram of " + ngram.field + ", which is no field");
  const FieldData& data = dataset_.data.at(static_cast<size_t>(field));
  const std::string& vocabulary = dataset_.fields.at(static_cast<size_t>(field)).vocabulary;
  Ngrams counts(ngram.length, dataset_.learned.vocabularies.at(vocabulary).size(), ngram.number);
  for (const int64_t row : dataset_.train) counts.count(row_of(data, row));
  double sum = 0;
  int64_t positions = 0;
  for (const int64_t row : dataset_.part(part)) sum += counts.surprise(row_of(data, row), positions);
  return sum / static_cast<double>(positions);
}

}  // namespace rnnc
