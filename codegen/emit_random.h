// Coins in vector code: ir/chance.h says what they are.
#pragma once
#include "codegen/kernel_builder.h"

namespace rnnc {

/// What the coins of a row have in common: i32 each.
struct CoinWords {
  Value *row, *time, *place, *key0, *key1;
};

/// The coins of the 16 columns from `col` on, a multiple of 16: 1 where the bits are below `threshold`, else
/// 0.
Value* emit_coins(KernelBuilder& b, const CoinWords& at, Value* col, float threshold);

}  // namespace rnnc
