// Shapes of graph values: rows, known or not until a batch arrives, times columns, always known.
//
// The language never writes the batch. In the graph the first dimension of every per-example value is *rows*:
// one per example (`Batch`), one per example still running at a time step, or those of several steps below
// each other (`Steps`). The rows of a batch are sorted by length, longest first, so the rows of step t are a
// prefix of the rows of step t-1, and a stack of steps is packed: row_offset[t] is where step t begins.
//
// `dim` names the space (ir/spaces.h) that says how many rows each example has: a sequence dimension, or one
// with further dimensions inside each example. Here it is a number: unequal spaces are unequal rows.
#pragma once
#include <cstdint>
#include <string>

namespace rnnc {

enum class Type : uint8_t { F32, I32 };

struct Rows {
  enum Kind : uint8_t {
    Fixed,  // `begin` rows, whatever the batch: parameters, scalars
    Batch,  // all rows of an example, one example after the other, in the order of `dim`
    Steps,  // the rows of time steps begin .. end of `dim`
  };
  Kind kind = Fixed;
  uint8_t dim = 0;
  int32_t begin = 1;
  int32_t end = 0;

  static constexpr int32_t kAll = -1;   // as `end`, in a Model: to the end of the sequence
  static constexpr int32_t kHere = -2;  // as `begin`, in the body of a scan: the step at hand

  static Rows fixed(int32_t n) { return {Fixed, 0, n, 0}; }
  static Rows batch(int dim = 0) { return {Batch, uint8_t(dim), 0, 0}; }
  static Rows steps(int dim, int32_t begin, int32_t end) { return {Steps, uint8_t(dim), begin, end}; }
  static Rows step(int dim, int32_t t) { return steps(dim, t, t + 1); }
  static Rows all(int dim) { return steps(dim, 0, kAll); }
  static Rows here(int dim) { return steps(dim, kHere, kHere); }

  bool is_one() const { return kind == Fixed && begin == 1; }
  bool is_step() const { return kind == Steps && end == begin + 1; }
  bool operator==(const Rows&) const = default;
};

struct Shape {
  Type type = Type::F32;
  Rows rows;
  int32_t cols = 1;
  bool is_scalar() const { return rows.is_one() && cols == 1; }
  bool operator==(const Shape&) const = default;
};

/// `3`, `B`, `B2` (of space 2), `T0.5`, `T0.0:24`, `T0.*` (all steps), `T0.t` (the step at hand).
std::string to_string(Rows rows);
/// `f32[B, 96]`.
std::string to_string(const Shape& shape);

/// How many rows there are in a concrete batch. `row_offset[dim][t]` is the number of rows before step t.
struct RowTable {
  int64_t batch = 1;
  const int64_t* const* row_offset = nullptr;
  const int32_t* capacity = nullptr;  // steps in the table of each dim; steps past it have no rows. Null: no
                                      // such steps are asked for
  const int64_t* batch_rows = nullptr;  // rows of the whole batch in each space; null: `batch` in all
  int64_t count(Rows rows) const;
};

}  // namespace rnnc
