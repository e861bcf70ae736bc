// A plan as text, and what it moves: see plan.h.
#include <fmt/format.h>

#include "codegen/plan.h"

namespace rnnc {
namespace {

std::string text_of(const Program& p, const RowRange& rows, int32_t moves) {
  switch (rows.kind) {
    case RowRange::Fixed: return std::to_string(rows.begin);
    case RowRange::Batch: return to_string(Rows::batch(rows.dim));
    case RowRange::Steps: break;
  }
  const std::string dim =
      rows.dim < p.dimensions.size() ? p.dimensions[rows.dim] : fmt::format("T{}", int(rows.dim));
  const std::string move = moves ? fmt::format("{:+}i", moves) : "";
  if (rows.end == rows.begin + 1) return fmt::format("{}.{}{}", dim, rows.begin, move);
  return fmt::format("{}.{}:{}{}", dim, rows.begin, rows.end, move);
}

std::string text_of(const Place2D& place) {
  std::string s = fmt::format("#{}", place.slab);
  if (place.step >= 0) s += fmt::format(".{}", place.step);
  if (place.moves) s += fmt::format("{:+}i", place.moves);
  if (place.row) s += fmt::format(" row {}", place.row);
  if (place.col) s += fmt::format(" col {}", place.col);
  return s;
}

std::string name_of(const Command& c) {
  switch (c.kernel) {
    case Command::kPack: return "pack";
    case Command::kReshape: return c.reshape.split ? "split" : "join";
    default: return fmt::format("k{}", c.kernel);
  }
}

}  // namespace

std::string to_string(const Plan& plan) {
  const Program& p = plan.program;
  std::string s = fmt::format("arena {} bytes\n", p.arena_bytes);
  for (size_t i = 0; i < p.slabs.size(); ++i) {
    const Slab& slab = p.slabs[i];
    const std::string where = slab.variable >= 0
                                  ? "variable"
                                  : fmt::format("at {} alive {}..{}", slab.offset, slab.first, slab.last);
    s += fmt::format("slab #{} {}[{}, {}] stride {} {}  {}\n", i, slab.integer ? "i32" : "f32",
                     text_of(p, slab.rows, 0), slab.cols, slab.stride, where, slab.name);
  }
  for (size_t i = 0; i < plan.kernels.size(); ++i)
    s += fmt::format("kernel k{} {}\n", i, plan.kernels[i].key());
  for (const Loop& loop : p.loops) {
    if (loop.count > 1) s += fmt::format("loop i = 0 .. {}\n", loop.count - 1);
    for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
      const Command& c = p.commands[size_t(i)];
      s += fmt::format("{}{}{} rows", loop.count > 1 ? "  " : "", c.barrier ? "| " : "", name_of(c));
      for (const Count& count : c.rows) s += " " + text_of(p, count.rows, count.moves);
      s += fmt::format(" cols {} :", c.cols);
      for (const Place2D& place : c.operands) s += " (" + text_of(place) + ")";
      s += "  " + c.name + "\n";
    }
  }
  return s;
}

Traffic traffic(const Plan& plan, const RowTables& rows) {
  Traffic total;
  const Program& p = plan.program;
  for (const Loop& loop : p.loops) {
    for (int32_t turn = 0; turn < loop.count; ++turn) {
      for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
        const Command& c = p.commands[size_t(i)];
        ++total.commands;
        const int64_t n = rows.count(c.rows[0].rows, turn * c.rows[0].moves);
        if (c.kernel == Command::kReshape) {
          total.bytes += 2 * n * c.cols * 4;
          continue;
        }
        for (const Place2D& place : c.operands) {
          // A matrix of the iteration space moves its rows; what is smaller (a bias, packed weights) moves
          // whole.
          const Slab& slab = p.slabs[size_t(place.slab)];
          const int64_t whole = slab.variable >= 0 ? int64_t(slab.rows.begin) * slab.cols * 4 : slab.bytes;
          const bool by_rows = slab.rows.kind != RowRange::Fixed;
          total.bytes +=
              by_rows ? std::min(whole, n * std::min<int64_t>(slab.cols, c.cols ? c.cols : slab.cols) * 4)
                      : whole;
        }
      }
    }
  }
  return total;
}

}  // namespace rnnc
