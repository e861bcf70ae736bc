// Text: UTF-8 checked once when a file is read, then cut into characters, words and bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rnnc {

/// The first byte that is not part of well-formed UTF-8; npos if all are.
size_t invalid_utf8(std::string_view text);

/// ISO-8859-1 as UTF-8: every byte is the code point of its number.
std::string latin1_to_utf8(std::string_view text);

/// Code points in well-formed UTF-8.
size_t code_points(std::string_view text);

/// Every letter replaced by its lower-case letter, code point by code point (the number of code points stays
/// the same).
std::string lower(std::string_view text);

/// Is called with one symbol after the other; the view is valid during the call only.
using SymbolSink = std::function<void(std::string_view)>;

/// The code points.
void for_each_char(std::string_view text, const SymbolSink& sink);

/// The words: cut at white space (Unicode's, with U+00A0 and U+202F). With `marks` a run of letters, digits
/// and `_` (and the accents that combine with them) is a word, every other sign one of its own, and `<unk>`,
/// `<eos>`, ... stay whole.
void for_each_word(std::string_view text, bool marks, const SymbolSink& sink);

/// The bytes, by name: a printable ASCII sign itself, any other byte as `<0xE9>`.
void for_each_byte(std::string_view text, const SymbolSink& sink);

/// The text without white space at its ends.
std::string_view trim(std::string_view text);

/// A decimal number (`-3`, `+0.5`, `1e3`) with white space around it; nothing for other text, `nan` and `inf`
/// included. Numbers beyond the range of double are infinite.
std::optional<double> parse_number(std::string_view text);

/// A text in quotes for messages: cut after 40 code points, control characters as `\n`, `\t`, `\x00`.
std::string in_quotes(std::string_view text);

/// Line and column (in code points) of byte `offset`, counted from 1; a line ends at LF.
struct TextPlace {
  int line = 1;
  int column = 1;
};
TextPlace place_in(std::string_view text, size_t offset);

}  // namespace rnnc
