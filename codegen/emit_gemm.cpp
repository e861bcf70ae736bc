// Micro-kernels, and the calls of them.
#include "codegen/emit_gemm.h"

#include <fmt/format.h>

namespace rnnc {
namespace {

llvm::FunctionType* micro_type(KernelBuilder& b) {
  return llvm::FunctionType::get(b.ir.getVoidTy(), {b.ptr, b.i64, b.ptr, b.i64, b.i64, b.ptr, b.i64, b.i32},
                                 false);
}

int product_chunks(const Kernel& kernel) {
  return kernel.kind == KernelKind::WeightGradient
             ? kernel.chunks
             : PanelLayout{kernel.product.parts, kernel.product.chunks}.width();
}

}  // namespace

std::string MicroKernel::name() const {
  return fmt::format("{}_{}x{}", transposed ? "tn" : "nn", rows, vectors);
}

std::vector<MicroKernel> micro_kernels(const Kernel& kernel, const Target& target) {
  std::vector<MicroKernel> list;
  if (kernel.kind != KernelKind::WeightGradient && kernel.product.parts == 0) return list;
  Tiling t = tiling(target, product_chunks(kernel));
  for (int vectors : t.passes)
    for (int rows = 1; rows <= t.rows; ++rows)
      list.push_back({kernel.kind == KernelKind::WeightGradient, rows, vectors});
  return list;
}

void emit_micro_kernel(KernelBuilder& b, const MicroKernel& micro) {
  llvm::Function* fn = b.begin_function(micro.name(), micro_type(b));
  for (unsigned pointer : {0u, 2u, 5u}) fn->addParamAttr(pointer, llvm::Attribute::NoAlias);
  Value *a = fn->getArg(0), *lda = fn->getArg(1), *panel = fn->getArg(2), *ldb = fn->getArg(3);
  Value *depth = fn->getArg(4), *c = fn->getArg(5), *ldc = fn->getArg(6), *accumulate = fn->getArg(7);
  int lanes = b.target.lanes;
  auto* vector = llvm::FixedVectorType::get(b.f32, unsigned(lanes));
  auto address = [&](int row, int v) { return b.at(c, b.add(b.mul(b.i(row), ldc), b.i(v * lanes))); };

  // sums begin as 0 or as what C holds
  auto* entry = b.ir.GetInsertBlock();
  auto* resume = llvm::BasicBlock::Create(b.module.getContext(), "resume", fn);
  auto* start = llvm::BasicBlock::Create(b.module.getContext(), "start", fn);
  b.ir.CreateCondBr(b.ir.CreateICmpNE(accumulate, b.ir.getInt32(0)), resume, start);
  b.ir.SetInsertPoint(resume);
  Values held;
  for (int row = 0; row < micro.rows; ++row)
    for (int v = 0; v < micro.vectors; ++v) held.push_back(b.load(vector, address(row, v)));
  b.ir.CreateBr(start);
  b.ir.SetInsertPoint(start);
  Values sums;
  for (Value* v : held) {
    auto* phi = b.ir.CreatePHI(vector, 2);
    phi->addIncoming(llvm::Constant::getNullValue(vector), entry);
    phi->addIncoming(v, resume);
    sums.push_back(phi);
  }

  Value* step = micro.transposed ? lda : b.i(1);
  sums = b.loop(b.i(0), depth, sums, [&](Value* k, const Values& now) {
    Values right, next = now;
    Value* line = b.at(panel, b.mul(k, ldb));
    for (int v = 0; v < micro.vectors; ++v) right.push_back(b.load(vector, b.at(line, b.i(v * lanes))));
    for (int row = 0; row < micro.rows; ++row) {
      Value* index = micro.transposed ? b.add(b.mul(k, step), b.i(row)) : b.add(b.mul(b.i(row), lda), k);
      Value* left = b.ir.CreateVectorSplat(unsigned(lanes), b.load(b.f32, b.at(a, index)));
      for (int v = 0; v < micro.vectors; ++v) {
        Value*& sum = next[size_t(row * micro.vectors + v)];
        sum = b.fma(left, right[size_t(v)], sum);
      }
    }
    return next;
  });
  for (int row = 0; row < micro.rows; ++row)
    for (int v = 0; v < micro.vectors; ++v) b.store(sums[size_t(row * micro.vectors + v)], address(row, v));
  b.end_function();
}

TileProduct::TileProduct(KernelBuilder& b, bool transposed, int chunks)
    : b_(b), chunks_(chunks), tiling_(tiling(b.target, chunks)) {
  for (int vectors : tiling_.passes) {
    std::vector<llvm::Constant*> addresses;
    for (int rows = 1; rows <= tiling_.rows; ++rows) {
      MicroKernel micro{transposed, rows, vectors};
      auto callee = b.module.getOrInsertFunction(micro.name(), micro_type(b));
      addresses.push_back(llvm::cast<llvm::Constant>(callee.getCallee()));
    }
    std::string name = fmt::format("{}_{}_by_rows_{}", transposed ? "tn" : "nn", vectors, tiling_.rows);
    llvm::GlobalVariable* table = b.module.getNamedGlobal(name);
    if (!table) {
      auto* type = llvm::ArrayType::get(b.ptr, addresses.size());
      table = new llvm::GlobalVariable(b.module, type, true, llvm::GlobalValue::InternalLinkage,
                                       llvm::ConstantArray::get(type, addresses), name);
    }
    tables_.push_back(table);
  }
}

void TileProduct::call(Value* height, Value* a, Value* lda, Value* b, Value* ldb, Value* k, Value* c,
                       Value* ldc, bool accumulate) {
  int64_t first = 0;
  for (size_t pass = 0; pass < tables_.size(); ++pass) {
    Value* slot = b_.ir.CreateInBoundsGEP(b_.ptr, tables_[pass], b_.sub(height, b_.i(1)));
    Value* callee = b_.ir.CreateAlignedLoad(b_.ptr, slot, llvm::Align(8));
    b_.ir.CreateCall(
        micro_type(b_), callee,
        {a, lda, b_.at(b, b_.i(first)), ldb, k, b_.at(c, b_.i(first)), ldc, b_.ir.getInt32(accumulate)});
    first += tiling_.passes[pass] * b_.target.lanes;
  }
}

Split::Split(KernelBuilder& b, Value* rows, int most) : b_(b) {
  tiles_ = b.ceil_div(rows, most);
  Value* divisor = b.maximum(tiles_, b.i(1));
  base_ = b.ir.CreateUDiv(rows, divisor);
  extra_ = b.ir.CreateURem(rows, divisor);
}

Value* Split::first(Value* tile) {
  return b_.add(b_.mul(tile, base_), b_.minimum(tile, extra_));
}

Value* Split::height(Value* tile) {
  return b_.add(base_, b_.ir.CreateZExt(b_.ir.CreateICmpSLT(tile, extra_), b_.i64));
}

}  // namespace rnnc
