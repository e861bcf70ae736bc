// Counts of n-tuples: see ngrams.h.
#include "runtime/ngrams.h"

#include <cmath>
#include <stdexcept>

namespace rnnc {
namespace {

std::u32string key(std::span<const int32_t> ids) {
  return {ids.begin(), ids.end()};
}

}  // namespace

Ngrams::Ngrams(int64_t length, int64_t vocabulary, double add)
    : length_(static_cast<size_t>(length)), vocabulary_(static_cast<double>(vocabulary)), add_(add) {
  if (length < 1) throw std::invalid_argument("n-grams of less than one element");
}

void Ngrams::count(std::span<const int32_t> sequence) {
  for (size_t at = 0; at + length_ <= sequence.size(); ++at) {
    const auto tuple = sequence.subspan(at, length_);
    ++tuples_[key(tuple)];
    ++beginnings_[key(tuple.first(length_ - 1))];
  }
}

int64_t Ngrams::find(const Table& table, std::span<const int32_t> ids) {
  const auto found = table.find(key(ids));
  return found == table.end() ? 0 : found->second;
}

double Ngrams::probability(std::span<const int32_t> tuple) const {
  const double seen = static_cast<double>(find(tuples_, tuple)) + add_;
  const double all =
      static_cast<double>(find(beginnings_, tuple.first(tuple.size() - 1))) + add_ * vocabulary_;
  return seen > 0 ? seen / all : 0;
}

double Ngrams::surprise(std::span<const int32_t> sequence, int64_t& positions) const {
  double sum = 0;
  for (size_t end = length_; end <= sequence.size(); ++end) {
    sum -= std::log(probability(sequence.subspan(end - length_, length_)));
    ++positions;
  }
  return sum;
}

}  // namespace rnnc
