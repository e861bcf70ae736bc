// UTF-8 by RFC 3629.
#include "frontend/utf8.h"

#include <array>

namespace rnnc {

CodePoint decode_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || at + length > text.size()) return {};
  char32_t value = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string result;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = decode_at(text, at);
    result += point.length > 0 ? point.value : U'\uFFFD';
    at += point.length > 0 ? point.length : 1;
  }
  return result;
}

std::string printable_utf8(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t length = decode_at(text, at).length;
    result += length > 0 ? text.substr(at, length) : std::string_view("\xEF\xBF\xBD");
    at += length > 0 ? length : 1;
  }
  return result;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  struct Range {
    char32_t first, last;
  };
  constexpr Range signs[] = {
      {0x80, 0xA9},        {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},  // Latin-1 signs but ª µ º
      {0xD7, 0xD7},        {0xF7, 0xF7},                                      // × ÷
      {0x300, 0x36F},                                                         // combining marks
      {0x2000, 0x206F},                                                       // spaces, punctuation
      {0x20A0, 0x20FF},                                                       // currency, marks
      {0x2190, 0x2BFF},                                                       // arrows, mathematics, boxes
      {0x2E00, 0x2E7F},    {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030},  // CJK punctuation
      {0xD800, 0xF8FF},                                                           // surrogates, private
      {0xFE00, 0xFE6F},    {0xFEFF, 0xFEFF}, {0xFF00, 0xFF0F}, {0xFF1A, 0xFF20},  // full-width signs
      {0xFF3B, 0xFF40},    {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},
      {0xE0000, 0x10FFFF},  // pictures, tags, private
  };
  for (const Range& range : signs)
    if (c >= range.first && c <= range.last) return false;
  return true;
}

}  // namespace rnnc
