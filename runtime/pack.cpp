// Packing: for each panel, zeros where nothing else is written, then the part of each piece that falls into
// it.
#include "runtime/pack.h"

#include <algorithm>
#include <cstring>

namespace rnnc {
namespace {

// k rows of `cols` columns from a row-major source.
void copy_rows(const float* from, int64_t stride, int64_t k, int64_t cols, float* to, int64_t width) {
  for (int64_t i = 0; i < k; ++i)
    std::memcpy(to + i * width, from + i * stride, size_t(cols) * sizeof(float));
}

// The same from a source that holds the columns as rows: blocks of 16 k, so that both sides stay in L1.
void copy_transposed(const float* from, int64_t stride, int64_t k, int64_t cols, float* to, int64_t width) {
  constexpr int64_t block = 16;
  int64_t i = 0;
  for (; i + block <= k; i += block)
    for (int64_t j = 0; j < cols; ++j)
      for (int64_t r = 0; r < block; ++r) to[(i + r) * width + j] = from[j * stride + i + r];
  for (; i < k; ++i)
    for (int64_t j = 0; j < cols; ++j) to[i * width + j] = from[j * stride + i];
}

// Whether every element of the panel is written by a piece, so that no zeros are needed.
bool covered(const PanelShape& shape, std::span<const PackPiece> pieces, int64_t first, int64_t end) {
  if (end - first < shape.columns()) return false;
  int64_t written = 0;
  for (const PackPiece& p : pieces)
    written += p.k * std::max<int64_t>(0, std::min(end, p.first_col + p.cols) - std::max(first, p.first_col));
  return written >= shape.k * shape.width();
}

}  // namespace

void pack(const PanelShape& shape, std::span<const PackPiece> pieces, float* to, int64_t begin, int64_t end) {
  int64_t width = shape.width();
  for (int64_t panel = begin; panel < end; ++panel) {
    float* target = to + panel * shape.k * width;
    int64_t first = panel * shape.columns(), past = std::min(first + shape.columns(), shape.n);
    if (!covered(shape, pieces, first, past)) std::memset(target, 0, size_t(shape.k * width) * sizeof(float));
    for (const PackPiece& p : pieces) {
      int64_t from = std::max(first, p.first_col), last = std::min(past, p.first_col + p.cols);
      if (from >= last) continue;
      float* place = target + p.first_k * width + 16 * (shape.parts > 1 ? p.part : 0) + (from - first);
      int64_t column = from - p.first_col;
      if (p.transposed) copy_transposed(p.data + column * p.stride, p.stride, p.k, last - from, place, width);
      else copy_rows(p.data + column, p.stride, p.k, last - from, place, width);
    }
  }
}

}  // namespace rnnc
