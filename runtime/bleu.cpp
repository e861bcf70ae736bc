// BLEU-4: see bleu.h.
#include "runtime/bleu.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace rnnc {
namespace {

using Counts = std::map<std::vector<int32_t>, int64_t>;

Counts count_ngrams(std::span<const int32_t> words, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= words.size(); ++i)
    ++counts[{words.begin() + long(i), words.begin() + long(i + n)}];
  return counts;
}

}  // namespace

void Bleu::add(std::span<const int32_t> written, std::span<const int32_t> reference) {
  written_ += static_cast<int64_t>(written.size());
  reference_ += static_cast<int64_t>(reference.size());
  for (size_t n = 1; n <= kOrders; ++n) {
    const Counts there = count_ngrams(reference, n);
    for (const auto& [ngram, count] : count_ngrams(written, n)) {
      all_[n - 1] += count;
      if (const auto same = there.find(ngram); same != there.end())
        found_[n - 1] += std::min(count, same->second);
    }
  }
}

double Bleu::value() const {
  double log_sum = 0;
  for (size_t n = 0; n < kOrders; ++n) {
    if (found_[n] == 0) return 0;
    log_sum += std::log(static_cast<double>(found_[n]) / static_cast<double>(all_[n]));
  }
  const double ratio = static_cast<double>(reference_) / static_cast<double>(written_);
  const double brevity = std::min(0.0, 1 - ratio);
  return 100 * std::exp(brevity + log_sum / kOrders);
}

}  // namespace rnnc
