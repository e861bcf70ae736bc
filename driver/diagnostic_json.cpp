// The protocol counts lines from 0 and characters in units of UTF-16; people (and the other fields) count
// both from 1, columns in code points.
#include "driver/diagnostic_json.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace rnnc {
namespace {

using Json = nlohmann::json;

/// UTF-16 units before column `column` (from 1, in code points) of `line`, which is UTF-8. Beyond its end a
/// code point is one unit.
uint32_t utf16_units_before(std::string_view line, uint32_t column) {
  uint32_t units = 0, points = 1;
  for (size_t i = 0; i < line.size() && points < column; ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if ((byte & 0xC0) == 0x80) continue;  // goes on with the code point before
    units += byte >= 0xF0 ? 2 : 1;        // four bytes: above U+FFFF, two units
    ++points;
  }
  return units + (column > points ? column - points : 0);
}

Json position(uint32_t line, std::string_view text, uint32_t column) {
  return {{"line", line > 0 ? line - 1 : 0}, {"character", utf16_units_before(text, column)}};
}

/// A message about a whole file has the range of nothing at its beginning.
Json range(const LineColumn& where, std::string_view text) {
  return {{"start", position(where.line, text, where.column)},
          {"end", position(where.line, text, where.end_column)}};
}

Json related(const Diagnostic& diagnostic) {
  Json list = Json::array();
  for (const RelatedPlace& place : diagnostic.related)
    list.push_back(
        {{"location", {{"uri", file_uri(place.file)}, {"range", range(place.where, place.source_line)}}},
         {"message", place.message}});
  return list;
}

}  // namespace

std::string file_uri(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  std::string uri = "file://";
  for (const char c : error ? path : whole.lexically_normal().string()) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    if (plain) uri += c;
    else uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

Json to_json(const std::vector<Diagnostic>& diagnostics) {
  Json list = Json::array();
  for (const Diagnostic& d : diagnostics)
    list.push_back({{"range", range({d.line, d.column, d.end_column}, d.source_line)},
                    {"severity", d.severity == Severity::Error ? "error" : "warning"},
                    {"code", word(d.code)},
                    {"source", "rnnc"},
                    {"message", d.message},
                    {"relatedInformation", related(d)},
                    {"file", d.file},
                    {"line", d.line},
                    {"column", d.column},
                    {"end_column", d.end_column},
                    {"notes", d.notes},
                    {"help", d.help}});
  return list;
}

}  // namespace rnnc
