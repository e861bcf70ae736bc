// Tokens and the text between them: see format_pieces.h.
#include "frontend/format_pieces.h"

#include <algorithm>
#include <utility>

namespace rnnc::formatting {
namespace {

/// Walks the text between tokens, and counts lines and columns on its way.
class Between {
 public:
  explicit Between(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_begin_ = 3;
  }

  /// Goes on to `end`, which lies behind blanks, line ends and comments only. Comments go to `before` as long
  /// as they stand on its line, else to `next`.
  void go(size_t end, Piece* before, Piece& next) {
    bool blank = false, fresh_line = before == nullptr;
    while (at_ < end) {
      if (text_[at_] == '\n') {
        blank = blank || (fresh_line && line_is_empty());
        fresh_line = true;
        new_line();
      } else if (text_[at_] == '#') {
        Comment comment = take_comment();
        comment.blank_before = std::exchange(blank, false);
        if (fresh_line) next.above.push_back(comment);
        else before->behind = comment;
      } else {
        ++at_;
      }
    }
    next.blank_before = blank;
    next.line = line_;
    next.column = column();
  }

  /// Over a token, which has no line end in it.
  void over(size_t bytes) {
    at_ += bytes;
    token_end_ = column();
  }
  uint32_t column() const { return count_code_points(text_.substr(line_begin_, at_ - line_begin_)); }
  uint32_t line() const { return line_; }

 private:
  bool line_is_empty() const {
    const std::string_view line = text_.substr(line_begin_, at_ - line_begin_);
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
  }
  void new_line() {
    token_end_ = 0;
    line_begin_ = ++at_;
    ++line_;
  }
  Comment take_comment() {
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    Comment comment{text_.substr(at_, end - at_), column(), column() - token_end_, false};
    comment.text = comment.text.substr(0, comment.text.find_last_not_of(" \t\r") + 1);
    at_ = end;
    return comment;
  }

  std::string_view text_;
  size_t at_ = 0, line_begin_ = 0;
  uint32_t line_ = 0;
  uint32_t token_end_ = 0;  // on this line
};

}  // namespace

std::vector<Piece> pieces_of(const Source& source) {
  std::vector<Piece> pieces;
  Between between(source.text);
  for (const Token& token : lex(source)) {
    if (token.kind == Token::Kind::LineEnd) {
      if (!pieces.empty()) pieces.back().ends_statement = true;
      continue;
    }
    Piece piece;
    piece.token = token;
    const uint32_t line = between.line(), end = between.column();
    between.go(token.place.offset, pieces.empty() ? nullptr : &pieces.back(), piece);
    if (!pieces.empty() && piece.line == line) piece.gap = piece.column - end;
    between.over(token.text.size());
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace rnnc::formatting
