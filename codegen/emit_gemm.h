// Matrix products. A micro-kernel computes one tile of the result in registers, one chain of multiply-adds an
// element, k ascending; it knows nothing of models, and all kernels share it. A kernel with a product calls
// micro-kernels by the height of the tile, through a table of their addresses.
#pragma once
#include <compare>
#include <string>
#include <vector>

#include "codegen/kernel_builder.h"

namespace rnnc {

/// A function that many kernels share: the product of a tile, or, with no rows, copying rows.
struct MicroKernel {
  int rows = 0;
  int vectors = 0;  // of a row
  auto operator<=>(const MicroKernel&) const = default;
  std::string name() const;
};

/// Those that a kernel calls.
std::vector<MicroKernel> micro_kernels(const Kernel& kernel, const Target& target);

/// Product: void (A, row_pitch, k_pitch, B, ldb, K, C, ldc, accumulate) computes
///   C[i * ldc + j] = [C[i * ldc + j] +] sum over k of A[i * row_pitch + k * k_pitch] * B[k * ldb + j]
/// for its rows and its vectors of columns; with `accumulate` the chain goes on from what C holds. K may be
/// 0, pitches negative: the same code serves products (k_pitch 1) and weight gradients (row_pitch 1). Copy:
/// void (to, ldt, from, ldf, rows, cols); reads whole chunks, writes cols.
void emit_micro_kernel(KernelBuilder& b, const MicroKernel& micro);

/// Calls the copying one.
void emit_copy_rows(KernelBuilder& b, Value* to, Value* ldt, Value* from, Value* ldf, Value* rows,
                    Value* cols);

/// The calls of micro-kernels for tiles of one panel.
class TileProduct {
 public:
  TileProduct(KernelBuilder& b, int chunks);

  int rows() const { return tiling_.rows; }
  int64_t width() const { return 16 * chunks_; }  // floats of a tile's row, which is the pitch of the stash
  /// One segment: `height` rows (1 .. rows()) of a times a panel with pitch ldb go to c, or are added to it.
  void call(Value* height, Value* a, Value* row_pitch, Value* k_pitch, Value* b, Value* ldb, Value* k,
            Value* c, Value* ldc, Value* accumulate);

 private:
  KernelBuilder& b_;
  int chunks_;
  Tiling tiling_;
  std::vector<Value*> tables_;  // one a pass: addresses of the micro-kernels of 1, 2, ... rows
};

/// A range of rows cut into tiles of nearly equal height, at most `most`: the count, and the height of tile t
/// beginning at first(t).
class Split {
 public:
  Split(KernelBuilder& b, Value* rows, int most);
  Value* tiles() const { return tiles_; }
  Value* first(Value* tile);
  Value* height(Value* tile);

 private:
  KernelBuilder& b_;
  Value *tiles_, *base_, *extra_;
};

}  // namespace rnnc
