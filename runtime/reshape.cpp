// Blocks of a width known here are copied by instructions, others by memcpy. See reshape.h.
#include "runtime/reshape.h"

#include <cstddef>
#include <cstring>

namespace rnnc {
namespace {

/// How far apart rows of the wide side and the blocks of one row are, in bytes.
struct Steps {
  int64_t row, block;
};

/// `width`: bytes of a block; 0: `bytes` of them.
template <size_t width>
void copy(const std::byte* from, Steps from_steps, std::byte* to, Steps to_steps, int64_t rows,
          int64_t blocks, [[maybe_unused]] size_t bytes) {
  for (int64_t r = 0; r < rows; ++r) {
    const std::byte* a = from + r * from_steps.row;
    std::byte* b = to + r * to_steps.row;
    for (int64_t j = 0; j < blocks; ++j) {
      if constexpr (width > 0) std::memcpy(b, a, width);
      else std::memcpy(b, a, bytes);
      a += from_steps.block;
      b += to_steps.block;
    }
  }
}

}  // namespace

void reshape(const Reshape& shape, const void* from, int64_t from_stride, void* to, int64_t to_stride,
             int64_t begin, int64_t end) {
  const int64_t bytes = shape.block * 4;
  auto steps = [&](int64_t stride, bool wide) {
    return wide ? Steps{stride * 4, bytes} : Steps{shape.blocks * stride * 4, stride * 4};
  };
  const Steps a = steps(from_stride, shape.split), b = steps(to_stride, !shape.split);
  const auto* source = static_cast<const std::byte*>(from) + begin * a.row;
  auto* target = static_cast<std::byte*>(to) + begin * b.row;
  const int64_t rows = end - begin;
  if (a.block == bytes && b.block == bytes)  // no gaps within a row
    return copy<0>(source, a, target, b, rows, 1, size_t(bytes * shape.blocks));
  switch (shape.block) {
    case 1: return copy<4>(source, a, target, b, rows, shape.blocks, 0);
    case 2: return copy<8>(source, a, target, b, rows, shape.blocks, 0);
    case 3: return copy<12>(source, a, target, b, rows, shape.blocks, 0);
    case 4: return copy<16>(source, a, target, b, rows, shape.blocks, 0);
    case 8: return copy<32>(source, a, target, b, rows, shape.blocks, 0);
    case 16: return copy<64>(source, a, target, b, rows, shape.blocks, 0);
    case 32: return copy<128>(source, a, target, b, rows, shape.blocks, 0);
    default: return copy<0>(source, a, target, b, rows, shape.blocks, size_t(bytes));
  }
}

}  // namespace rnnc
