// Wrong files made of right ones, token by token: left out, doubled, exchanged; names, operators and sizes
// replaced by others.
#pragma once

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lexer.h"
#include "ir/source.h"

namespace rnnc::fuzz {

/// A piece of a text: a token with what stands before it.
struct Piece {
  std::string before, token;
  Token::Kind kind;
};

inline std::vector<Piece> pieces_of(const std::string& text) {
  const Source source{"t.rnn", text};
  std::vector<Piece> pieces;
  size_t end = 0;
  for (const Token& token : lex(source)) {
    const size_t begin = token.place.offset, next = begin + token.text.size();
    if (next < end || token.kind == Token::Kind::End) continue;
    pieces.push_back({text.substr(end, begin - end), std::string(token.text), token.kind});
    end = next;
  }
  return pieces;
}

/// The text, which must consist of tokens, with one to three changes.
inline std::string mutate(const std::string& text, std::mt19937& random) {
  static constexpr std::array<std::string_view, 17> kOperators = {
      "+", "-", "*", "/", "@", "^", "<", ">", "<=", ">=", "==", "!=", "=", "~", ",", ".", ";"};
  static constexpr std::array<std::string_view, 12> kNumbers = {"0", "1",   "2",    "3",    "5",   "7",
                                                                "8", "0.5", "1000", "1e-3", "2.5", "16"};
  std::vector<Piece> pieces = pieces_of(text);
  const auto any = [&] { return random() % pieces.size(); };
  const auto any_of = [&](Token::Kind kind) {  // or any, if there are few
    size_t at = any();
    for (int tries = 0; tries < 50 && pieces[at].kind != kind; ++tries) at = any();
    return at;
  };
  const size_t changes = 1 + random() % 3;
  for (size_t i = 0; i < changes && !pieces.empty(); ++i) {
    const size_t at = any();
    switch (random() % 10) {
      case 0: pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at), pieces[at]); break;
      case 2: std::swap(pieces[at], pieces[any()]); break;
      case 3: pieces[at].token = pieces[any()].token; break;
      case 4:
      case 5: {  // another name of the file
        pieces[any_of(Token::Kind::Name)].token = pieces[any_of(Token::Kind::Name)].token;
        break;
      }
      case 6:
        std::swap(pieces[any_of(Token::Kind::Name)].token, pieces[any_of(Token::Kind::Name)].token);
        break;
      case 7:
      case 8: pieces[any_of(Token::Kind::Number)].token = kNumbers[random() % kNumbers.size()]; break;
      default: pieces[any_of(Token::Kind::Sign)].token = kOperators[random() % kOperators.size()]; break;
    }
  }
  std::string out;
  for (const Piece& piece : pieces) out += piece.before + piece.token;
  return out;
}

}  // namespace rnnc::fuzz
