// Source text and places in it: what every message, graph node and profile points back to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rnnc {

/// A source file: the name messages show (as the user wrote it) and its whole text, UTF-8.
struct Source {
  std::string name;
  std::string text;
};

/// A stretch of source text, in bytes. Small enough to travel with every node.
struct Place {
  uint32_t offset = 0;  ///< first byte in Source::text
  uint16_t length = 0;  ///< bytes of the word meant (the longest words are cut to 65535)
  uint16_t source = 0;  ///< kOwnFile or kLibrary: which text `offset` counts in

  static constexpr uint16_t kOwnFile = 0;
  static constexpr uint16_t kLibrary = 1;

  friend bool operator==(const Place&, const Place&) = default;
};

/// Line and columns for people: from 1; columns count code points, `end_column` is one past the last.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
  uint32_t end_column = 2;
};

/// Code points in well-formed UTF-8 `text` (every byte that does not continue one counts).
inline uint32_t count_code_points(std::string_view text) {
  uint32_t count = 0;
  for (unsigned char byte : text) count += (byte & 0xC0) != 0x80;
  return count;
}

/// The whole line that byte `offset` stands in, without its end (LF, or CR LF).
inline std::string_view line_at(const Source& source, uint32_t offset) {
  const std::string_view text = source.text;
  const size_t at = offset < text.size() ? offset : text.size();
  const size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const size_t end = text.find('\n', at);
  std::string_view line = text.substr(begin, end == std::string_view::npos ? end : end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Where `place` is, for people. A place of no length is one column wide. Linear in the text before it.
inline LineColumn locate(const Source& source, Place place) {
  const std::string_view text = source.text;
  const size_t at = place.offset < text.size() ? place.offset : text.size();
  const std::string_view before = text.substr(0, at);
  LineColumn result;
  for (char c : before) result.line += c == '\n';
  const size_t line_end = before.rfind('\n');
  const size_t begin = line_end == std::string_view::npos ? 0 : line_end + 1;
  result.column = 1 + count_code_points(before.substr(begin));
  const uint32_t width = count_code_points(text.substr(at, place.length));
  result.end_column = result.column + (width > 0 ? width : 1);
  return result;
}

}  // namespace rnnc
