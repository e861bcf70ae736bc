// What can be said of a kernel without compiling it: its key, its units of work, and whether it makes sense.
#include "codegen/kernel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>

#include "codegen/target.h"

namespace rnnc {
namespace {

std::string_view name(KernelKind kind) {
  switch (kind) {
    case KernelKind::Rows: return "rows";
    case KernelKind::ColumnSum: return "column_sum";
    case KernelKind::WeightGradient: return "weight_gradient";
    case KernelKind::Scatter: return "scatter";
  }
  return "?";
}

std::string_view name(Access access) {
  switch (access) {
    case Access::Matrix: return "matrix";
    case Access::RowVector: return "row";
    case Access::ColVector: return "col";
    case Access::Scalar: return "scalar";
    case Access::Gather: return "gather";
    case Access::GatherColumn: return "gather_col";
  }
  return "?";
}

std::string text(const Instr& in) {
  std::string type = in.type == Type::I32 ? "i32" : "f32";
  std::string limit = in.limit >= 0 ? fmt::format(" below rows{}", in.limit) : "";
  switch (in.code) {
    case Instr::Load:
      return fmt::format(
          "load {} {} {}{}{}", name(in.access), type, in.operand,
          gathers(in.access) ? fmt::format(" by {}", in.index) : "",
          in.value != 0 ? limit + fmt::format(" else {} {:08x}", in.value, std::bit_cast<uint32_t>(in.value))
                        : limit);
    case Instr::Part: return fmt::format("part {}", in.operand);
    case Instr::Constant:
      return fmt::format("constant {} {:08x}", in.value, std::bit_cast<uint32_t>(in.value));
    case Instr::RowCount: return fmt::format("row_count {}", in.limit);
    case Instr::Compute: return fmt::format("{} %{} %{}", info(in.op).name, in.a, in.b);
    case Instr::Coin:
    case Instr::RowCoin:
      return fmt::format("{} {} of rows {}{} by {} below {}", in.code == Instr::Coin ? "coin" : "row_coin",
                         in.place, in.operand, in.access == Access::Matrix ? " and steps" : "", in.index,
                         in.value);
    case Instr::OneHot: return fmt::format("one_hot %{}", in.a);
    case Instr::Tail: return fmt::format("tail %{} from rows{}", in.a, in.limit);
    case Instr::Reduce: return fmt::format("{} %{}", info(in.op).name, in.a);
    case Instr::Store: return fmt::format("store {} {} {} %{}", name(in.access), type, in.operand, in.a);
  }
  return "?";
}

// The operands of a Compute, or -1 if the op does not work element by element on one or two.
int arity(Op op) {
  if (op == Op::Sum) return 2;
  if (op == Op::OneHot || op == Op::Coin || op == Op::RowCount || info(op).cls != OpClass::Elementwise)
    return -1;
  return info(op).arity;
}

class Checker {
 public:
  explicit Checker(const Kernel& kernel) : k_(kernel), varies_(kernel.body.size()) {}

  void kernel() {
    need(!k_.goes_on || (k_.kind != KernelKind::Rows && k_.sum_op == Op::SumRows), "only a sum can go on");
    need(k_.operands >= 0 && k_.row_counts >= 1, "counts of operands and rows");
    switch (k_.kind) {
      case KernelKind::Rows:
        product();
        body();
        return;
      case KernelKind::ColumnSum:
        need(k_.product.parts == 0, "a column sum has no product");
        need(k_.sum_op == Op::SumRows || k_.sum_op == Op::MaxRows, "no such sum of rows");
        body();
        value(k_.sum_value, int(k_.body.size()));
        operand(k_.sum_operand);
        return;
      case KernelKind::WeightGradient:
        need(k_.operands == 3 && k_.chunks >= 1 && k_.chunks <= 4,
             "a weight gradient has 3 operands, 1..4 chunks");
        need(k_.body.empty(), "a weight gradient has no body");
        return;
      case KernelKind::Scatter:
        need(k_.product.parts == 0 && k_.operands >= 3 && k_.row_counts >= 2,
             "a scatter has no product, 3 operands, 2 row counts");
        if (k_.body.empty()) {
          need(k_.operands == 3 && k_.sum_value < 0, "a scatter without a body has 3 operands");
        } else {
          body();
          value(k_.sum_value, int(k_.body.size()));
        }
        need(k_.sum_op == Op::SumRows || k_.sum_op == Op::MaxRows, "no such sum of rows");
        return;
    }
  }

 private:
  void need(bool good, std::string_view what) const {
    if (!good) throw KernelError(fmt::format("bad kernel: {}\n{}", what, k_.key()));
  }
  void operand(int i) const { need(i >= 0 && i < k_.operands, fmt::format("no operand {}", i)); }
  void limit(int i) const { need(i >= 0 && i < k_.row_counts, fmt::format("no row count {}", i)); }
  void value(int a, int before) const {
    need(a >= 0 && a < before && k_.body[a].code != Instr::Store,
         fmt::format("no value {} before {}", a, before));
  }

