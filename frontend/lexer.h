// Text to tokens: words, numbers, texts, signs, and the line ends that count.
#pragma once

#include <string_view>
#include <vector>

#include "ir/source.h"

namespace rnnc {

struct Token {
  enum class Kind {
    Number,   ///< `3`, `0.5`, `2e-3`, `1_000`
    Text,     ///< with its quotes and escapes, as written
    Name,     ///< also reserved words; with a prime if one follows
    Sign,     ///< operators and punctuation
    LineEnd,  ///< one that ends a statement
    End,      ///< of the file; the last token, after a LineEnd
  };
  Kind kind;
  std::string_view text;  ///< into Source::text
  Place place;
};

/// The tokens of `source`; places carry `source_number` (Place::kOwnFile or kLibrary). A line end inside
/// `( )` or `[ ]`, or after a sign that wants something on its right, is no token.
/// Throws UserError for the first character, text or bracket that cannot be.
std::vector<Token> lex(const Source& source, uint16_t source_number = Place::kOwnFile);

/// Is `text` a sign after which a statement goes on (an operator, `=`, `,`, `~`, `->`)?
bool goes_on(std::string_view text);

}  // namespace rnnc
