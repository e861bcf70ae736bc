// Row reductions.
#include "codegen/emit_reduce.h"

#include <limits>
#include <numeric>

#include "codegen/emit_math.h"

namespace rnnc {
namespace {
constexpr double kLowest = -std::numeric_limits<double>::infinity();
}

Values Reduction::start() const {
  if (op_ == Op::SumCols) return {b_.c(0)};
  if (op_ == Op::MaxCols) return {b_.c(kLowest)};
  return {b_.c(kLowest), b_.ci(INT32_MAX)};  // ArgMax: the largest of each lane and its column
}

Values Reduction::step(const Values& state, Value* chunk, Value* col, const KernelBuilder::Tail& tail) const {
  auto& ir = b_.ir;
  Value* mask = b_.mask(tail);
  if (op_ == Op::SumCols) return {ir.CreateFAdd(state[0], ir.CreateSelect(mask, chunk, b_.c(0)))};
  Value* seen = ir.CreateSelect(mask, chunk, b_.c(kLowest));
  if (op_ == Op::MaxCols) return {emit_max(b_, state[0], seen)};
  Value* column = ir.CreateAdd(b_.splat(ir.CreateTrunc(col, b_.i32)), b_.lane_numbers());
  column = ir.CreateSelect(mask, column, b_.ci(INT32_MAX));
  // an element that is the first of its lane is taken if it is -inf, too; NaN never is
  return join(state, {seen, column});
}

Values Reduction::join(const Values& low, const Values& high) const {
  auto& ir = b_.ir;
  if (op_ == Op::SumCols) return {ir.CreateFAdd(low[0], high[0])};
  if (op_ == Op::MaxCols) return {emit_max(b_, low[0], high[0])};
  Value* tie = ir.CreateAnd(ir.CreateFCmpOEQ(high[0], low[0]), ir.CreateICmpSLT(high[1], low[1]));
  Value* take = ir.CreateOr(ir.CreateFCmpOGT(high[0], low[0]), tie);
  return {ir.CreateSelect(take, high[0], low[0]), ir.CreateSelect(take, high[1], low[1])};
}

Value* Reduction::finish(const Values& state) const {
  auto& ir = b_.ir;
  Values now = state;
  for (int half = 8; half >= 1; half /= 2) {
    std::array<int, 16> from;  // lane j meets lane j ^ half; only the lower ones count in the end
    for (int j = 0; j < 16; ++j) from[size_t(j)] = j ^ half;
    Values other;
    for (Value* v : now) other.push_back(ir.CreateShuffleVector(v, from));
    now = join(now, other);
  }
  if (op_ != Op::ArgMax) return b_.splat(ir.CreateExtractElement(now[0], uint64_t{0}));
  Value* column = ir.CreateExtractElement(now[1], uint64_t{0});
  column = ir.CreateSelect(ir.CreateICmpEQ(column, ir.getInt32(INT32_MAX)), ir.getInt32(0), column);
  return b_.splat(ir.CreateSIToFP(column, b_.f32));
}

}  // namespace rnnc
