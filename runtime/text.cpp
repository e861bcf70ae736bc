// Text: UTF-8, characters, words, bytes, numbers.
#include "runtime/text.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "runtime/vocabulary.h"

namespace rnnc {
namespace {

// The code point at the beginning of `text` (not empty); -1 and one byte if it is malformed.
struct CodePoint {
  utf8proc_int32_t value;
  size_t bytes;
};

CodePoint first(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x80) return {byte, 1};
  utf8proc_int32_t value = -1;
  const utf8proc_ssize_t got = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                static_cast<utf8proc_ssize_t>(text.size()), &value);
  if (got <= 0) return {-1, 1};
  return {value, static_cast<size_t>(got)};
}

bool is_space(utf8proc_int32_t c) {
  if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85) return true;
  if (c < 0x80) return false;
  const utf8proc_category_t category = utf8proc_category(c);  // U+00A0 and U+202F are of class Zs
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

bool is_word_part(utf8proc_int32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  const utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;  // letters, marks, numbers
}

void words_with_marks(std::string_view word, const SymbolSink& sink) {
  constexpr std::array kSpecial = {kBlank, kPad, kUnk, kBos, kEos};
  size_t begin = 0;  // of a run of word parts
  size_t at = 0;
  const auto end_run = [&] {
    if (at > begin) sink(word.substr(begin, at - begin));
  };
  while (at < word.size()) {
    const std::string_view rest = word.substr(at);
    const CodePoint c = first(rest);
    if (is_word_part(c.value)) {
      at += c.bytes;
      continue;
    }
    end_run();
    const auto* special =
        std::ranges::find_if(kSpecial, [&](std::string_view s) { return rest.starts_with(s); });
    const size_t bytes = special != kSpecial.end() ? special->size() : c.bytes;
    sink(word.substr(at, bytes));
    at += bytes;
    begin = at;
  }
  end_run();
}

}  // namespace

size_t invalid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const CodePoint c = first(text.substr(at));
    if (c.value < 0) return at;
    at += c.bytes;
  }
  return std::string_view::npos;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0 | byte >> 6);
      result += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return result;
}

size_t code_points(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string lower(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = first(text);
    std::array<utf8proc_uint8_t, 4> bytes{};
    const utf8proc_ssize_t count = utf8proc_encode_char(utf8proc_tolower(c.value), bytes.data());
    result.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(count));
    text.remove_prefix(c.bytes);
  }
  return result;
}

void for_each_char(std::string_view text, const SymbolSink& sink) {
  while (!text.empty()) {
    const size_t bytes = first(text).bytes;
    sink(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
}

void for_each_word(std::string_view text, bool marks, const SymbolSink& sink) {
  size_t begin = 0;
  size_t at = 0;
  const auto end_word = [&] {
    const std::string_view word = text.substr(begin, at - begin);
    if (word.empty()) return;
    if (marks) words_with_marks(word, sink);
    else sink(word);
  };
  while (at < text.size()) {
    const CodePoint c = first(text.substr(at));
    if (is_space(c.value)) {
      end_word();
      begin = at + c.bytes;
    }
    at += c.bytes;
  }
  end_word();
}

WordList::WordList(std::span<const std::string> words) {
  for (const std::string& word : words) {
    words_.insert(word);
    most_bytes_ = std::max(most_bytes_, word.size());
  }
}

size_t WordList::longest(std::string_view text) const {
  for (size_t bytes = std::min(most_bytes_, text.size()); bytes > 0; --bytes) {
    const bool whole = bytes == text.size() || (text[bytes] & 0xC0) != 0x80;
    if (whole && words_.contains(text.substr(0, bytes))) return bytes;
  }
  return 0;
}

void for_each_listed_word(std::string_view text, const WordList& list, const SymbolSink& sink) {
  for_each_word(text, false, [&](std::string_view part) {
    while (!part.empty()) {
      size_t bytes = list.longest(part);
      if (bytes == 0) bytes = first(part).bytes;
      sink(part.substr(0, bytes));
      part.remove_prefix(bytes);
    }
  });
}

void for_each_byte(std::string_view text, const SymbolSink& sink) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) sink(std::string_view(&c, 1));
    else sink(fmt::format("<0x{:02X}>", byte));
  }
}

std::string_view trim(std::string_view text) {
  size_t begin = text.size();
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = first(text.substr(at));
    if (!is_space(c.value)) {
      begin = std::min(begin, at);
      end = at + c.bytes;
    }
    at += c.bytes;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  const bool digits = text.find_first_of("0123456789") != std::string_view::npos;
  if (!digits) return std::nullopt;  // `nan`, `inf`
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range)  // too large or too small? from_chars does not say
    value = std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 40;
  std::string result = "\"";
  size_t count = 0;
  for_each_char(text, [&](std::string_view c) {
    if (++count > kLongest) return;
    const auto byte = static_cast<unsigned char>(c[0]);
    if (c == "\n") result += "\\n";
    else if (c == "\t") result += "\\t";
    else if (c == "\r") result += "\\r";
    else if (byte < 0x20 || byte == 0x7F) result += fmt::format("\\x{:02x}", byte);
    else result += c;
  });
  return result + (count > kLongest ? "...\"" : "\"");
}

TextPlace place_in(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_end = before.rfind('\n');
  const size_t begin = line_end == std::string_view::npos ? 0 : line_end + 1;
  return {.line = 1 + static_cast<int>(std::ranges::count(before, '\n')),
          .column = 1 + static_cast<int>(code_points(before.substr(begin)))};
}

}  // namespace rnnc
