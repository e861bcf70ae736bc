// The body of a kernel: straight-line code on chunks of 16 columns of a row. A value is computed where it is
// known first: once a call, once a row, or once a chunk; those that depend on a row's reduction wait for it.
#pragma once
#include <vector>

#include "codegen/kernel_builder.h"

namespace rnnc {

/// How often a value differs.
enum class Level : uint8_t { Call, Row, Chunk };

class BodyEmitter {
 public:
  BodyEmitter(KernelBuilder& b, const Kernel& kernel, const CallArgs& args);

  /// Once, before the loops: values that are the same everywhere.
  void begin_call();
  /// At the beginning of a row: the values that are the same along it, as far as no reduction is needed.
  void begin_row(Value* row);
  /// At the beginning of a chunk: its first column, and where its parts of the product lie (null without).
  void begin_chunk(Value* col, Value* parts);
  /// A value, at the place where the emitter stands.
  Value* value(int instr);

  /// How many rounds of reductions a row needs, and which reductions belong to a round.
  int rounds() const { return rounds_; }
  std::vector<int> reductions(int round) const;
  /// Says what a reduction gave; after the last one of a round the values that waited for it are computed.
  void set_reduced(int instr, Value* value) { values_[size_t(instr)] = value; }
  void end_round(int round);

  /// The stores of this chunk, after everything it loads: results may overwrite operands.
  void store_chunk(const KernelBuilder::Tail& tail);
  bool stores_chunks() const;
  /// The stores of values that are the same along the row: one element each.
  void store_row();

 private:
  void compute(Level level, int depth);
  Value* emit(const Instr& in);
  Value* emit_load(const Instr& in);

  KernelBuilder& b_;
  const Kernel& kernel_;
  const CallArgs& args_;
  std::vector<Level> level_;
  std::vector<int> depth_;    // reductions on the way to a value
  std::vector<bool> needed_;  // by a store, a reduction or the sum
  Values values_;
  int rounds_ = 0;
  Value *row_ = nullptr, *col_ = nullptr, *parts_ = nullptr;
};

}  // namespace rnnc
