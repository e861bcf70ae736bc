// How much memory there is for a program, so that one that cannot fit is refused before it runs: the system
// would promise the memory, and kill the process in the middle of training.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/program.h"

namespace rnnc {

/// Bytes that this process may still take: what the machine has available, and no more than what the limits
/// of its control groups (containers, batch systems) leave. `root` stands before /proc and /sys, for tests;
/// where nothing can be read there is no limit.
int64_t available_memory(const std::string& root = {});

/// Bytes of a program's arena and of the variables that it brings.
int64_t memory_of(const Program& program);

/// What takes most of a program's arena when it is fullest, by equation: `h.lstm c 3.2 GiB, logits 800 MiB, x
/// 12 MiB`.
std::string largest_values(const Program& program);

/// Throws ArenaError if the program needs more than `available` bytes: how much, what takes most of it, and
/// the batch that would fit.
void check_fits(const Program& program, int64_t available);

/// `3.2 GiB`, `817 MiB`, `12 KiB`.
std::string bytes_text(int64_t bytes);

}  // namespace rnnc
