// The parser's view of the tokens: look ahead, take, refuse.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.h"
#include "frontend/lexer.h"
#include "ir/diagnostic.h"
#include "ir/source.h"

namespace rnnc {

class TokenStream {
 public:
  TokenStream(const Source& source, uint16_t source_number);

  /// The token `ahead` of the next one; beyond the end, the End token.
  const Token& peek(size_t ahead = 0) const;
  /// Is that token this sign or word?
  bool at(std::string_view text, size_t ahead = 0) const;
  bool at_any(std::initializer_list<std::string_view> texts) const;
  bool at_kind(Token::Kind kind, size_t ahead = 0) const { return peek(ahead).kind == kind; }
  Place place() const { return peek().place; }

  const Token& next();
  /// Takes `text` if it is next.
  bool take(std::string_view text);
  /// Takes `text` or refuses: "expected `text`WHY, found ...".
  const Token& eat(std::string_view text, std::string_view why = {});
  /// Takes a name that is not reserved. A prime is refused unless `may_be_primed`.
  ast::Name name(bool may_be_primed = false);
  void skip_line_ends();
  /// The end of a line in a block: a line end or, not taken, the `}`.
  void end_of_line();

  /// The next token for "found ...": quoted, or "the end of the line".
  std::string found() const;
  [[noreturn]] void fail(Code code, Place place, std::string message, std::string help = {}) const;
  [[noreturn]] void fail(Place place, std::string message, std::string help = {}) const {
    fail(Code::Syntax, place, std::move(message), std::move(help));
  }

  /// Counts how deep the recursion of the parser is, and refuses what could exhaust the stack.
  class Nesting {
   public:
    Nesting(TokenStream& stream, int limit, const char* message);
    ~Nesting() { --stream_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    TokenStream& stream_;
  };

 private:
  const Source& source_;
  std::vector<Token> tokens_;
  size_t next_token_ = 0;
  int nesting_ = 0;
};

/// The words that can never be names.
bool is_reserved(std::string_view word);

}  // namespace rnnc
