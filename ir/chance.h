// What a coin is: a pure function of where it lies, counted, not streamed (language.md section 8). The
// interpreter tosses coins with this; codegen/emit_random.cpp says the same in vector code.
//
// Philox 4x32-10 with the key of the training step. Column c takes word (c / 4) % 4 of the block with the
// counter (c / 16 * 4 + c % 4, time, row, place): 16 columns are four blocks, which vector code computes side
// by side.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rnnc {

using CoinKey = std::array<uint32_t, 2>;

/// Where a coin lies: `place` is its instance and equation, `row` the number of the row in the data, `time`
/// the step of the sequence (0 in a value of the row), `col` its index.
struct CoinPlace {
  uint32_t place = 0, row = 0, time = 0, col = 0;
};

/// The 24 random bits of a coin.
uint32_t coin_bits(const CoinPlace& at, CoinKey key);
/// A coin is 1 if its bits are below this: the probability in units of 2^-24.
uint32_t coin_threshold(double probability);

/// The place of an instance by its path: FNV-1a, 30 bits of it.
int32_t coin_place(std::string_view path);

/// Names of the inputs that coins read: the key of the training step (i32 [1, 2]); the number of each row in
/// the data (i32 [B, 1]); along sequence dimension `dim` the number of the row and the step (i32 [T, 2]).
inline constexpr const char* kChanceInput = "%chance";
inline constexpr const char* kRowInput = "%row";
std::string row_input(int dim);
/// The same of rows inside each row of the batch: the row, and the element inside.
inline std::string inner_row_input(int space) {
  return row_input(space) + ".0";
}

}  // namespace rnnc
