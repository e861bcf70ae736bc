// Philox 4x32-10 for four blocks side by side; their 16 words are the 16 columns of a chunk.
#include "codegen/emit_random.h"

#include <array>
#include <numeric>

namespace rnnc {
namespace {

/// The high and low words of the products of 32-bit lanes with a constant.
struct Wide {
  Value *high, *low;
};

Wide multiply(KernelBuilder& b, Value* lanes, uint32_t by) {
  auto& ir = b.ir;
  auto* wide = llvm::FixedVectorType::get(b.i64, 4);
  Value* product = ir.CreateMul(ir.CreateZExt(lanes, wide), llvm::ConstantInt::get(wide, by));
  return {ir.CreateTrunc(ir.CreateLShr(product, llvm::ConstantInt::get(wide, 32)), lanes->getType()),
          ir.CreateTrunc(product, lanes->getType())};
}

}  // namespace

Value* emit_coins(KernelBuilder& b, const CoinWords& at, Value* col, float threshold) {
  auto& ir = b.ir;
  auto splat = [&](Value* word) { return ir.CreateVectorSplat(4, word); };
  constexpr std::array<uint32_t, 4> lanes = {0, 1, 2, 3};
  Value* block = ir.CreateTrunc(ir.CreateLShr(col, b.i(2)), b.i32);
  Value* c0 = ir.CreateAdd(splat(block), llvm::ConstantDataVector::get(b.module.getContext(), lanes));
  Value *c1 = splat(at.time), *c2 = splat(at.row), *c3 = splat(at.place);
  for (uint32_t round = 0; round < 10; ++round) {
    Value* key0 = splat(ir.CreateAdd(at.key0, ir.getInt32(round * 0x9E3779B9u)));
    Value* key1 = splat(ir.CreateAdd(at.key1, ir.getInt32(round * 0xBB67AE85u)));
    const Wide p0 = multiply(b, c0, 0xD2511F53u), p1 = multiply(b, c2, 0xCD9E8D57u);
    c0 = ir.CreateXor(ir.CreateXor(p1.high, c1), key0);
    c2 = ir.CreateXor(ir.CreateXor(p0.high, c3), key1);
    c1 = p1.low;
    c3 = p0.low;
  }
  std::array<int, 8> eight;
  std::array<int, 16> sixteen;
  std::iota(eight.begin(), eight.end(), 0);
  std::iota(sixteen.begin(), sixteen.end(), 0);
  Value* words = ir.CreateShuffleVector(ir.CreateShuffleVector(c0, c1, eight),
                                        ir.CreateShuffleVector(c2, c3, eight), sixteen);
  Value* bits = ir.CreateLShr(words, b.ci(8));  // 24 bits: as signed numbers they compare alike
  return ir.CreateSelect(ir.CreateICmpSLT(bits, b.ci(int32_t(threshold))), b.c(1), b.c(0));
}

}  // namespace rnnc
