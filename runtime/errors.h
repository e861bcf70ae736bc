// What the data readers and the saved models tell the user: a message with its place, notes and help.
//
// The runtime knows neither the language's syntax tree nor its diagnostics, so it has a small message of
// its own; the driver prints it in the form of section 9 of the language reference.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace rnnc {

/// One message. `line` and `column` count from 1; 0 means that the place is not known (and is not printed).
struct DataMessage {
  std::string file;
  int line = 0;
  int column = 0;  // in code points
  std::string message;
  std::vector<std::string> notes;
  std::vector<std::string> help;
  bool warning = false;
};

/// The text form: `FILE:LINE:COL: error: MSG`, then `      = note` and `      = help: ...`, a line each;
/// every line ends with a line end.
std::string render(const DataMessage& message);

/// The user's mistake (model file, data, saved model): exit status 2.
class DataError : public std::runtime_error {
 public:
  explicit DataError(DataMessage message);
  const DataMessage& message() const { return message_; }

 private:
  DataMessage message_;
};

/// A failure while running (disk full, no permission to write): exit status 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rnnc
