// Packing against the definition of a panel.
#include "runtime/pack.h"

#include <gtest/gtest.h>

#include <vector>

namespace rnnc {
namespace {

// Where element (k, column of part) lies.
size_t place(const PanelShape& s, int64_t k, int part, int64_t column) {
  int64_t panel = column / s.columns(), inside = column % s.columns();
  return size_t((panel * s.k + k) * s.width() + (s.parts > 1 ? 16 * part : 0) + inside);
}

TEST(Pack, PiecesLandWhereTheLayoutSaysAndTheRestIsZero) {
  for (int parts : {1, 2, 4, 6})
    for (int chunks : {1, 2, 3, 4}) {
      if (parts > 1 && chunks > 1) continue;
      for (const auto& [k, n] : std::vector<std::pair<int64_t, int64_t>>{
               {37, 1}, {37, 15}, {37, 16}, {170, 40}, {37, 70}, {91, 300}}) {
        PanelShape shape{parts, chunks, k, n};
        std::vector<float> want(size_t(shape.panels() * shape.k * shape.width()), 0), got(want.size(), -1);
        // for each part: rows 0 .. 20 plain, rows 20 .. k transposed, both cut into two ranges of columns
        std::vector<std::vector<float>> sources;
        std::vector<PackPiece> pieces;
        float next = 1;
        sources.reserve(size_t(parts) * 4);
        for (int part = 0; part < parts; ++part)
          for (bool transposed : {false, true})
            for (int half = 0; half < 2; ++half) {
              PackPiece p{nullptr,
                          0,
                          transposed,
                          transposed ? 20 : 0,
                          transposed ? k - 20 : 20,
                          part,
                          half ? n / 2 : 0,
                          half ? n - n / 2 : n / 2};
              p.stride = (transposed ? p.k : p.cols) + 3;
              std::vector<float>& source = sources.emplace_back(size_t((p.k + p.cols) * p.stride), -2.0f);
              for (int64_t i = 0; i < p.k; ++i)
                for (int64_t j = 0; j < p.cols; ++j) {
                  source[size_t(transposed ? j * p.stride + i : i * p.stride + j)] = next;
                  want[place(shape, p.first_k + i, part, p.first_col + j)] = next++;
                }
              p.data = source.data();
              pieces.push_back(p);
            }
        int64_t half = shape.panels() / 2;
        pack(shape, pieces, got.data(), half, shape.panels());
        pack(shape, pieces, got.data(), 0, half);
        EXPECT_EQ(got, want) << parts << " parts, " << chunks << " chunks, " << k << " x " << n;
        // with a part missing there are zeros
        std::vector<PackPiece> fewer(pieces.begin() + 2, pieces.end());
        for (int64_t i = 0; i < 20; ++i)
          for (int64_t j = 0; j < n; ++j) want[place(shape, i, 0, j)] = 0;
        pack(shape, fewer, got.data(), 0, shape.panels());
        EXPECT_EQ(got, want);
      }
    }
}

}  // namespace
}  // namespace rnnc
