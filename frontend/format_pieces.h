// The tokens of a file with what the lexer leaves out: comments, empty lines and where each token stood.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "frontend/lexer.h"
#include "ir/source.h"

namespace rnnc::formatting {

struct Comment {
  std::string_view text;  ///< from `#` to the last sign of the line
  uint32_t column = 0;    ///< in the source, from 0, in code points
  uint32_t gap = 0;       ///< columns between it and the token before on its line
  bool blank_before = false;
};

/// A token that is no line end, and what belongs to it.
struct Piece {
  Token token;
  std::vector<Comment> above;     ///< on lines of their own before it
  std::optional<Comment> behind;  ///< on its line, after it
  bool blank_before = false;      ///< an empty line stands right above it (below `above`)
  bool ends_statement = false;    ///< a line end that counts follows
  uint32_t line = 0, column = 0;  ///< in the source, from 0
  uint32_t gap = 0;               ///< columns between it and the token before on its line

  // What format.cpp finds out about it.
  bool space = false;  ///< one blank before it, unless it begins a line
  uint32_t pad = 0;    ///< more blanks, that line it up with others
  int break_cost = 0;  ///< of beginning a line with it: kNoBreak, or the less the better

  std::string_view text() const { return token.text; }
  bool is(std::string_view sign) const {
    return token.text == sign && (token.kind == Token::Kind::Sign || token.kind == Token::Kind::Name);
  }
  uint32_t width() const { return count_code_points(token.text); }
};

inline constexpr int kNoBreak = -1;

/// All tokens but the line ends, in their order; the last is Token::Kind::End.
std::vector<Piece> pieces_of(const Source& source);

}  // namespace rnnc::formatting
