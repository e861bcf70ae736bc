// How many rows and steps the programs have room for that serve rows as they come.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/spaces.h"

namespace rnnc {

struct Room {
  int64_t rows = 0;
  std::vector<int32_t> steps;   // of each sequence dimension
  std::vector<TreeSize> trees;  // of those that are trees

  /// Makes room for so many, in powers of two: a few programs serve rows of all lengths. False if there was
  /// enough.
  bool grow(int64_t more_rows, const std::vector<int32_t>& more_steps,
            const std::vector<TreeSize>& more_trees);
};

}  // namespace rnnc
