// A kernel as a value: what the plan asks for and the emitters compile. Equal kernels share their code, so
// everything that differs from step to step (addresses, strides, row counts, widths, depths) is an argument
// of the call (runtime/abi.h), and what stands here does not depend on the number of time steps.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/abi.h"

namespace rnnc {

struct Target;  // codegen/target.h

/// A kernel that makes no sense: a mistake of ours, told with the kernel's key.
struct KernelError : std::logic_error {
  using std::logic_error::logic_error;
};

enum class KernelKind : uint8_t {
  Rows,       // an iteration space rows x cols: [product] -> body, one row at a time
  ColumnSum,  // the body's value summed (or the largest) over the rows, last row first: [rows, cols] -> [1,
              // cols]
  // operand 2 [K, N] = sum over segments of operand 0 [., K] transposed times operand 1 [., N]
  WeightGradient,
  // row v of operand 2 [V, E] is the sum (or the largest) of the rows r of operand 0 [R, E] with index[r] =
  // v, last row first, and 0 if there is none; operand 1: int32 index [R, 1], negative: skipped; rows[1] = V.
  // With a body its value `sum_value` takes the place of operand 0.
  Scatter,
};

/// How an instruction reaches an operand from the position (row, col) of the iteration space.
enum class Access : uint8_t {
  Matrix,     // data + row * stride + col
  RowVector,  // data + col                  the same for all rows:    [1, C]
  ColVector,  // data + row * stride         the same for all columns: [R, 1]
  Scalar,     // data                        [1, 1]
  // data + index[row] * stride + col, `value` where the index is negative; `index` is another operand, int32
  Gather,
  GatherColumn,  // data + index[row] * stride   the same for all columns, else like Gather
};
inline bool gathers(Access access) {
  return access == Access::Gather || access == Access::GatherColumn;
}

/// One instruction of a body; its number is the number of the value it makes. Values are f32; int32 operands
/// are converted when loaded and stored (indices below 2^24 are exact).
struct Instr {
  enum Code : uint8_t {
    Load,      // operand by access; rows >= rows[limit] give 0 if limit >= 0
    Part,      // part `operand` of the product at this row and column
    Constant,  // value
    RowCount,  // rows[limit] as a number
    Compute,   // op (class Elementwise, one or two operands, or Sum with operands a and b): a, b
    Coin,  // 1 where the coin of this row and column (ir/chance.h) falls below `value`, a threshold, else 0;
           // operand: int32 number of the row (access ColVector), or number and step (Matrix); index: the
           // int32 key
    RowCoin,  // the coin of column 0, in every column
    OneHot,   // 1 where the column number is value a, else 0
    Tail,     // value a, but 0 in rows < rows[limit]
    Reduce,   // op SumCols, MaxCols or ArgMax of value a over the columns of this row: the same in every
              // column
    Store,    // value a to operand, access Matrix, or ColVector for a value that is the same in every column
  };
  Code code = Constant;
  Op op = Op::Copy;
  Access access = Access::Matrix;
  Type type = Type::F32;  // of the operand in memory
  int16_t a = -1, b = -1;
  int16_t operand = -1, index = -1;
  int16_t limit = -1;
  float value = 0;    // Constant; Gather: what a negative index gives
  int32_t place = 0;  // of a coin
  bool operator==(const Instr&) const = default;
};

/// The product in front of a body: for each segment s, operand left[s] (rows x K_s, row-major) times operand
/// right[s] (packed panels, see PanelLayout), summed in one chain: segments in order, k ascending.
/// Rows >= rows[rows_limit] of the iteration space have no product: its parts are 0 there.
struct Product {
  int parts = 0;   // column groups of equal width, each `cols` wide; 0: no product
  int chunks = 1;  // with one part: how many chunks of 16 columns stand side by side in a panel (1..4)
  std::vector<int16_t> left, right;
  int rows_limit = 0;
  bool operator==(const Product&) const = default;
};

struct Kernel {
  KernelKind kind = KernelKind::Rows;
  int operands = 0;
  int row_counts = 1;        // how many entries of KernelArgs::rows are read
  Product product;           // kind Rows only
  std::vector<Instr> body;   // kinds Rows, ColumnSum and Scatter
  int16_t sum_value = -1;    // kinds ColumnSum and Scatter: the value summed
  int16_t sum_operand = -1;  // kind ColumnSum: where it goes (a RowVector)
  Op sum_op = Op::SumRows;   // or MaxRows; kinds ColumnSum and Scatter
  int chunks = 1;            // kind WeightGradient: chunks of 16 columns in a tile (1..4)
  bool goes_on = false;      // kinds of sums over rows: it starts from what the result holds, not from 0
  bool operator==(const Kernel&) const = default;

  /// One line of text, equal for equal kernels.
  std::string key() const;
};

/// Packed right operand of a product [K, parts * N]: panel j holds, for k = 0 .. K-1, its columns side by
/// side, 16 * width() floats. With parts > 1 those are columns 16j .. 16j+15 of every part (gates interleaved
/// by 16 hidden units); with one part columns 16*chunks*j .. Columns past the end are 0.
struct PanelLayout {
  int parts = 1;
  int chunks = 1;
  int width() const { return parts > 1 ? parts : chunks; }  // chunks of 16 floats per k
  int64_t panels(int64_t n) const {
    int64_t w = 16 * (parts > 1 ? 1 : chunks);
    return (n + w - 1) / w;
  }
  int64_t floats(int64_t k, int64_t n) const { return panels(n) * k * 16 * width(); }
};

/// How many chunks a panel of a product, or a tile of a weight gradient, for n columns should have: the
/// number (4, 3, 2 or 1; the first if equal) that costs least, columns past the end and the loss of narrow
/// tiles together.
int best_chunks(int64_t n, bool gradient = false);

/// How many units of work a call with these arguments has: rows (Rows), chunks of 16 columns (ColumnSum,
/// Scatter) or tiles (WeightGradient).
int64_t unit_count(const Kernel& kernel, const KernelArgs& args, const Target& target);

/// Throws KernelError unless operands, values and limits are in range and the body suits the kind.
void check(const Kernel& kernel);

}  // namespace rnnc
