// "did you mean ...": the known name nearest to what was written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rnnc {

/// Edit distance in code points; inserting, leaving out, changing one letter and exchanging two
/// neighbours each count one (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b);

/// "did you mean `NAME`?" with the known name at the smallest distance (the first in alphabetical order
/// of several), or empty: for a single letter, and if that distance is above a third of the length of
/// what was written and above 1.
std::string suggest(std::string_view written, std::span<const std::string> known);

}  // namespace rnnc
