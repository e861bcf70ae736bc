// Marks of neighbouring lines in one column.
//
//   line_up          the column follows from the widths: `=` of equations and fields, names of settings
//   keep_lined_up    a column that was lined up by hand stays; without one there is nothing to line up:
//                    `~` and types of parameters, `=` of labels, comments behind statements
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rnnc::formatting {

/// One line of a run: what stands before the mark takes `width` columns, in the source the mark stood in
/// `column`, `gap` blanks behind what is before it. `space`: blanks there have to be.
struct Mark {
  uint32_t width = 0;
  std::optional<uint32_t> column;
  uint32_t gap = 0;
  uint32_t space = 1;
};

/// For each line the column of its mark: that of the widest line.
std::vector<uint32_t> line_up(std::span<const Mark> marks);

/// For each line the column of its mark: where at least two lines, one of them by more blanks than it must
/// have, have it in the same column, all that fit go there (of several such columns to the one that most
/// have, then the leftmost); the others stand one blank behind.
std::vector<uint32_t> keep_lined_up(std::span<const Mark> marks);

}  // namespace rnnc::formatting
