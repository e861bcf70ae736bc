// `--memory-limit`: where the sequences of a program are cut so that it fits.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "driver/compile.h"

namespace rnnc {

/// `2GiB`, `1.5GB`, `512MiB`, `300KiB`, `1000000`: bytes. Throws UserError.
int64_t parse_bytes(const std::string& text);

/// The longest segments with which the program of `graph` needs at most `options.memory_limit` bytes (arena
/// and variables); none if it fits as it is. If no segments are short enough: of a training program a
/// UserError that says the least and what needs it; of others, which go on without, the best there is.
Segments fit_segments(const Graph& graph, const CompileOptions& options, std::span<const Space> spaces,
                      const Target& target);

/// `; T is cut after every 50 steps, and their forward pass is computed again`, or nothing.
std::string cut_text(const Segments& segments, std::span<const std::string> dimensions);

}  // namespace rnnc
