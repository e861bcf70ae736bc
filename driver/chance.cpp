// What coins read: see chance.h.
#include "driver/chance.h"

#include <vector>

#include "ir/chance.h"
#include "runtime/random.h"

namespace rnnc {

int64_t row_number(const Batch& batch, size_t dimension, int64_t place) {
  const int64_t b = batch.dimensions.at(dimension).order.at(static_cast<size_t>(place));
  return batch.pieces.at(static_cast<size_t>(b)).number;
}

void bind_rows(Session& session, const Batch& batch) {
  std::vector<int32_t> numbers;
  if (session.has_input(kRowInput)) {
    for (const Piece& piece : batch.pieces) numbers.push_back(static_cast<int32_t>(piece.number));
    session.set_input(kRowInput, std::span<const int32_t>(numbers));
  }
  for (size_t dim = 0; dim < batch.dimensions.size(); ++dim) {
    const std::string name = row_input(static_cast<int>(dim));
    if (!session.has_input(name)) continue;
    const std::vector<int64_t>& offset = batch.dimensions[dim].row_offset;
    numbers.clear();
    for (size_t t = 0; t + 1 < offset.size(); ++t) {
      for (int64_t b = 0; b < offset[t + 1] - offset[t]; ++b) {
        numbers.push_back(static_cast<int32_t>(row_number(batch, dim, b)));
        numbers.push_back(static_cast<int32_t>(t));
      }
    }
    session.set_input(name, std::span<const int32_t>(numbers));
  }
}

std::array<int32_t, 2> chance_of_step(uint64_t seed, int64_t step) {
  const auto at = static_cast<uint64_t>(step);
  const PhiloxCounter words =
      philox({static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), place_of("the coins of a step"), 0},
             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return {static_cast<int32_t>(words[0]), static_cast<int32_t>(words[1])};
}

}  // namespace rnnc
