// Pieces of a statement to lines, and lines to text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frontend/format_pieces.h"

namespace rnnc::formatting {

/// A line of the result. Comments get their columns when all lines are known.
struct Line {
  std::string code;  ///< with its indentation; of a line that is a comment: blanks only
  std::optional<Comment> comment;
  bool comment_only = false;
  bool blank_before = false;
  uint32_t item = 0;  ///< comments of one item are lined up
};

/// Sets `space` and `break_cost` of the pieces of a statement. `word_first`: the first is the name of a
/// setting, not of a function.
void space_out(std::span<Piece> statement, bool word_first);

/// The column of piece `index`, counted from the first; none if a comment stands between.
std::optional<uint32_t> column_of(std::span<const Piece> statement, size_t index);

/// Lays out a statement in lines of at most `limit` columns where that can be. Lines after the first begin
/// below piece `body` or inside the bracket that is open. The comments above the first piece are left out.
std::vector<Line> lay_out(std::span<const Piece> statement, uint32_t indent, size_t body, uint32_t limit);

/// All lines as text, comments in their columns.
std::string write(std::vector<Line> lines);

}  // namespace rnnc::formatting
