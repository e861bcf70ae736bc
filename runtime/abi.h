// How compiled kernels are called: one struct, filled by the command loop for each call.
#pragma once
#include <cstdint>

namespace rnnc {

/// A run of rows of a weight gradient: rows a .. a+n of the left operand meet rows b .. b+n of the right one.
struct Segment {
  int64_t a, b, n;
};

/// What a kernel is called with. Which operand is what stands in the Kernel it was compiled from
/// (codegen/kernel.h).
struct KernelArgs {
  void* const* data;      // address of element (0, 0) of each operand in this call; float or int32_t
  const int64_t* stride;  // elements from one row of each operand to the next
  const int64_t* rows;    // rows[0]: rows of the iteration space; the others as the kernel's body names them
  const int64_t* depth;  // products: K of each segment; weight gradient: depth[0] = K, the rows of the result
  const Segment* segments;  // weight gradient only, at least one; summed from the last to the first. If the
                            // last has no rows, there is no other
  int64_t segment_count;
  int64_t cols;  // columns of the iteration space (of one part, where a product has several)
};

/// Does the units begin .. end of its work: rows, column chunks or tiles (unit_count in codegen/kernel.h).
/// Calls with disjoint units may run at the same time, and which call does a unit never changes its bits.
using KernelFn = void (*)(const KernelArgs*, int64_t begin, int64_t end);

/// Every vector loop of a kernel may read (never write) up to this many floats past the end of a row.
constexpr int64_t kOverread = 64;
/// Logical vector: columns are processed in chunks of 16 floats on every target.
constexpr int64_t kChunk = 16;

}  // namespace rnnc
