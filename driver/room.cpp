// See room.h.
#include "driver/room.h"

#include <algorithm>
#include <bit>

namespace rnnc {
namespace {

template <typename Number>
Number power_of_two(Number n) {
  return static_cast<Number>(std::bit_ceil(static_cast<uint64_t>(n)));
}

}  // namespace

bool Room::grow(int64_t more_rows, const std::vector<int32_t>& more_steps,
                const std::vector<TreeSize>& more_trees) {
  bool enough = rows > 0 && more_rows <= rows;
  for (size_t i = 0; enough && i < steps.size(); ++i) enough = more_steps[i] <= steps[i];
  for (size_t i = 0; enough && i < trees.size(); ++i)
    enough = more_trees[i].depth <= trees[i].depth && more_trees[i].width <= trees[i].width;
  if (enough) return false;
  steps.resize(more_steps.size());
  for (size_t i = 0; i < steps.size(); ++i) steps[i] = std::max(steps[i], power_of_two(more_steps[i]));
  trees.resize(more_trees.size());
  for (size_t i = 0; i < trees.size(); ++i) {
    trees[i].depth = std::max(trees[i].depth, power_of_two(more_trees[i].depth));
    trees[i].width = std::max(trees[i].width, power_of_two(more_trees[i].width));
  }
  rows = std::max(rows, power_of_two(more_rows));
  return true;
}

}  // namespace rnnc
