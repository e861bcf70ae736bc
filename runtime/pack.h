// Packs the right operand of a product into panels (PanelLayout in codegen/kernel.h): the columns that a
// micro-kernel reads together lie together, for k = 0, 1, 2, ..., with zeros where there is no column.
#pragma once
#include <cstdint>
#include <span>

namespace rnnc {

/// The panels of a matrix [k, parts * n]; parts and chunks as in PanelLayout.
struct PanelShape {
  int parts = 1;
  int chunks = 1;
  int64_t k = 0, n = 0;
  int64_t width() const { return 16 * int64_t(parts > 1 ? parts : chunks); }  // floats per k
  int64_t columns() const { return parts > 1 ? 16 : 16 * int64_t(chunks); }   // of one part in a panel
  int64_t panels() const { return (n + columns() - 1) / columns(); }
};

/// A matrix that becomes the elements (first_k .. first_k + k, first_col .. first_col + cols) of part `part`.
/// Element (i, j) of it lies at data[i * stride + j], or data[j * stride + i] if transposed.
struct PackPiece {
  const float* data = nullptr;
  int64_t stride = 0;
  bool transposed = false;
  int64_t first_k = 0, k = 0;
  int part = 0;
  int64_t first_col = 0, cols = 0;
};

/// Writes panels begin .. end of `to`, which is where panel 0 starts. Elements no piece names become 0.
/// Several threads may pack disjoint ranges.
void pack(const PanelShape& shape, std::span<const PackPiece> pieces, float* to, int64_t begin, int64_t end);

}  // namespace rnnc
