// `--memory-limit`: where the sequences of a program are cut so that it fits.
#pragma once
#include <span>
#include <string>

#include "driver/compile.h"

namespace rnnc {

/// The longest segments with which the program of `graph` needs at most `options.memory_limit` bytes (arena
/// and variables); none if it fits as it is. If no segments that were tried (more and more of them, by half)
/// are short enough: of a training program a UserError that says the least of them and what needs it; of
/// others, which go on without, the best of them.
Segments fit_segments(const Graph& graph, const CompileOptions& options, std::span<const Space> spaces,
                      const Target& target);

/// `T is cut after every 50 steps, and the forward pass is computed twice`; empty without segments.
std::string cut_text(const Segments& segments, const Program& program);

}  // namespace rnnc
