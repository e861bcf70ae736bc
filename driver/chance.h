// The key of the coins of a training step (ir/chance.h), bound to a program.
#pragma once
#include <array>
#include <cstdint>

namespace rnnc {

/// The key of all coins of a training step, counted from 1 over all epochs.
std::array<int32_t, 2> chance_of_step(uint64_t seed, int64_t step);

}  // namespace rnnc
