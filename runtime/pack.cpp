// Packing: for each panel, zeros where nothing else is written, then the part of each piece that falls into
// it.
#include "runtime/pack.h"

#include <algorithm>
#include <cstring>

namespace rnnc {
namespace {

// k rows of `cols` columns from a row-major source.
void copy_rows(const float* from, int64_t stride, int64_t k, int64_t cols, float* to, int64_t width) {
  if (cols == 16) {  // of one part: without a call for every row
    for (int64_t i = 0; i < k; ++i) std::memcpy(to + i * width, from + i * stride, 16 * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < k; ++i)
    std::memcpy(to + i * width, from + i * stride, size_t(cols) * sizeof(float));
}

using Four = float __attribute__((vector_size(16)));

// to[r * width + j] = from[j * stride + r] for r, j = 0 .. 3
void transpose_4x4(const float* from, int64_t stride, float* to, int64_t width) {
  Four row[4];
  for (int j = 0; j < 4; ++j) std::memcpy(&row[j], from + j * stride, sizeof(Four));
  const Four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const auto put = [&](int r, const Four& values) { std::memcpy(to + r * width, &values, sizeof(Four)); };
  put(0, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
  put(1, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
  put(2, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
  put(3, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
}

// The same as copy_rows from a source that holds the columns as rows: of each as much as several cache lines,
// so that the processor fetches ahead, and no more than leaves what is written in L1.
void copy_transposed(const float* from, int64_t stride, int64_t k, int64_t cols, float* to, int64_t width) {
  constexpr int64_t kBlock = 64;
  const int64_t fours = cols / 4 * 4;
  for (int64_t begin = 0; begin < k; begin += kBlock) {
    const int64_t end = std::min(k, begin + kBlock), past = begin + (end - begin) / 4 * 4;
    for (int64_t j = 0; j < fours; j += 4) {
      for (int64_t i = begin; i < past; i += 4)
        transpose_4x4(from + j * stride + i, stride, to + i * width + j, width);
    }
    for (int64_t j = 0; j < cols; ++j) {
      for (int64_t i = j < fours ? past : begin; i < end; ++i) to[i * width + j] = from[j * stride + i];
    }
  }
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
  // Rows of a piece lie far apart (often a power of two): of each, what neighbouring panels need is read
  // together, some rows at a time.
  constexpr int64_t kPanels = 16, kRows = 8;
  const int64_t width = shape.width();
  const auto panel_begin = [&](int64_t panel) { return panel * shape.columns(); };
  const auto panel_end = [&](int64_t panel) { return std::min(panel_begin(panel + 1), shape.n); };
  const auto panel_data = [&](int64_t panel) { return to + panel * shape.k * width; };
  for (int64_t panel = begin; panel < end; ++panel) {
    if (!covered(shape, pieces, panel_begin(panel), panel_end(panel)))
      std::memset(panel_data(panel), 0, size_t(shape.k * width) * sizeof(float));
  }
  for (const PackPiece& p : pieces) {
    // f(panel's place for the piece, first column of the piece in it, columns)
    const auto each_panel = [&](int64_t first, int64_t past, const auto& f) {
      for (int64_t panel = first; panel < past; ++panel) {
        const int64_t from = std::max(panel_begin(panel), p.first_col);
        const int64_t last = std::min(panel_end(panel), p.first_col + p.cols);
        if (from >= last) continue;
        float* place = panel_data(panel) + p.first_k * width + 16 * (shape.parts > 1 ? p.part : 0) +
                       (from - panel_begin(panel));
        f(place, from - p.first_col, last - from);
      }
    };
    if (p.transposed) {
      each_panel(begin, end, [&](float* place, int64_t col, int64_t cols) {
        copy_transposed(p.data + col * p.stride, p.stride, p.k, cols, place, width);
      });
      continue;
    }
    for (int64_t group = begin; group < end; group += kPanels) {
      for (int64_t k = 0; k < p.k; k += kRows) {
        each_panel(group, std::min(end, group + kPanels), [&](float* place, int64_t col, int64_t cols) {
          copy_rows(p.data + k * p.stride + col, p.stride, std::min(kRows, p.k - k), cols, place + k * width,
                    width);
        });
      }
    }
  }
}

}  // namespace rnnc
