// The same numbers in rows of another width: [R, n c] to [n R, c] (`split_cols`) and back (`join_rows`). Rows
// are padded, so it is a copy of blocks between two strides.
#pragma once
#include <cstdint>

namespace rnnc {

/// A row of the wide side is `blocks` blocks of `block` 4-byte elements.
struct Reshape {
  int64_t block = 0, blocks = 0;
  bool split = false;  // from the wide side to the narrow one
  bool operator==(const Reshape&) const = default;
};

/// Copies rows begin .. end of the wide side. Strides count elements. Several threads may copy disjoint
/// ranges.
void reshape(const Reshape& shape, const void* from, int64_t from_stride, void* to, int64_t to_stride,
             int64_t begin, int64_t end);

}  // namespace rnnc
