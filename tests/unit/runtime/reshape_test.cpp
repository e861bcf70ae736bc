// Rows of another width: every width of a block, padded and unpadded, whole and in pieces.
#include "runtime/reshape.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace rnnc {
namespace {

constexpr int32_t kGap = -7;

/// The numbers 0 .. rows * cols in rows of `stride`, gaps between and behind.
std::vector<int32_t> counted(int64_t rows, int64_t cols, int64_t stride) {
  std::vector<int32_t> m(size_t(rows * stride + 8), kGap);
  for (int64_t r = 0; r < rows; ++r)
    std::iota(m.begin() + r * stride, m.begin() + r * stride + cols, int32_t(r * cols));
  return m;
}

TEST(Reshape, KeepsTheOrderAndWritesNothingElse) {
  constexpr int64_t kRows = 5;
  for (int64_t block : {1, 2, 3, 4, 5, 8, 16, 32, 48}) {
    for (int64_t blocks : {1, 2, 7}) {
      for (int64_t gap : {0, 3}) {
        const int64_t wide_stride = block * blocks + gap;
        for (int64_t narrow_stride : {block, block + gap}) {
          const std::vector<int32_t> wide = counted(kRows, block * blocks, wide_stride);
          const std::vector<int32_t> narrow = counted(kRows * blocks, block, narrow_stride);
          for (bool split : {true, false}) {
            const Reshape shape{block, blocks, split};
            const auto& from = split ? wide : narrow;
            const auto& want = split ? narrow : wide;
            const int64_t from_stride = split ? wide_stride : narrow_stride;
            const int64_t to_stride = split ? narrow_stride : wide_stride;
            std::vector<int32_t> to(want.size(), kGap);
            for (int64_t at : {3, 0, 1}) {
              const int64_t end = at == 0 ? 1 : at == 1 ? 3 : kRows;
              reshape(shape, from.data(), from_stride, to.data(), to_stride, at, end);
            }
            EXPECT_EQ(to, want) << block << " " << blocks << " " << gap << " " << narrow_stride << split;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rnnc
