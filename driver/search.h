// Writing a sequence symbol by symbol from the scores that a model gives: greedy, by chance, or with a beam.
// The model is seen through a Stepper, so that searches can be tested with a table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace rnnc {

/// `search greedy`, `search sample(temperature = 0.7, top = 40)`, `search beam(4)`; `length 20`.
struct SearchSettings {
  enum Kind { Greedy, Sample, Beam } kind = Greedy;
  double temperature = 1;
  int64_t top = 0;     // sample among so many of the best; 0: among all
  int64_t beam = 1;    // hypotheses kept
  int64_t length = 1;  // symbols at most
  uint64_t seed = 0;
};

/// The symbols that a search has to know.
struct SymbolRules {
  int32_t end = -1;            // <eos>: after it nothing is written; -1: there is none
  std::vector<int32_t> never;  // <bos>, <pad>, <blank>

  /// Whether a symbol is none of a text.
  bool is_special(int32_t symbol) const {
    return symbol == end || std::ranges::find(never, symbol) != never.end();
  }
};

/// A model that goes on with `rows` sequences side by side. It gives log probabilities, rows * entries of
/// them.
struct Stepper {
  int64_t rows = 1;
  int64_t entries = 0;
  /// Those of the first symbol.
  std::function<std::vector<float>()> begin;
  /// Reads one symbol for each row and gives those of the symbol after it.
  std::function<std::vector<float>(std::span<const int32_t>)> next;
  /// Row r becomes what row order[r] is.
  std::function<void(std::span<const int64_t>)> reorder;
};

struct Written {
  std::vector<int32_t> symbols;  // without the end
  double log_probability = 0;    // of the symbols and the end, by the model itself (whatever the temperature)
  bool ended = false;            // the end was written; else `length` was reached
};

/// Told of each symbol as soon as it is certain: which sequence, which symbol (never the end).
using OnSymbol = std::function<void(int64_t, int32_t)>;

/// Writes stepper.rows sequences; with a beam, rows / beam: each has `beam` rows side by side. Chance depends
/// on seed, number of the sequence (of `numbers`; without them from 0 on) and place of the symbol only.
/// Throws RunError if the probabilities are not numbers.
///
/// A beam keeps the hypotheses with the largest sums of log probabilities; those that ended stay as they are
/// and keep their place. There is no reward for length: a longer sequence is never more probable than its
/// beginning.
std::vector<Written> search(const Stepper& stepper, const SearchSettings& settings, const SymbolRules& rules,
                            const OnSymbol& on_symbol = {}, std::span<const int64_t> numbers = {});

}  // namespace rnnc
