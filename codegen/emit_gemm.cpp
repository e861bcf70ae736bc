// Micro-kernels, and the calls of them.
#include "codegen/emit_gemm.h"

#include <fmt/format.h>

namespace rnnc {
namespace {

llvm::FunctionType* product_type(KernelBuilder& b) {
  return llvm::FunctionType::get(b.ir.getVoidTy(),
                                 {b.ptr, b.i64, b.i64, b.ptr, b.i64, b.i64, b.ptr, b.i64, b.i32}, false);
}

llvm::FunctionType* copy_type(KernelBuilder& b) {
  return llvm::FunctionType::get(b.ir.getVoidTy(), {b.ptr, b.i64, b.ptr, b.i64, b.i64, b.i64}, false);
}

void emit_copy(KernelBuilder& b, const std::string& name) {
  llvm::Function* fn = b.begin_function(name, copy_type(b));
  Value *to = fn->getArg(0), *ldt = fn->getArg(1), *from = fn->getArg(2), *ldf = fn->getArg(3);
  Value *rows = fn->getArg(4), *cols = fn->getArg(5);
  b.loop(b.i(0), rows, [&](Value* r) {
    Value *source = b.at(from, b.mul(r, ldf)), *target = b.at(to, b.mul(r, ldt));
    b.loop(b.i(0), b.ceil_div(cols, kChunk), [&](Value* j) {
      Value* col = b.mul(j, b.i(kChunk));
      b.store_chunk(b.load(b.chunk, b.at(source, col)), b.at(target, col), b.tail(b.sub(cols, col)));
    });
  });
  b.end_function();
}

void emit_product(KernelBuilder& b, const MicroKernel& micro) {
  llvm::Function* fn = b.begin_function(micro.name(), product_type(b));
  for (unsigned pointer : {0u, 3u, 6u}) fn->addParamAttr(pointer, llvm::Attribute::NoAlias);
  Value *a = fn->getArg(0), *row_pitch = fn->getArg(1), *k_pitch = fn->getArg(2), *panel = fn->getArg(3);
  Value *ldb = fn->getArg(4), *depth = fn->getArg(5), *c = fn->getArg(6), *ldc = fn->getArg(7);
  Value* accumulate = fn->getArg(8);
  int lanes = b.target.lanes;
  auto* vector = llvm::FixedVectorType::get(b.f32, unsigned(lanes));
  Values lines;  // of C: one address a row, the vectors are constants away from it
  for (int row = 0; row < micro.rows; ++row) lines.push_back(row == 0 ? c : b.at(lines.back(), ldc));
  auto address = [&](int row, int v) {
    return v == 0 ? lines[size_t(row)] : b.at(lines[size_t(row)], b.i(v * lanes));
  };

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
  Values carried{a, panel};
  for (Value* v : held) {
    auto* phi = b.ir.CreatePHI(vector, 2);
    phi->addIncoming(llvm::Constant::getNullValue(vector), entry);
    phi->addIncoming(v, resume);
    carried.push_back(phi);
  }
  Values offsets;  // of the tile's rows in A
  for (int row = 0; row < micro.rows; ++row)
    offsets.push_back(row == 0 ? b.i(0) : row == 1 ? row_pitch : b.mul(b.i(row), row_pitch));

  carried = b.loop(b.i(0), depth, carried, [&](Value*, const Values& now) {
    Values right, next = now;
    for (int v = 0; v < micro.vectors; ++v)
      right.push_back(b.load(vector, v == 0 ? now[1] : b.at(now[1], b.i(v * lanes))));
    for (int row = 0; row < micro.rows; ++row) {
      Value* left = b.load(b.f32, row == 0 ? now[0] : b.at(now[0], offsets[size_t(row)]));
      left = b.ir.CreateVectorSplat(unsigned(lanes), left);
      for (int v = 0; v < micro.vectors; ++v) {
        Value*& sum = next[size_t(2 + row * micro.vectors + v)];
        sum = b.fma(left, right[size_t(v)], sum);
      }
    }
    next[0] = b.at(now[0], k_pitch);
    next[1] = b.at(now[1], ldb);
    return next;
  });
  for (int row = 0; row < micro.rows; ++row)
    for (int v = 0; v < micro.vectors; ++v)
      b.store(carried[size_t(2 + row * micro.vectors + v)], address(row, v));
  b.end_function();
}

}  // namespace

std::string MicroKernel::name() const {
  return rows > 0 ? fmt::format("product_{}x{}", rows, vectors) : "copy_rows";
}

std::vector<MicroKernel> micro_kernels(const Kernel& kernel, const Target& target) {
  std::vector<MicroKernel> list;
  bool gradient = kernel.kind == KernelKind::WeightGradient;
  if (!gradient && kernel.product.parts == 0) return list;
  if (gradient) list.push_back({});
  int chunks = gradient ? kernel.chunks : PanelLayout{kernel.product.parts, kernel.product.chunks}.width();
  Tiling t = tiling(target, chunks);
  for (int vectors : t.passes)
    for (int rows = 1; rows <= t.rows; ++rows) list.push_back({rows, vectors});
  return list;
}

void emit_micro_kernel(KernelBuilder& b, const MicroKernel& micro) {
  if (micro.rows > 0) emit_product(b, micro);
  else emit_copy(b, micro.name());
}

void emit_copy_rows(KernelBuilder& b, Value* to, Value* ldt, Value* from, Value* ldf, Value* rows,
                    Value* cols) {
  b.ir.CreateCall(b.module.getOrInsertFunction(MicroKernel{}.name(), copy_type(b)),
                  {to, ldt, from, ldf, rows, cols});
}

TileProduct::TileProduct(KernelBuilder& b, int chunks)
    : b_(b), chunks_(chunks), tiling_(tiling(b.target, chunks)) {
  for (int vectors : tiling_.passes) {
    std::vector<llvm::Constant*> addresses;
    for (int rows = 1; rows <= tiling_.rows; ++rows) {
      MicroKernel micro{rows, vectors};
      auto callee = b.module.getOrInsertFunction(micro.name(), product_type(b));
      addresses.push_back(llvm::cast<llvm::Constant>(callee.getCallee()));
    }
    std::string name = fmt::format("products_of_{}_vectors", vectors);
    llvm::GlobalVariable* table = b.module.getNamedGlobal(name);
    if (!table) {
      auto* type = llvm::ArrayType::get(b.ptr, addresses.size());
      table = new llvm::GlobalVariable(b.module, type, true, llvm::GlobalValue::InternalLinkage,
                                       llvm::ConstantArray::get(type, addresses), name);
    }
    tables_.push_back(table);
  }
}

void TileProduct::call(Value* height, Value* a, Value* row_pitch, Value* k_pitch, Value* b, Value* ldb,
                       Value* k, Value* c, Value* ldc, Value* accumulate) {
  int64_t first = 0;
  for (size_t pass = 0; pass < tables_.size(); ++pass) {
    Value* slot = b_.ir.CreateInBoundsGEP(b_.ptr, tables_[pass], b_.sub(height, b_.i(1)));
    Value* callee = b_.ir.CreateAlignedLoad(b_.ptr, slot, llvm::Align(8));
    b_.ir.CreateCall(product_type(b_), callee,
                     {a, row_pitch, k_pitch, b_.at(b, b_.i(first)), ldb, k, b_.at(c, b_.i(first)), ldc,
                      b_.ir.CreateZExt(accumulate, b_.i32)});
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
