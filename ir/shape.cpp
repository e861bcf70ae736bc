// Shapes in words, and how many rows they have in a concrete batch.
#include "ir/shape.h"

#include <fmt/format.h>

#include <algorithm>

namespace rnnc {

std::string to_string(Rows rows) {
  switch (rows.kind) {
    case Rows::Fixed: return fmt::format("{}", rows.begin);
    case Rows::Batch: return rows.dim == 0 ? "B" : fmt::format("B{}", rows.dim);
    case Rows::Steps: break;
  }
  if (rows == Rows::here(rows.dim)) return fmt::format("T{}.t", rows.dim);
  if (rows == Rows::all(rows.dim)) return fmt::format("T{}.*", rows.dim);
  if (rows.end == Rows::kAll) return fmt::format("T{}.{}:*", rows.dim, rows.begin);
  if (rows.is_step()) return fmt::format("T{}.{}", rows.dim, rows.begin);
  return fmt::format("T{}.{}:{}", rows.dim, rows.begin, rows.end);
}

std::string to_string(const Shape& shape) {
  return fmt::format("{}[{}, {}]", shape.type == Type::F32 ? "f32" : "i32", to_string(shape.rows),
                     shape.cols);
}

int64_t RowTable::count(Rows rows) const {
  switch (rows.kind) {
    case Rows::Fixed: return rows.begin;
    case Rows::Batch: return batch_rows == nullptr ? batch : batch_rows[rows.dim];
    case Rows::Steps: break;
  }
  const int64_t* table = row_offset[rows.dim];
  if (capacity == nullptr) return table[rows.end] - table[rows.begin];
  const int32_t last = capacity[rows.dim];
  return table[std::min(rows.end, last)] - table[std::min(rows.begin, last)];
}

}  // namespace rnnc
