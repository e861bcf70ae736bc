// Counts of n-tuples: what is known of the next element from the n - 1 before it by counting alone
// (`ngram` in a train block). Only tuples that were seen take memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

namespace rnnc {

class Ngrams {
 public:
  /// Tuples of `length` ids (1: single ones) below `vocabulary`; `add` is added to every count.
  Ngrams(int64_t length, int64_t vocabulary, double add);

  /// Counts the tuples of one sequence. No tuple runs over its ends.
  void count(std::span<const int32_t> sequence);

  /// P(last | the ones before) = (n(before, last) + add) / (n(before) + add V), where n(before) counts the
  /// tuples that begin so; 0 for what was never seen, also after a beginning that was never seen.
  double probability(std::span<const int32_t> tuple) const;

  /// Sum over a sequence of -log P of each element that has length - 1 before it (single elements: of all).
  /// Adds how many these are to `positions`. Infinite if one of them was never seen.
  double surprise(std::span<const int32_t> sequence, int64_t& positions) const;

 private:
  using Table = std::unordered_map<std::u32string, int64_t>;
  static int64_t find(const Table& table, std::span<const int32_t> ids);

  size_t length_;
  double vocabulary_, add_;
  Table tuples_, beginnings_;
};

}  // namespace rnnc
