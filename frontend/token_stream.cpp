// The parser's view of the tokens.
#include "frontend/token_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ir/diagnostic.h"

namespace rnnc {

bool is_reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 13> words = {
      "param", "let", "scan", "fold", "over", "for", "with", "from", "carry", "as", "on", "tree", "frozen"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

TokenStream::TokenStream(const Source& source, uint16_t source_number)
    : source_(source), tokens_(lex(source, source_number)) {}

const Token& TokenStream::peek(size_t ahead) const {
  return tokens_[std::min(next_token_ + ahead, tokens_.size() - 1)];
}

bool TokenStream::at(std::string_view text, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.text == text && (token.kind == Token::Kind::Sign || token.kind == Token::Kind::Name);
}

bool TokenStream::at_any(std::initializer_list<std::string_view> texts) const {
  return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) { return at(text); });
}

const Token& TokenStream::next() {
  const Token& token = peek();
  if (next_token_ + 1 < tokens_.size()) ++next_token_;
  return token;
}

bool TokenStream::take(std::string_view text) {
  if (!at(text)) return false;
  next();
  return true;
}

const Token& TokenStream::eat(std::string_view text, std::string_view why) {
  if (!at(text)) fail(place(), fmt::format("expected `{}`{}, found {}", text, why, found()));
  return next();
}

ast::Name TokenStream::name(bool may_be_primed) {
  const Token& token = peek();
  if (token.kind != Token::Kind::Name) fail(token.place, fmt::format("expected a name, found {}", found()));
  if (is_reserved(token.text))
    fail(Code::Reserved, token.place,
         fmt::format("`{}` is a word of the language and cannot be a name", token.text));
  if (token.text.ends_with('\'') && !may_be_primed)
    fail(token.place,
         fmt::format("`{}`: only an equation of a cell may have a prime on its left", token.text));
  next();
  return {std::string(token.text), token.place};
}

void TokenStream::skip_line_ends() {
  while (at_kind(Token::Kind::LineEnd)) next();
}

void TokenStream::end_of_line() {
  if (at("}")) return;
  if (!at_kind(Token::Kind::LineEnd))
    fail(place(), fmt::format("expected the end of the line, found {}", found()));
  skip_line_ends();
}

std::string TokenStream::found() const {
  switch (peek().kind) {
    case Token::Kind::LineEnd: return "the end of the line";
    case Token::Kind::End: return "the end of the file";
    case Token::Kind::Number:
    case Token::Kind::Text:
    case Token::Kind::Name:
    case Token::Kind::Sign: break;
  }
  return fmt::format("`{}`", peek().text);
}

void TokenStream::fail(Code code, Place place, std::string message, std::string help) const {
  throw UserError(with_code(code, at_place(source_, place, std::move(message), {}, std::move(help))));
}

TokenStream::Nesting::Nesting(TokenStream& stream, int limit, const char* message) : stream_(stream) {
  if (stream.nesting_ >= limit) stream.fail(stream.place(), message);
  ++stream.nesting_;
}

}  // namespace rnnc
