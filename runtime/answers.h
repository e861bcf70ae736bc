// The answers of `next(x, n)`: for each element of packed sequences the one n later in the same row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rnnc {

/// Laid out like the elements themselves.
struct Answers {
  std::vector<int32_t> ids;  // -1 where the row ends before
  std::vector<float> has;    // 1 where there is one, else 0
};

/// `row_offset` is that of a batch's dimension, `ids` its packed elements; n may be negative.
Answers next_elements(std::span<const int64_t> row_offset, std::span<const int32_t> ids, int64_t n);

}  // namespace rnnc
