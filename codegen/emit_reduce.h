// Joining the columns of a row. 16 logical lanes on every target: chunks ascending into the lanes, then the
// lanes by halving 8, 4, 2, 1; so the bits are the same everywhere.
#pragma once
#include "codegen/kernel_builder.h"

namespace rnnc {

/// The running state of SumCols, MaxCols or ArgMax.
class Reduction {
 public:
  Reduction(KernelBuilder& b, Op op) : b_(b), op_(op) {}

  /// The state before the first chunk: one or two vectors, carried through the loop over chunks.
  Values start() const;
  /// One chunk more; `col` is its first column, lanes beyond the tail are left out.
  Values step(const Values& state, Value* chunk, Value* col, const KernelBuilder::Tail& tail) const;
  /// The result in all lanes. A maximum is NaN if any element is; ArgMax passes over NaN (0 if there is
  /// nothing else) and gives the first of equals.
  Value* finish(const Values& state) const;

 private:
  Values join(const Values& low, const Values& high) const;
  KernelBuilder& b_;
  Op op_;
};

}  // namespace rnnc
