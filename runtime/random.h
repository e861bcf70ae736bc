// Random numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy
// as 1, 2, 3", SC 2011).
//
// A number is a pure function of seed, place and index, so the bits are the same whatever the threads, the
// order and the machine, and nothing has to be saved to go on after an interruption.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rnnc {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

/// Ten rounds of Philox 4x32.
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/// A place by its name (a parameter, an equation): FNV-1a, 32 bits.
uint32_t place_of(std::string_view name);

/// The numbers of one place: key = seed, counter = (place, epoch or step, index).
class Random {
 public:
  Random(uint64_t seed, uint32_t place, uint32_t step = 0) : seed_(seed), place_(place), step_(step) {}

  /// Uniform over the 2^64 values.
  uint64_t bits(uint64_t index) const;
  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform(uint64_t index) const;
  /// Normal with mean 0 and deviation 1 (Box and Muller; |value| < 6.7).
  float normal(uint64_t index) const;
  /// Uniform in 0 .. bound-1, bound > 0.
  uint64_t below(uint64_t index, uint64_t bound) const;

 private:
  PhiloxCounter block(uint64_t index) const;

  uint64_t seed_;
  uint32_t place_;
  uint32_t step_;
};

/// 0 .. n-1 in random order (Fisher and Yates), the order of epoch `epoch`.
std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint32_t epoch);

}  // namespace rnnc
