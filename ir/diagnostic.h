// Messages to the user: one form for errors and warnings of every stage.
//
//   FILE:LINE:COL: error: MESSAGE
//       4 |   h' = tanh(x @ W + h @ U)
//         |                       ^
//         = left  : [H]   (state `h`, line 1)
//         = help: what can be typed in
#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/source.h"

namespace rnnc {

enum class Severity { Error, Warning };

/// What kind of message this is, for programs: message_codes.def.
enum class Code : uint8_t {
#define CODE(enumerator, word) enumerator,
#include "ir/message_codes.def"
#undef CODE
};

/// The word of a code, `unknown_name`.
std::string_view word(Code code);

/// A place that helps to understand a message: where a name in it was declared.
struct RelatedPlace {
  std::string file;
  LineColumn where;
  std::string source_line;
  std::string message;
};

/// One message. It carries all it needs to be printed, so it outlives the source it came from.
struct Diagnostic {
  Severity severity = Severity::Error;
  Code code = Code::Rule;
  std::string file;         ///< a file name; or another place in words (`step 412`) with line 0
  uint32_t line = 0;        ///< from 1; 0: the message belongs to no line
  uint32_t column = 0;      ///< from 1, in code points; 0: the message belongs to the line as a whole
  uint32_t end_column = 0;  ///< one past the last column of the word meant
  std::string message;
  std::string source_line;            ///< the text of the line, shown with the mark under it
  bool shows_line = false;            ///< data files are reported without their line
  std::vector<std::string> notes;     ///< each after `= `
  std::string help;                   ///< after `= help: `; empty: none
  std::vector<RelatedPlace> related;  ///< for editors; the text form says it in the notes, if at all
};

/// A message about `place` in `source`, with the source line to be shown; its code is Rule.
Diagnostic at_place(const Source& source, Place place, std::string message,
                    std::vector<std::string> notes = {}, std::string help = {});

/// A message about a place in a data file (`dev.tsv:514:1: error: ...`), which is not shown.
/// `line` 0 leaves out the line, `column` 0 the column: `step 412: error: ...`. Its code is Data.
Diagnostic in_file(std::string file, uint32_t line, uint32_t column, std::string message,
                   std::vector<std::string> notes = {}, std::string help = {});

/// The same message with another code.
Diagnostic with_code(Code code, Diagnostic diagnostic);

/// The text of one message, each line ended by LF.
std::string render(const Diagnostic& diagnostic);

/// The text of several messages one after the other.
std::string render(std::span<const Diagnostic> diagnostics);

/// The user's mistake: exit status 2. Anything else that is thrown is ours.
class UserError : public std::exception {
 public:
  explicit UserError(Diagnostic diagnostic);
  /// `diagnostics` must not be empty.
  explicit UserError(std::vector<Diagnostic> diagnostics);

  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }
  /// All messages, rendered.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Diagnostic> diagnostics_;
  std::string text_;
};

}  // namespace rnnc
