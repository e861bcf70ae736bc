// A compiled program: where its tensors lie, which kernels it calls on them, and the loop that does it.
//
// All addresses are affine in the row tables of a batch, so one program runs batches of any lengths up to its
// capacity: a command names a step, the table says where its rows lie and how many there are.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/arena.h"
#include "runtime/pack.h"
#include "runtime/reshape.h"
#include "runtime/threads.h"

namespace rnnc {

/// Rows known when a batch is: `begin` of them, those of the batch, or those of steps begin .. end - 1.
struct RowRange {
  enum Kind : uint8_t { Fixed, Batch, Steps } kind = Fixed;
  uint8_t dim = 0;
  int32_t begin = 1, end = 0;
  bool operator==(const RowRange&) const = default;
};

/// The rows of a batch: row_offset[dim][t] rows stand before step t, for t = 0 .. capacity of the dimension.
struct RowTables {
  int64_t batch = 1;
  std::vector<const int64_t*> row_offset;
  std::vector<int64_t> batch_rows = {};  // of the whole batch in each space; empty: `batch` in all
  int64_t count(const RowRange& range, int32_t moved = 0) const {
    switch (range.kind) {
      case RowRange::Fixed: return range.begin;
      case RowRange::Batch: return batch_rows.empty() ? batch : batch_rows[range.dim];
      case RowRange::Steps: break;
    }
    return row_offset[range.dim][range.end + moved] - row_offset[range.dim][range.begin + moved];
  }
};

/// Parameters and optimizer state: they outlive a run and are shared by programs. Row-major, without gaps.
class Variables {
 public:
  struct Variable {
    int64_t rows = 0, cols = 0;
    std::vector<float> data;  // rows * cols, and room for over-reads
    std::span<float> values() { return {data.data(), size_t(rows * cols)}; }
    std::span<const float> values() const { return {data.data(), size_t(rows * cols)}; }
  };
  /// Zeros, unless it is there already.
  Variable& add(const std::string& name, int64_t rows, int64_t cols);
  Variable& at(const std::string& name) { return *by_name_.at(name); }
  const Variable& at(const std::string& name) const { return *by_name_.at(name); }
  bool has(const std::string& name) const { return by_name_.count(name) > 0; }
  const std::map<std::string, std::unique_ptr<Variable>>& all() const { return by_name_; }

