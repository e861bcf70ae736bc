// Text: UTF-8 checked once when a file is read, then cut into characters, words and bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

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

/// A list of words for text without blanks.
class WordList {
 public:
  explicit WordList(std::span<const std::string> words);
  /// The longest word of the list with which `text` begins, in bytes; 0 if there is none.
  size_t longest(std::string_view text) const;

 private:
  std::unordered_set<std::string_view> words_;  // into what was given, which must stay
  size_t most_bytes_ = 0;
};

/// The words of a list: cut at white space, then from left to right the longest one that the list has, or a
/// code point if it has none.
void for_each_listed_word(std::string_view text, const WordList& list, const SymbolSink& sink);

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
