// Rendering of messages. The form is fixed byte for byte by tests/errors/.
#include "ir/diagnostic.h"

#include <fmt/format.h>

#include <utility>

namespace rnnc {

std::string_view word(Code code) {
  switch (code) {
#define CODE(enumerator, word) \
  case Code::enumerator:       \
    return word;
#include "ir/message_codes.def"
#undef CODE
  }
  return {};
}

Diagnostic with_code(Code code, Diagnostic diagnostic) {
  diagnostic.code = code;
  return diagnostic;
}

Diagnostic at_place(const Source& source, Place place, std::string message, std::vector<std::string> notes,
                    std::string help) {
  const LineColumn where = locate(source, place);
  Diagnostic result;
  result.file = source.name;
  result.line = where.line;
  result.column = where.column;
  result.end_column = where.end_column;
  result.message = std::move(message);
  result.source_line = std::string(line_at(source, place.offset));
  result.shows_line = true;
  result.notes = std::move(notes);
  result.help = std::move(help);
  return result;
}

Diagnostic in_file(std::string file, uint32_t line, uint32_t column, std::string message,
                   std::vector<std::string> notes, std::string help) {
  Diagnostic result;
  result.code = Code::Data;
  result.file = std::move(file);
  result.line = line;
  result.column = column;
  result.end_column = column > 0 ? column + 1 : 0;
  result.message = std::move(message);
  result.notes = std::move(notes);
  result.help = std::move(help);
  return result;
}

std::string render(const Diagnostic& d) {
  std::string out = d.file;
  if (d.line > 0) out += fmt::format(":{}", d.line);
  if (d.line > 0 && d.column > 0) out += fmt::format(":{}", d.column);
  out += fmt::format(": {}: {}\n", d.severity == Severity::Error ? "error" : "warning", d.message);
  if (d.shows_line) {
    const uint32_t blanks = d.column > 0 ? d.column - 1 : 0;
    const uint32_t marks = d.end_column > d.column ? d.end_column - d.column : 1;
    out += fmt::format("{:5} | {}\n", d.line, d.source_line);
    out += fmt::format("      | {}{}\n", std::string(blanks, ' '), std::string(marks, '^'));
  }
  for (const std::string& note : d.notes) out += fmt::format("      = {}\n", note);
  if (!d.help.empty()) out += fmt::format("      = help: {}\n", d.help);
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic);
  return out;
}

UserError::UserError(Diagnostic diagnostic) : UserError(std::vector<Diagnostic>{std::move(diagnostic)}) {}

UserError::UserError(std::vector<Diagnostic> diagnostics)
    : diagnostics_(std::move(diagnostics)), text_(render(diagnostics_)) {}

}  // namespace rnnc
