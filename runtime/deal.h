// Dealing rows to the training, valid and test part.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/data_spec.h"

namespace rnnc {

/// The part of each of `rows` rows: row r goes to the part that is furthest behind its share of the first r +
/// 1 rows, ties to the first named. Shares are taken as decimal numbers of nine places, so ties are exact.
std::vector<Part> deal_rows(int64_t rows, std::span<const Share> shares);

/// `take n`: of `rows` rows at most n, evenly spread: floor(i * rows / n).
std::vector<int64_t> take_rows(int64_t rows, int64_t n);

}  // namespace rnnc
