// The bodies of KernelBuilder's words.
#include "codegen/kernel_builder.h"

#include <llvm/IR/MDBuilder.h>

#include <array>
#include <cstddef>
#include <numeric>

namespace rnnc {

using llvm::BasicBlock;
using llvm::PHINode;

KernelBuilder::KernelBuilder(llvm::Module& m, const Target& t) : module(m), target(t), ir(m.getContext()) {
  f32 = ir.getFloatTy();
  i32 = ir.getInt32Ty();
  i64 = ir.getInt64Ty();
  ptr = ir.getPtrTy();
  chunk = llvm::FixedVectorType::get(f32, 16);
  ichunk = llvm::FixedVectorType::get(i32, 16);
}

llvm::Function* KernelBuilder::begin_function(const std::string& name, llvm::FunctionType* type,
                                              bool internal) {
  auto linkage = internal ? llvm::Function::InternalLinkage : llvm::Function::ExternalLinkage;
  llvm::Function* fn = module.getFunction(name);  // declared by a caller before
  if (!fn) fn = llvm::Function::Create(type, linkage, name, module);
  // The width must be said twice, or LLVM splits 512-bit vectors for processors that it thinks prefer 256.
  std::string width = std::to_string(target.lanes * 32);
  fn->addFnAttr("target-cpu", target.cpu);
  fn->addFnAttr("target-features", target.features);
  fn->addFnAttr("prefer-vector-width", width);
  fn->addFnAttr("min-legal-vector-width", width);
  fn->addFnAttr("denormal-fp-math", "preserve-sign,preserve-sign");
  fn->addFnAttr("no-builtins");
  fn->addFnAttr(llvm::Attribute::NoUnwind);
  function_ = fn;
  tail_buffer_ = nullptr;
  ir.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", fn));
  return fn;
}

Value* KernelBuilder::stack_floats(int64_t count) {
  BasicBlock& entry = function_->getEntryBlock();
  llvm::IRBuilder<> first(&entry, entry.begin());
  auto* slot = first.CreateAlloca(llvm::ArrayType::get(f32, uint64_t(count)));
  slot->setAlignment(llvm::Align(64));
  return slot;
}

Value* KernelBuilder::lane_numbers() {
  std::array<uint32_t, 16> lanes;
  std::iota(lanes.begin(), lanes.end(), 0);
  return llvm::ConstantDataVector::get(module.getContext(), lanes);
}

Value* KernelBuilder::load_word(Value* base, int64_t index, llvm::Type* type) {
  Value* at = index == 0 ? base : ir.CreateConstInBoundsGEP1_64(i64, base, uint64_t(index));
  return ir.CreateAlignedLoad(type, at, llvm::Align(8));
}

Value* KernelBuilder::fma(Value* a, Value* b, Value* c) {
  if (!target.has_fma) return ir.CreateFAdd(ir.CreateFMul(a, b), c);
  return ir.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
}

Values KernelBuilder::loop(Value* begin, Value* end, const Values& carried,
                           const std::function<Values(Value*, const Values&)>& body) {
  // Rotated: tested before the first turn and then at the bottom, since no pass would do it later.
  BasicBlock* before = ir.GetInsertBlock();
  BasicBlock* turn = BasicBlock::Create(module.getContext(), "turn", function_);
  BasicBlock* done = BasicBlock::Create(module.getContext(), "done", function_);
  ir.CreateCondBr(ir.CreateICmpSLT(begin, end), turn, done);

  ir.SetInsertPoint(turn);
  PHINode* j = ir.CreatePHI(i64, 2);
  j->addIncoming(begin, before);
  Values now;
  for (Value* v : carried) {
    PHINode* phi = ir.CreatePHI(v->getType(), 2);
    phi->addIncoming(v, before);
    now.push_back(phi);
  }
  Values after = body(j, now);
  BasicBlock* last = ir.GetInsertBlock();
  Value* next = ir.CreateAdd(j, i(1), "", true, true);
  j->addIncoming(next, last);
  for (size_t v = 0; v < carried.size(); ++v) llvm::cast<PHINode>(now[v])->addIncoming(after[v], last);
  llvm::Instruction* back = ir.CreateCondBr(ir.CreateICmpSLT(next, end), turn, done);
  llvm::MDBuilder md(module.getContext());
  llvm::MDNode* keep = llvm::MDNode::get(module.getContext(), md.createString("llvm.loop.unroll.disable"));
  llvm::MDNode* id = llvm::MDNode::getDistinct(module.getContext(), {nullptr, keep});
  id->replaceOperandWith(0, id);
  back->setMetadata(llvm::LLVMContext::MD_loop, id);

  done->moveAfter(last);
  ir.SetInsertPoint(done);
  Values result;
  for (size_t v = 0; v < carried.size(); ++v) {
    PHINode* phi = ir.CreatePHI(carried[v]->getType(), 2);
    phi->addIncoming(carried[v], before);
    phi->addIncoming(after[v], last);
    result.push_back(phi);
  }
  return result;
}

void KernelBuilder::loop(Value* begin, Value* end, const std::function<void(Value*)>& body) {
  loop(begin, end, {}, [&](Value* j, const Values&) {
    body(j);
    return Values{};
  });
}

void KernelBuilder::when(Value* condition, const std::function<void()>& body) {
  BasicBlock* then = BasicBlock::Create(module.getContext(), "then", function_);
  BasicBlock* done = BasicBlock::Create(module.getContext(), "done", function_);
  ir.CreateCondBr(condition, then, done);
  ir.SetInsertPoint(then);
  body();
  ir.CreateBr(done);
  done->moveAfter(ir.GetInsertBlock());
  ir.SetInsertPoint(done);
}

KernelBuilder::Tail KernelBuilder::tail(Value* left) {
  Tail t{left, nullptr};
  if (target.has_masks) t.mask = mask(t);
  return t;
}

Value* KernelBuilder::mask(const Tail& t) {
  if (t.mask) return t.mask;
  return ir.CreateICmpSLT(lane_numbers(), splat(ir.CreateTrunc(minimum(t.left, i(16)), i32)));
}

void KernelBuilder::store_chunk(Value* value, Value* address, const Tail& t) {
  if (target.has_masks) {
    ir.CreateMaskedStore(value, address, llvm::Align(4), t.mask);
    return;
  }
  // Elsewhere masked stores are slow or taken apart lane by lane: only the last chunk of a row pays.
  BasicBlock* full = BasicBlock::Create(module.getContext(), "full", function_);
  BasicBlock* part = BasicBlock::Create(module.getContext(), "part", function_);
  BasicBlock* done = BasicBlock::Create(module.getContext(), "done", function_);
  ir.CreateCondBr(ir.CreateICmpSGE(t.left, i(16)), full, part);
  ir.SetInsertPoint(full);
  store(value, address);
  ir.CreateBr(done);
  ir.SetInsertPoint(part);
  store(value, tail_buffer());
  ir.CreateCall(store_tail_function(), {address, tail_buffer(), t.left});
  ir.CreateBr(done);
  ir.SetInsertPoint(done);
}

Value* KernelBuilder::tail_buffer() {
  if (!tail_buffer_) tail_buffer_ = stack_floats(16);
  return tail_buffer_;
}

llvm::Function* KernelBuilder::store_tail_function() {
  const std::string name = "store_tail";
  if (llvm::Function* fn = module.getFunction(name)) return fn;
  llvm::Function* outer = function_;
  Value* buffer = tail_buffer_;
  auto place = ir.saveIP();
  llvm::Function* fn =
      begin_function(name, llvm::FunctionType::get(ir.getVoidTy(), {ptr, ptr, i64}, false), true);
  loop(i(0), fn->getArg(2), [&](Value* j) { store(load(f32, at(fn->getArg(1), j)), at(fn->getArg(0), j)); });
  end_function();
  ir.restoreIP(place);
  function_ = outer;
  tail_buffer_ = buffer;
  return fn;
}

CallArgs::CallArgs(KernelBuilder& b, llvm::Function* fn, const Kernel& kernel) {
  auto field = [&](size_t offset) { return b.load_word(fn->getArg(0), int64_t(offset / 8), b.i64); };
  auto address = [&](size_t offset) { return b.load_word(fn->getArg(0), int64_t(offset / 8), b.ptr); };
  static_assert(sizeof(void*) == 8 && sizeof(KernelArgs) % 8 == 0);
  Value* data_of = address(offsetof(KernelArgs, data));
  Value* stride_of = address(offsetof(KernelArgs, stride));
  Value* rows_of = address(offsetof(KernelArgs, rows));
  Value* depth_of = address(offsetof(KernelArgs, depth));
  for (int i = 0; i < kernel.operands; ++i) {
    data.push_back(b.load_word(data_of, i, b.ptr));
    stride.push_back(b.load_word(stride_of, i, b.i64));
  }
  for (int i = 0; i < kernel.row_counts; ++i) rows.push_back(b.load_word(rows_of, i, b.i64));
  size_t depths = kernel.kind == KernelKind::WeightGradient ? 1 : kernel.product.left.size();
  for (size_t i = 0; i < depths; ++i) depth.push_back(b.load_word(depth_of, int64_t(i), b.i64));
  segments = address(offsetof(KernelArgs, segments));
  segment_count = field(offsetof(KernelArgs, segment_count));
  cols = field(offsetof(KernelArgs, cols));
  begin = fn->getArg(1);
  end = fn->getArg(2);
}

}  // namespace rnnc
