// One function a kernel kind. Every element of a result depends only on its own position, never on begin and
// end.
#include "codegen/emit_module.h"

#include <limits>

#include "codegen/emit_gemm.h"
#include "codegen/emit_math.h"
#include "codegen/emit_pointwise.h"
#include "codegen/emit_reduce.h"

namespace rnnc {
namespace {

struct KernelFunction {
  KernelFunction(KernelBuilder& builder, const Kernel& k, const std::string& name)
      : b(builder),
        kernel(k),
        fn(b.begin_function(name, llvm::FunctionType::get(b.ir.getVoidTy(), {b.ptr, b.i64, b.i64}, false))),
        args(b, fn, k) {}

  KernelBuilder& b;
  const Kernel& kernel;
  llvm::Function* fn;
  CallArgs args;

  void rows();
  void rows_with_product();
  void column_sum();
  void weight_gradient();
  void scatter();

  Value* zeros(int64_t count);
};

void KernelFunction::rows() {
  BodyEmitter body(b, kernel, args);
  body.begin_call();
  Value* chunks = b.ceil_div(args.cols, kChunk);
  auto for_chunks = [&](const Values& carried,
                        const std::function<Values(Value*, KernelBuilder::Tail, const Values&)>& f) {
    return b.loop(b.i(0), chunks, carried, [&](Value* j, const Values& now) {
      Value* col = b.mul(j, b.i(kChunk));
      body.begin_chunk(col, nullptr);
      return f(col, b.tail(b.sub(args.cols, col)), now);
    });
  };
  b.loop(args.begin, args.end, [&](Value* row) {
    body.begin_row(row);
    for (int round = 0; round < body.rounds(); ++round) {
      std::vector<int> members = body.reductions(round);
      if (members.empty()) continue;
      std::vector<Reduction> reductions;
      std::vector<size_t> first;  // of each reduction's values among those carried
      Values start;
      for (int instr : members) {
        reductions.emplace_back(b, kernel.body[size_t(instr)].op);
        first.push_back(start.size());
        for (Value* v : reductions.back().start()) start.push_back(v);
      }
      first.push_back(start.size());
      auto part = [&](const Values& all, size_t r) {
        return Values(all.begin() + long(first[r]), all.begin() + long(first[r + 1]));
      };
      Values end = for_chunks(start, [&](Value* col, const KernelBuilder::Tail& tail, const Values& now) {
        Values next;
        for (size_t r = 0; r < members.size(); ++r) {
          Value* chunk = body.value(kernel.body[size_t(members[r])].a);
          for (Value* v : reductions[r].step(part(now, r), chunk, col, tail)) next.push_back(v);
        }
        return next;
      });
      for (size_t r = 0; r < members.size(); ++r)
        body.set_reduced(members[r], reductions[r].finish(part(end, r)));
      body.end_round(round);
    }
    if (body.stores_chunks())
      for_chunks({}, [&](Value*, const KernelBuilder::Tail& tail, const Values&) {
        body.store_chunk(tail);
        return Values{};
      });
    body.store_row();
  });
}

Value* KernelFunction::zeros(int64_t count) {
  auto* type = llvm::ArrayType::get(b.f32, uint64_t(count));
  auto* global = new llvm::GlobalVariable(b.module, type, true, llvm::GlobalValue::PrivateLinkage,
                                          llvm::Constant::getNullValue(type), "zeros");
  global->setAlignment(llvm::Align(64));
  return global;
}

void KernelFunction::rows_with_product() {
  const Product& p = kernel.product;
  PanelLayout layout{p.parts, p.chunks};
  TileProduct product(b, layout.width());
  int64_t width = product.width();
  // A long panel would come from far away for each tile. So it is cut into blocks of k, and several tiles
  // read a block before the next; their sums wait, which changes no bit of them.
  constexpr int64_t kBlock = 1024, kLong = 2048;  // of k
  constexpr int64_t kTiles = 16;                  // of a long panel at once
  Value* stash = b.stack_floats(kTiles * product.rows() * width);
  Value* longest = b.i(0);
  for (Value* depth : args.depth) longest = b.maximum(longest, depth);
  Value* together = b.ir.CreateSelect(b.ir.CreateICmpSGT(longest, b.i(kLong)), b.i(kTiles), b.i(1));
  Value* no_product = zeros(width);
  BodyEmitter body(b, kernel, args);
  body.begin_call();

  int64_t panel_cols = p.parts > 1 ? 16 : 16 * p.chunks;
  Value* multiplied = b.minimum(args.rows[size_t(p.rows_limit)], args.end);  // rows with a product end here
  multiplied = b.maximum(multiplied, args.begin);
  Split split(b, b.sub(multiplied, args.begin), product.rows());
  // the rows without a product are one tile more, all of whose rows read the same zeros
  Value* tiles = b.add(split.tiles(), b.ir.CreateZExt(b.ir.CreateICmpSLT(multiplied, args.end), b.i64));

  b.loop(b.i(0), b.ceil_div(args.cols, panel_cols), [&](Value* panel) {
    Value* groups = b.ir.CreateSDiv(b.sub(b.add(tiles, together), b.i(1)), together);
    b.loop(b.i(0), groups, [&](Value* group) {
      Value* begin = b.mul(group, together);
      Value* end = b.minimum(b.add(begin, together), tiles);
      auto sums = [&](Value* tile) {
        return b.at(stash, b.mul(b.sub(tile, begin), b.i(product.rows() * width)));
      };
      for (size_t s = 0; s < p.left.size(); ++s) {
        size_t left = size_t(p.left[s]), right = size_t(p.right[s]);
        Value* depth = args.depth[s];
        Value* packed = b.at(args.data[right], b.mul(panel, b.mul(depth, b.i(width))));
        // at least one block, so that sums begin as 0 where there is nothing to add
        b.loop(b.i(0), b.maximum(b.ceil_div(depth, kBlock), b.i(1)), [&](Value* block) {
          Value* first_k = b.mul(block, b.i(kBlock));
          Value* again = s > 0 ? b.ir.getInt1(true) : b.ir.CreateICmpNE(block, b.i(0));
          Value* many = b.minimum(b.sub(depth, first_k), b.i(kBlock));
          b.loop(begin, b.minimum(end, split.tiles()), [&](Value* tile) {
            Value* row = b.add(args.begin, split.first(tile));
            Value* a = b.at(args.data[left], b.add(b.mul(row, args.stride[left]), first_k));
            product.call(split.height(tile), a, args.stride[left], b.i(1),
                         b.at(packed, b.mul(first_k, b.i(width))), b.i(width), many, sums(tile), b.i(width),
                         again);
          });
        });
      }
      b.loop(begin, end, [&](Value* tile) {
        Value* real = b.ir.CreateICmpSLT(tile, split.tiles());
        Value* first = b.ir.CreateSelect(real, b.add(args.begin, split.first(tile)), multiplied);
        Value* height = b.ir.CreateSelect(real, split.height(tile), b.sub(args.end, multiplied));
        Value* source = b.ir.CreateSelect(real, sums(tile), no_product);
        Value* pitch = b.ir.CreateSelect(real, b.i(width), b.i(0));
        b.loop(b.i(0), height, [&](Value* r) {
          body.begin_row(b.add(first, r));
          Value* line = b.at(source, b.mul(r, pitch));
          Value* col = b.mul(panel, b.i(panel_cols));
          auto chunk = [&](Value* at_col, Value* parts) {
            body.begin_chunk(at_col, parts);
            if (body.stores_chunks()) body.store_chunk(b.tail(b.sub(args.cols, at_col)));
          };
          if (panel_cols == 16) {
            chunk(col, line);
          } else {
            Value* here = b.minimum(b.i(p.chunks), b.ceil_div(b.sub(args.cols, col), 16));
            b.loop(b.i(0), here, [&](Value* c) {
              Value* offset = b.mul(c, b.i(16));
              chunk(b.add(col, offset), b.at(line, offset));
            });
          }
          body.store_row();
        });
      });
    });
  });
}

void KernelFunction::column_sum() {
  BodyEmitter body(b, kernel, args);
  body.begin_call();
  // `count` chunks side by side: a row's values are computed once for them, and memory is read in longer runs
  const bool sum = kernel.sum_op == Op::SumRows;
  Value* none = b.c(sum ? 0 : -std::numeric_limits<double>::infinity());
  auto sum_chunks = [&](Value* number, int count) {
    Value* col = b.mul(number, b.i(kChunk));
    auto column = [&](int c) { return b.add(col, b.i(c * kChunk)); };
    Value* to = args.data[size_t(kernel.sum_operand)];
    Values first(size_t(count), none);
    for (int c = 0; c < count && kernel.goes_on; ++c) first[size_t(c)] = b.load(b.chunk, b.at(to, column(c)));
    Values sums = b.loop(b.i(0), args.rows[0], first, [&](Value* r, const Values& now) {
      body.begin_row(b.sub(b.sub(args.rows[0], b.i(1)), r));
      Values next;
      for (int c = 0; c < count; ++c) {
        body.begin_chunk(column(c), nullptr);
        Value *so_far = now[size_t(c)], *value = body.value(kernel.sum_value);
        next.push_back(sum ? b.ir.CreateFAdd(so_far, value) : emit_max(b, so_far, value));
      }
      return next;
    });
    for (int c = 0; c < count; ++c)
      b.store_chunk(sums[size_t(c)], b.at(to, column(c)), b.tail(b.sub(args.cols, column(c))));
  };
  Value* single = args.begin;
  if (kernel.body.size() <= 4) {
    constexpr int kSide = 4;
    Value* groups = b.ir.CreateSDiv(b.sub(args.end, args.begin), b.i(kSide));
    b.loop(b.i(0), groups, [&](Value* g) { sum_chunks(b.add(args.begin, b.mul(g, b.i(kSide))), kSide); });
    single = b.add(args.begin, b.mul(groups, b.i(kSide)));
  }
  b.loop(single, args.end, [&](Value* j) { sum_chunks(j, 1); });
}

// Blocks of rows go outermost inside a panel, so that a block of the right operand, packed, stays in L2 while
// all tiles of the panel read it; the sums wait in the result meanwhile, which changes no bit of them.
// Columns of a wide left operand lie far apart from row to row, where no prefetcher follows: those of several
// tiles are packed together.
void KernelFunction::weight_gradient() {
  constexpr int64_t kBlock = 256;                    // rows
  constexpr int64_t kManyTiles = 4, kManyRows = 32;  // packing a block pays for both
  constexpr int64_t kGroup = 128, kWide = 512;  // columns of the left operand: packed together; of a wide one
  TileProduct product(b, kernel.chunks);
  int64_t width = product.width();
  Value* stash = b.stack_floats(product.rows() * width);
  Value* packed = b.stack_floats(kBlock * width);
  Value* packed_left = b.stack_floats(kBlock * kGroup);
  const int64_t group_tiles = kGroup / product.rows();
  Value *left = args.data[0], *right = args.data[1], *result = args.data[2];
  Split split(b, args.depth[0], product.rows());
  Value* no_sums = zeros(width);

  auto segment_at = [&](Value* turn) {
    static_assert(sizeof(Segment) == 24);
    Value* number = b.sub(b.sub(args.segment_count, b.i(1)), turn);
    return b.ir.CreateInBoundsGEP(b.i64, args.segments, b.mul(number, b.i(3)));
  };

  Value* tiles = b.maximum(split.tiles(), b.i(1));
  Value* panels = b.ir.CreateUDiv(b.sub(b.add(args.end, tiles), b.i(1)), tiles);
  b.loop(b.ir.CreateUDiv(args.begin, tiles), panels, [&](Value* panel) {
    Value* units_before = b.mul(panel, tiles);
    Value* low = b.maximum(b.sub(args.begin, units_before), b.i(0));
    Value* high = b.minimum(b.sub(args.end, units_before), tiles);
    Value* col = b.mul(panel, b.i(width));
    Value* cols = b.minimum(b.sub(args.cols, col), b.i(width));
    Value* whole = b.ir.CreateICmpEQ(cols, b.i(width));
    Value *pitch = args.stride[2], *stash_pitch = b.i(width);
    auto place = [&](Value* row) { return b.at(result, b.add(b.mul(row, pitch), col)); };
    Value* first_row = split.first(low);
    if (!kernel.goes_on) {  // else the first block of rows begins at 0
      b.when(b.ir.CreateICmpEQ(b.load_word(segment_at(b.i(0)), 2, b.i64), b.i(0)), [&] {
        emit_copy_rows(b, place(first_row), pitch, no_sums, b.i(0), b.sub(split.first(high), first_row),
                       cols);
      });
    }

    // from the last row of the last segment to the first of the first: cutting them elsewhere changes nothing
    b.loop(b.i(0), args.segment_count, [&](Value* s) {
      Value* segment = segment_at(s);
      Value* a_row = b.load_word(segment, 0, b.i64);
      Value* d_row = b.load_word(segment, 1, b.i64);
      Value* rows = b.load_word(segment, 2, b.i64);
      b.loop(b.i(0), b.ceil_div(rows, kBlock), [&](Value* block) {
        Value* past = b.sub(rows, b.mul(block, b.i(kBlock)));
        Value* count = b.minimum(past, b.i(kBlock));
        Value* last = b.sub(past, b.i(1));
        Value* a = b.at(left, b.mul(b.add(a_row, last), args.stride[0]));
        Value* d = b.at(right, b.add(b.mul(b.add(d_row, last), args.stride[1]), col));
        Value* up = b.sub(b.i(0), args.stride[1]);
        Value* packing = b.ir.CreateAnd(b.ir.CreateICmpSGE(b.sub(high, low), b.i(kManyTiles)),
                                        b.ir.CreateICmpSGE(count, b.i(kManyRows)));
        b.when(packing, [&] { emit_copy_rows(b, packed, b.i(width), d, up, count, b.i(width)); });
        Value* panel_rows = b.ir.CreateSelect(packing, packed, d);
        Value* panel_pitch = b.ir.CreateSelect(packing, b.i(width), up);
        Value* wide = b.ir.CreateAnd(b.ir.CreateICmpSGE(args.stride[0], b.i(kWide)),
                                     b.ir.CreateICmpSGE(count, b.i(kManyRows)));
        Value* down = b.sub(b.i(0), args.stride[0]);
        Value* goes_on =
            kernel.goes_on ? b.ir.getInt1(true) : b.ir.CreateICmpNE(b.ir.CreateOr(s, block), b.i(0));
        b.loop(b.i(0), b.ceil_div(b.sub(high, low), group_tiles), [&](Value* group) {
          Value* begin = b.add(low, b.mul(group, b.i(group_tiles)));
          Value* end = b.minimum(b.add(begin, b.i(group_tiles)), high);
          Value* first_col = split.first(begin);
          b.when(wide, [&] {
            emit_copy_rows(b, packed_left, b.i(kGroup), b.at(a, first_col), down, count,
                           b.sub(split.first(end), first_col));
          });
          Value* group_left = b.ir.CreateSelect(wide, packed_left, b.at(a, first_col));
          Value* left_pitch = b.ir.CreateSelect(wide, b.i(kGroup), down);
          b.loop(begin, end, [&](Value* tile) {
            Value* first = split.first(tile);
            Value* height = split.height(tile);
            // a tile that ends beyond the last column is computed aside
            b.when(b.ir.CreateNot(whole),
                   [&] { emit_copy_rows(b, stash, stash_pitch, place(first), pitch, height, stash_pitch); });
            product.call(height, b.at(group_left, b.sub(first, first_col)), b.i(1), left_pitch, panel_rows,
                         panel_pitch, count, b.ir.CreateSelect(whole, place(first), stash),
                         b.ir.CreateSelect(whole, pitch, stash_pitch), goes_on);
            b.when(b.ir.CreateNot(whole),
                   [&] { emit_copy_rows(b, place(first), pitch, stash, stash_pitch, height, cols); });
          });
        });
      });
    });
  });
}

void KernelFunction::scatter() {
  Value *from = args.data[0], *index = args.data[1], *to = args.data[2], *height = args.rows[1];
  BodyEmitter body(b, kernel, args);
  body.begin_call();
  auto for_chunks = [&](Value* row,
                        const std::function<void(Value*, Value*, const KernelBuilder::Tail&)>& f) {
    Value* line = b.at(to, b.mul(row, args.stride[2]));
    b.loop(args.begin, args.end, [&](Value* j) {
      Value* col = b.mul(j, b.i(kChunk));
      f(col, b.at(line, col), b.tail(b.sub(args.cols, col)));
    });
  };
  const auto clear = [&](Value* row) {
    for_chunks(row, [&](Value*, Value* place, const KernelBuilder::Tail& tail) {
      b.store_chunk(b.c(0), place, tail);
    });
  };
  if (!kernel.goes_on) b.loop(b.i(0), height, clear);
  // f(source row, column, place in its target row, tail): from the last source row to the first
  auto for_sources = [&](const std::function<Value*(Value*, Value*, Value*)>& f) {
    b.loop(b.i(0), args.rows[0], [&](Value* r) {
      Value* source = b.sub(b.sub(args.rows[0], b.i(1)), r);
      Value* row = b.ir.CreateSExt(b.load(b.i32, b.at(index, b.mul(source, args.stride[1]))), b.i64);
      // negative or, which would be a mistake of ours, past the end
      b.when(b.ir.CreateICmpULT(row, height), [&] {
        body.begin_row(source);
        for_chunks(row, [&](Value* col, Value* place, const KernelBuilder::Tail& tail) {
          b.store_chunk(f(source, col, place), place, tail);
        });
      });
    });
  };
  const bool largest = kernel.sum_op == Op::MaxRows;
  if (largest)
    for_sources([&](Value*, Value*, Value*) { return b.c(-std::numeric_limits<double>::infinity()); });
  for_sources([&](Value* source, Value* col, Value* place) {
    Value* d = nullptr;
    if (kernel.body.empty()) {
      d = b.load(b.chunk, b.at(from, b.add(b.mul(source, args.stride[0]), col)));
    } else {
      body.begin_chunk(col, nullptr);
      d = body.value(kernel.sum_value);
    }
    return emit_op(b, largest ? Op::Max : Op::Add, b.load(b.chunk, place), d);
  });
}

}  // namespace

void emit_kernel(KernelBuilder& b, const Kernel& kernel, const std::string& name) {
  KernelFunction f(b, kernel, name);
  switch (kernel.kind) {
    case KernelKind::Rows:
      if (kernel.product.parts > 0) f.rows_with_product();
      else f.rows();
      break;
    case KernelKind::ColumnSum: f.column_sum(); break;
    case KernelKind::WeightGradient: f.weight_gradient(); break;
    case KernelKind::Scatter: f.scatter(); break;
  }
  b.end_function();
}

namespace {
int peak_chains(const Target& target) {
  return target.registers >= 32 ? 24 : 12;
}
}  // namespace

int64_t peak_flops(const Target& target) {
  return int64_t{2} * peak_chains(target) * target.lanes;
}

void emit_peak(KernelBuilder& b, const std::string& name) {
  llvm::Function* fn =
      b.begin_function(name, llvm::FunctionType::get(b.ir.getVoidTy(), {b.i64, b.ptr}, false));
  auto* vector = llvm::FixedVectorType::get(b.f32, unsigned(b.target.lanes));
  Value* by = b.ir.CreateVectorSplat(unsigned(b.target.lanes), b.load(b.f32, fn->getArg(1)));
  Values start(size_t(peak_chains(b.target)), llvm::ConstantFP::get(vector, 1.0));
  Values sums = b.loop(b.i(0), fn->getArg(0), start, [&](Value*, const Values& now) {
    Values next;
    for (Value* v : now) next.push_back(b.fma(v, by, by));
    return next;
  });
  Value* total = sums[0];
  for (size_t j = 1; j < sums.size(); ++j) total = b.ir.CreateFAdd(total, sums[j]);
  b.store(b.ir.CreateExtractElement(total, uint64_t{0}), fn->getArg(1));
  b.end_function();
}

}  // namespace rnnc