  void product() const {
    const Product& p = k_.product;
    if (p.parts == 0) return;
    need(p.parts >= 1 && p.chunks >= 1 && p.chunks <= 4 && (p.parts == 1 || p.chunks == 1),
         "parts and chunks");
    need(!p.left.empty() && p.left.size() == p.right.size(), "a product has as many left as right operands");
    for (int16_t i : p.left) operand(i);
    for (int16_t i : p.right) operand(i);
    limit(p.rows_limit);
  }

  void body() {
    need(!k_.body.empty(), "an empty body");
    for (int i = 0; i < int(k_.body.size()); ++i) instruction(i, k_.body[i]);
  }

  void instruction(int i, const Instr& in) {
    bool sum = k_.kind == KernelKind::ColumnSum || k_.kind == KernelKind::Scatter;
    switch (in.code) {
      case Instr::Load:
        operand(in.operand);
        if (gathers(in.access)) operand(in.index);
        if (in.limit >= 0) limit(in.limit);
        varies_[i] = in.access != Access::ColVector && in.access != Access::Scalar &&
                     in.access != Access::GatherColumn;
        return;
      case Instr::Part:
        need(in.operand >= 0 && in.operand < k_.product.parts, fmt::format("no part {}", in.operand));
        varies_[i] = true;
        return;
      case Instr::Constant: return;
      case Instr::RowCount: limit(in.limit); return;
      case Instr::Compute:
        need(arity(in.op) > 0, fmt::format("{} does not work element by element", info(in.op).name));
        value(in.a, i);
        if (arity(in.op) == 2) value(in.b, i);
        varies_[i] = varies_[in.a] || (arity(in.op) == 2 && varies_[in.b]);
        return;
      case Instr::Coin:
      case Instr::RowCoin:
        operand(in.operand);
        operand(in.index);
        need(in.access == Access::Matrix || in.access == Access::ColVector, "a coin by this access");
        varies_[i] = in.code == Instr::Coin;
        return;
      case Instr::OneHot:
        value(in.a, i);
        varies_[i] = true;
        return;
      case Instr::Tail:
        value(in.a, i);
        limit(in.limit);
        varies_[i] = varies_[in.a];
        return;
      case Instr::Reduce:
        need(in.op == Op::SumCols || in.op == Op::MaxCols || in.op == Op::ArgMax, "no such reduction");
        need(k_.product.parts == 0 && !sum, "a reduction beside a product or in a sum of rows");
        value(in.a, i);
        return;
      case Instr::Store:
        need(!sum, "a store in a sum of rows");
        value(in.a, i);
        operand(in.operand);
        need(in.access == Access::Matrix || in.access == Access::ColVector, "a store by this access");
        need(in.access == Access::Matrix || !varies_[in.a],
             "a column from a value that varies along the row");
        return;
    }
  }

  const Kernel& k_;
  std::vector<bool> varies_;  // along the row
};

}  // namespace

std::string Kernel::key() const {
  std::string s = fmt::format("{} operands {} rows {}", name(kind), operands, row_counts);
  if (kind == KernelKind::WeightGradient) s += fmt::format(" chunks {}", chunks);
  if (goes_on) s += " goes on";
  if (product.parts > 0)
    s += fmt::format("; product {}x{} of {} and {} below rows{}", product.parts, product.chunks,
                     fmt::join(product.left, ","), fmt::join(product.right, ","), product.rows_limit);
  if (kind == KernelKind::Scatter) s += sum_op == Op::SumRows ? " sum" : " max";
  for (size_t i = 0; i < body.size(); ++i) s += fmt::format("; %{} {}", i, text(body[i]));
  if (kind == KernelKind::Scatter && sum_value >= 0) s += fmt::format("; of %{}", sum_value);
  if (kind == KernelKind::ColumnSum)
    s += fmt::format("; {} %{} to {}", sum_op == Op::SumRows ? "sum" : "max", sum_value, sum_operand);
  return s;
}

int best_chunks(int64_t n, bool gradient) {
  // What a chunk costs beside one of a tile four chunks wide, in percent: a narrow tile has fewer sums under
  // way than the processor can add at once, and reads its left operand more often; a gradient's from afar.
  constexpr std::array<int64_t, 4> kProduct{135, 107, 103, 100}, kGradient{150, 115, 105, 100};
  const std::array<int64_t, 4>& cost = gradient ? kGradient : kProduct;
  const auto total = [&](int chunks) {
    return PanelLayout{1, chunks}.panels(n) * chunks * cost[size_t(chunks - 1)];
  };
  int best = 4;
  for (int chunks : {3, 2, 1})
    if (total(chunks) < total(best)) best = chunks;
  return best;
}

int64_t unit_count(const Kernel& kernel, const KernelArgs& args, const Target& target) {
  int64_t chunks = (args.cols + kChunk - 1) / kChunk;
  switch (kernel.kind) {
    case KernelKind::Rows: return args.rows[0];
    case KernelKind::ColumnSum:
    case KernelKind::Scatter: return chunks;
    case KernelKind::WeightGradient: {
      int64_t rows = tiling(target, kernel.chunks).rows;
      return PanelLayout{1, kernel.chunks}.panels(args.cols) * ((args.depth[0] + rows - 1) / rows);
    }
  }
  return 0;
}

void check(const Kernel& kernel) {
  Checker(kernel).kernel();
}

}  // namespace rnnc
