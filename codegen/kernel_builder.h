// The vocabulary the emitters are written in: an IRBuilder with our types, loads and stores without
// alignment, arithmetic on chunks of 16 floats, rotated loops with carried values, and the address arithmetic
// of operands. No optimization pass runs afterwards, so what is built here is what the machine gets.
#pragma once
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/target.h"

namespace rnnc {

using llvm::Value;
using Values = std::vector<Value*>;

class KernelBuilder {
 public:
  KernelBuilder(llvm::Module& module, const Target& target);

  llvm::Module& module;
  const Target& target;
  llvm::IRBuilder<> ir;
  llvm::Type *f32, *i32, *i64, *ptr;
  llvm::FixedVectorType *chunk, *ichunk;  // 16 floats, 16 int32

  /// Begins a function; its arguments are at fn->getArg(). Everything is built into it until the next one.
  llvm::Function* begin_function(const std::string& name, llvm::FunctionType* type, bool internal = false);
  /// Ends it with `ret void`.
  void end_function() { ir.CreateRetVoid(); }
  /// 64-byte aligned floats on the stack, made in the entry block.
  Value* stack_floats(int64_t count);

  // numbers
  Value* i(int64_t value) { return llvm::ConstantInt::get(i64, uint64_t(value), true); }
  Value* c(double value) { return llvm::ConstantFP::get(chunk, value); }  // in every lane
  Value* ci(int32_t value) { return llvm::ConstantInt::get(ichunk, uint64_t(uint32_t(value))); }
  Value* lane_numbers();  // 0 .. 15
  Value* splat(Value* scalar) { return ir.CreateVectorSplat(16, scalar); }
  Value* bits(Value* v) { return ir.CreateBitCast(v, ichunk); }
  Value* floats(Value* v) { return ir.CreateBitCast(v, chunk); }

  // index arithmetic, which never overflows
  Value* add(Value* a, Value* b) { return ir.CreateAdd(a, b, "", false, true); }
  Value* sub(Value* a, Value* b) { return ir.CreateSub(a, b, "", false, true); }
  Value* mul(Value* a, Value* b) { return ir.CreateMul(a, b, "", false, true); }
  Value* minimum(Value* a, Value* b) { return ir.CreateSelect(ir.CreateICmpSLT(a, b), a, b); }
  Value* maximum(Value* a, Value* b) { return ir.CreateSelect(ir.CreateICmpSGT(a, b), a, b); }
  Value* ceil_div(Value* a, int64_t by) { return ir.CreateSDiv(add(a, i(by - 1)), i(by)); }

  // memory: addresses count 4-byte elements and promise no more alignment than that
  Value* at(Value* base, Value* index) { return ir.CreateInBoundsGEP(f32, base, index); }
  Value* load(llvm::Type* type, Value* address) {
    return ir.CreateAlignedLoad(type, address, llvm::Align(4));
  }
  void store(Value* value, Value* address) { ir.CreateAlignedStore(value, address, llvm::Align(4)); }
  Value* load_word(Value* base, int64_t index, llvm::Type* type);  // base[index] of 8-byte words: i64 or ptr

  /// a * b + c: one rounding if the target has it, else two.
  Value* fma(Value* a, Value* b, Value* c);

  /// for (j = begin; j < end; ++j) body(j, carried): the values carried from turn to turn, and after the
  /// last.
  Values loop(Value* begin, Value* end, const Values& carried,
              const std::function<Values(Value* j, const Values& carried)>& body);
  void loop(Value* begin, Value* end, const std::function<void(Value* j)>& body);
  /// if (condition) body();
  void when(Value* condition, const std::function<void()>& body);

  /// The columns of a chunk that exist: `left` of them, or all 16 if more are left.
  struct Tail {
    Value* left;
    Value* mask;  // null if the target stores without masks
  };
  Tail tail(Value* left);
  Value* mask(const Tail& tail);  // <16 x i1>
  /// Stores the lanes of a chunk that exist, and touches nothing else.
  void store_chunk(Value* value, Value* address, const Tail& tail);

 private:
  llvm::Function* store_tail_function();
  Value* tail_buffer();

  llvm::Function* function_ = nullptr;
  llvm::Value* tail_buffer_ = nullptr;  // of function_
};

/// The arguments of a kernel's call, read once at its beginning.
struct CallArgs {
  CallArgs(KernelBuilder& b, llvm::Function* fn, const Kernel& kernel);
  Values data, stride, rows, depth;
  Value *segments, *segment_count, *cols, *begin, *end;
};

}  // namespace rnnc
