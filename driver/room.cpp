// See room.h.
#include "driver/room.h"

#include <algorithm>
#include <bit>

namespace rnnc {

bool Room::grow(int64_t more_rows, std::vector<int32_t> more_steps) {
  bool enough = rows > 0 && more_rows <= rows;
  for (size_t i = 0; enough && i < steps.size(); ++i) enough = more_steps[i] <= steps[i];
  if (enough) return false;
  steps.resize(more_steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto up = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(more_steps[i])));
    steps[i] = std::max(steps[i], up);
  }
  rows = std::max(rows, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(more_rows))));
  return true;
}

}  // namespace rnnc
