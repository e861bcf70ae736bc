// Where the values of a body are computed, and the code of each instruction.
#include "codegen/emit_pointwise.h"

#include <algorithm>

#include "codegen/emit_math.h"
#include "codegen/emit_random.h"

namespace rnnc {

BodyEmitter::BodyEmitter(KernelBuilder& b, const Kernel& kernel, const CallArgs& args)
    : b_(b), kernel_(kernel), args_(args) {
  size_t n = kernel.body.size();
  level_.assign(n, Level::Call);
  depth_.assign(n, 0);
  needed_.assign(n, false);
  values_.assign(n, nullptr);
  for (size_t i = 0; i < n; ++i) {
    const Instr& in = kernel.body[i];
    Level level = Level::Call;
    for (int operand : {in.a, in.b}) {
      if (operand < 0) continue;
      level = std::max(level, level_[size_t(operand)]);
      depth_[i] = std::max(depth_[i], depth_[size_t(operand)]);
    }
    switch (in.code) {
      case Instr::Load:
        switch (in.access) {
          case Access::Matrix:
          case Access::RowVector:
          case Access::Gather: level = Level::Chunk; break;
          case Access::GatherColumn:
          case Access::ColVector: level = Level::Row; break;
          case Access::Scalar: level = in.limit >= 0 ? Level::Row : Level::Call; break;
        }
        break;
      case Instr::Part:
      case Instr::Coin:
      case Instr::OneHot: level = Level::Chunk; break;
      case Instr::RowCoin: level = Level::Row; break;
      case Instr::Constant:
      case Instr::RowCount: level = Level::Call; break;
      case Instr::Compute: break;
      case Instr::Store: break;
      case Instr::Tail: level = std::max(level, Level::Row); break;
      case Instr::Reduce:
        level = Level::Row;
        rounds_ = std::max(rounds_, ++depth_[i]);
        break;
    }
    level_[i] = level;
  }
  if (kernel.sum_value >= 0) needed_[size_t(kernel.sum_value)] = true;
  for (size_t i = n; i-- > 0;) {
    const Instr& in = kernel.body[i];
    if (in.code != Instr::Store && !needed_[i]) continue;
    for (int operand : {in.a, in.b})
      if (operand >= 0) needed_[size_t(operand)] = true;
  }
}

void BodyEmitter::compute(Level level, int depth) {
  for (size_t i = 0; i < values_.size(); ++i)
    if (needed_[i] && level_[i] == level && depth_[i] == depth && kernel_.body[i].code != Instr::Reduce)
      value(int(i));
}

void BodyEmitter::begin_call() {
  compute(Level::Call, 0);
}

void BodyEmitter::begin_row(Value* row) {
  row_ = row;
  for (size_t i = 0; i < values_.size(); ++i)
    if (level_[i] != Level::Call) values_[i] = nullptr;
  compute(Level::Row, 0);
}

void BodyEmitter::begin_chunk(Value* col, Value* parts) {
  col_ = col;
  parts_ = parts;
  for (size_t i = 0; i < values_.size(); ++i)
    if (level_[i] == Level::Chunk) values_[i] = nullptr;
}

std::vector<int> BodyEmitter::reductions(int round) const {
  std::vector<int> list;
  for (size_t i = 0; i < values_.size(); ++i)
    if (needed_[i] && kernel_.body[i].code == Instr::Reduce && depth_[i] == round + 1) list.push_back(int(i));
  return list;
}

void BodyEmitter::end_round(int round) {
  compute(Level::Row, round + 1);
}

Value* BodyEmitter::value(int instr) {
  Value*& v = values_[size_t(instr)];
  if (!v) v = emit(kernel_.body[size_t(instr)]);
  return v;
}

Value* BodyEmitter::emit(const Instr& in) {
  auto& ir = b_.ir;
  switch (in.code) {
    case Instr::Load: return emit_load(in);
    case Instr::Part: return b_.load(b_.chunk, b_.at(parts_, b_.i(16 * in.operand)));
    case Instr::Constant: return b_.c(double(in.value));
    case Instr::RowCount: return b_.splat(ir.CreateSIToFP(args_.rows[size_t(in.limit)], b_.f32));
    case Instr::Compute: {
      Value* x = value(in.a);
      return emit_op(b_, in.op, x, in.b >= 0 ? value(in.b) : nullptr);
    }
    case Instr::Coin:
    case Instr::RowCoin: {
      Value* row = b_.at(args_.data[size_t(in.operand)], b_.mul(row_, args_.stride[size_t(in.operand)]));
      Value* key = args_.data[size_t(in.index)];
      CoinWords at;
      at.row = b_.load(b_.i32, row);
      at.time = in.access == Access::Matrix ? b_.load(b_.i32, b_.at(row, b_.i(1))) : ir.getInt32(0);
      at.place = ir.getInt32(uint32_t(in.place));
      at.key0 = b_.load(b_.i32, key);
      at.key1 = b_.load(b_.i32, b_.at(key, b_.i(1)));
      if (in.code == Instr::Coin) return emit_coins(b_, at, col_, in.value);
      Value* first = emit_coins(b_, at, b_.i(0), in.value);
      return b_.splat(ir.CreateExtractElement(first, uint64_t{0}));
    }
    case Instr::OneHot: {
      Value* column = ir.CreateAdd(b_.splat(ir.CreateTrunc(col_, b_.i32)), b_.lane_numbers());
      Value* same = ir.CreateFCmpOEQ(ir.CreateSIToFP(column, b_.chunk), value(in.a));
      return ir.CreateSelect(same, b_.c(1), b_.c(0));
    }
    case Instr::Tail: {
      Value* first = ir.CreateICmpSLT(row_, args_.rows[size_t(in.limit)]);
      return ir.CreateSelect(first, b_.c(0), value(in.a));
    }
    case Instr::Reduce:
    case Instr::Store: break;
  }
  throw KernelError("a value asked for too early in " + kernel_.key());
}

Value* BodyEmitter::emit_load(const Instr& in) {
  auto& ir = b_.ir;
  Value* data = args_.data[size_t(in.operand)];
  Value* stride = args_.stride[size_t(in.operand)];
  // Rows past the limit may lie outside the operand: they read row 0, and the result is replaced by 0.
  Value* row = row_;
  Value* there = nullptr;
  if (in.limit >= 0) {
    there = ir.CreateICmpSLT(row_, args_.rows[size_t(in.limit)]);
    row = ir.CreateSelect(there, row_, b_.i(0));
  }
  Value* address = data;
  bool wide = false;
  switch (in.access) {
    case Access::Matrix:
      address = b_.at(data, b_.add(b_.mul(row, stride), col_));
      wide = true;
      break;
    case Access::RowVector:
      address = b_.at(data, col_);
      wide = true;
      break;
    case Access::ColVector: address = b_.at(data, b_.mul(row, stride)); break;
    case Access::Scalar: break;
    case Access::Gather:
    case Access::GatherColumn: {
      Value* place = b_.at(args_.data[size_t(in.index)], b_.mul(row, args_.stride[size_t(in.index)]));
      Value* index = ir.CreateSExt(b_.load(b_.i32, place), b_.i64);
      Value* exists = ir.CreateICmpSGE(index, b_.i(0));
      there = there ? ir.CreateAnd(there, exists) : exists;
      address = b_.at(data, b_.mul(b_.maximum(index, b_.i(0)), stride));
      wide = in.access == Access::Gather;
      if (wide) address = b_.at(address, col_);
      break;
    }
  }
  bool integers = in.type == Type::I32;
  Value* v =
      wide ? b_.load(integers ? b_.ichunk : b_.chunk, address) : b_.load(integers ? b_.i32 : b_.f32, address);
  if (integers) v = ir.CreateSIToFP(v, wide ? static_cast<llvm::Type*>(b_.chunk) : b_.f32);
  if (!wide) v = b_.splat(v);
  return there ? ir.CreateSelect(there, v, b_.c(double(in.value))) : v;
}

bool BodyEmitter::stores_chunks() const {
  return std::any_of(kernel_.body.begin(), kernel_.body.end(),
                     [](const Instr& in) { return in.code == Instr::Store && in.access == Access::Matrix; });
}

void BodyEmitter::store_chunk(const KernelBuilder::Tail& tail) {
  std::vector<std::pair<const Instr*, Value*>> stores;
  for (const Instr& in : kernel_.body)
    if (in.code == Instr::Store && in.access == Access::Matrix) stores.emplace_back(&in, value(in.a));
  for (auto [in, v] : stores) {
    size_t operand = size_t(in->operand);
    Value* address = b_.at(args_.data[operand], b_.add(b_.mul(row_, args_.stride[operand]), col_));
    if (in->type == Type::I32) v = b_.ir.CreateFPToSI(v, b_.ichunk);
    b_.store_chunk(v, address, tail);
  }
}

void BodyEmitter::store_row() {
  for (const Instr& in : kernel_.body) {
    if (in.code != Instr::Store || in.access != Access::ColVector) continue;
    size_t operand = size_t(in.operand);
    Value* v = b_.ir.CreateExtractElement(value(in.a), uint64_t{0});
    if (in.type == Type::I32) v = b_.ir.CreateFPToSI(v, b_.i32);
    b_.store(v, b_.at(args_.data[operand], b_.mul(row_, args_.stride[operand])));
  }
}

}  // namespace rnnc
