// What live ranges decide once all commands stand: barriers between threads, and offsets in the arena.
#pragma once
#include <vector>

#include "runtime/program.h"

namespace rnnc::planning {

/// A command waits for the others if it touches what was touched since they last met, one of the two writing.
/// `written`: of each command, which operands.
void mark_barriers(Program& program, const std::vector<std::vector<bool>>& written);

/// Greedy by size: the largest slab first, at the lowest offset where no slab lies that is alive at the same
/// time.
void assign_offsets(Program& program);

}  // namespace rnnc::planning
