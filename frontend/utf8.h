// Code points of UTF-8 text, and which of them may stand in a name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rnnc {

/// One code point and the bytes it takes. `length` 0: no UTF-8 here (a stray, cut off, overlong or
/// surrogate sequence).
struct CodePoint {
  char32_t value = 0;
  size_t length = 0;
};

/// The code point that begins at `text[at]`; `at` is below text.size().
CodePoint decode_at(std::string_view text, size_t at);

/// All code points; a byte that is no UTF-8 becomes U+FFFD.
std::u32string decode_utf8(std::string_view text);

/// The text with every byte that is no UTF-8 replaced by U+FFFD, fit to be printed.
std::string printable_utf8(std::string_view text);

/// May `c` begin a name? Letters do. Beyond ASCII, everything that is not known to be a space, a sign or
/// a private character counts as a letter.
bool is_letter(char32_t c);

}  // namespace rnnc
