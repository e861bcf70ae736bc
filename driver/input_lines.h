// Rows on standard input: lines with the values that a model's inputs need, tabs between them.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace rnnc {

inline constexpr const char* kStandardInput = "standard input";  // as messages call it

/// Reads all lines, as many at once as are there already, and calls `use` with their values and the number of
/// the first. A DataError of `use` gets the line's number in the whole input.
void read_rows(std::istream& in, size_t needed,
               const std::function<void(const std::vector<std::vector<std::string>>&, int64_t)>& use);

}  // namespace rnnc