 private:
  std::map<std::string, std::unique_ptr<Variable>> by_name_;
};

/// One tensor's memory: in the arena, or a variable.
struct Slab {
  std::string name;  // of the node it was made for; inputs and variables: their own
  RowRange rows;     // the most it holds; steps: row_offset[rows.begin] is its first row
  int32_t cols = 1;
  int64_t stride = 1;     // elements from row to row
  int64_t bytes = 0;      // at capacity
  int64_t offset = 0;     // in the arena
  int32_t variable = -1;  // index into Program::variable_names; then it is not in the arena
  bool integer = false;
  int32_t first = -1, last = -1;  // commands between which it is alive
};

/// A place in a slab: row `row` of step `step` (if the slab holds steps), column `col`. `moves` steps on in
/// each turn of a loop.
struct Place2D {
  int32_t slab = -1;
  int32_t row = 0, step = -1, col = 0;
  int32_t moves = 0;
};

struct Count {
  RowRange rows;
  int32_t moves = 0;
};

/// Steps that a weight gradient sums over: step s of the left operand's slab is s + shift_a, of the right's s
/// + shift_b.
struct StepSegments {
  bool by_step = false;  // else one segment: all rows of rows[0]
  uint8_t dim = 0;
  int32_t begin = 0, end = 0, shift_a = 0, shift_b = 0;
};

struct PlacedPiece {
  Place2D place;
  bool transposed = false;
  int64_t first_k = 0, k = 0;
  int part = 0;
  int64_t first_col = 0, cols = 0;
};

struct Command {
  static constexpr int32_t kPack = -1;     // packs a right operand
  static constexpr int32_t kReshape = -2;  // operand 0 into rows of another width: operand 1; rows[0]: those
                                           // of the wide side, rows[1]: of the narrow one
  int32_t kernel = kPack;                  // index into Program::kernels, or one of these
  std::vector<Place2D> operands;
  std::vector<Count> rows;
  std::vector<int64_t> depth;
  int64_t cols = 0;
  StepSegments segments;
  int64_t units = 0;      // 0: as many as rows[0] has rows
  int64_t grain = 1;      // units that one thread should do together
  int64_t unit_cost = 1;  // about how many operations a unit is
  bool barrier = false;   // what it touches was touched by other threads
  bool once = false;      // a pack of variables that the program leaves as they are: see Session::hold
  PanelShape panels;      // of a pack command
  std::vector<PlacedPiece> pieces;
  Reshape reshape;   // of a reshape command
  std::string name;  // equation, for traces and reports
};

/// `count` turns over commands first .. first + length.
struct Loop {
  int32_t first = 0, length = 1, count = 1;
};

struct ProgramOutput {
  std::string name;
  Place2D place;
  RowRange rows;
  int32_t cols = 1;
  bool integer = false;
};

struct Program {
  std::vector<Slab> slabs;
  std::vector<Command> commands;
  std::vector<Loop> loops;
  std::vector<KernelFn> kernels;
  std::vector<std::string> variable_names;
  std::map<std::string, int32_t> inputs;  // name -> slab
  std::vector<ProgramOutput> outputs;
  std::vector<int32_t> capacity;    // steps of each space
  std::vector<int64_t> inner_rows;  // the most rows of an example in a step of each space; empty: 1 in all
  int64_t batch_capacity = 1;
  int64_t arena_bytes = 0;
  std::vector<std::string> dimensions;
};

/// A program with memory: bind, fill the inputs, run, read the outputs.
class Session {
 public:
  /// The program's variables are added to `variables` (which must outlive this). Throws ArenaError.
  Session(Program program, Variables& variables);

  const Program& program() const { return program_; }
  /// The row tables of the next run; what they point to must stay.
  void set_rows(RowTables rows);
  const RowTables& rows() const { return rows_; }
  bool has_input(const std::string& name) const { return program_.inputs.count(name) > 0; }
  /// Copies packed rows (cols values a row, as many rows as the input has in this batch). Unknown names are
  /// ignored. To be done before every run: once it is read for the last time, an input's memory serves other
  /// values.
  void set_input(const std::string& name, std::span<const float> values);
  void set_input(const std::string& name, std::span<const int32_t> values);
  /// If the team has a trace that wants them, every kernel is recorded.
  void run(Team& team);
  /// Promises that no variable changes until `release`: what is packed from them alone is packed once.
  void hold();
  void release() { held_ = packed_ = false; }
  /// The same on this thread alone, adding the seconds of each command to `seconds` (one entry a command).
  void run_timed(std::vector<double>& seconds);
  /// An output, row by row without gaps. Integers as floats.
  std::vector<float> output(const std::string& name) const;
  float scalar(const std::string& name) const { return output(name).at(0); }

 private:
  struct Scratch;
  std::byte* address(const Place2D& place, int32_t turn) const;
  void check_reshapes() const;
  /// False: this thread had nothing to do.
  bool execute(const Command& command, int32_t turn, int thread, int threads, Scratch& scratch);
  void set_step_segments(const StepSegments& of, std::vector<Segment>& segments) const;
  template <typename T>
  void copy_in(const std::string& name, std::span<const T> values);

  Program program_;
  Arena arena_;
  std::vector<std::byte*> base_;  // of each slab
  RowTables rows_;
  std::vector<int32_t> trace_names_;    // of each command, once there was a trace
  bool held_ = false, packed_ = false;  // packed_: by a run since variables are held
};

/// Holds the variables of a session as long as it lives.
class HeldVariables {
 public:
  explicit HeldVariables(Session& session) : session_(session) { session_.hold(); }
  ~HeldVariables() { session_.release(); }
  HeldVariables(const HeldVariables&) = delete;
  HeldVariables& operator=(const HeldVariables&) = delete;

 private:
  Session& session_;
};

}  // namespace rnnc
