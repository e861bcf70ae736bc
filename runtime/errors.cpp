// The text form of messages about data and saved models.
#include "runtime/errors.h"

#include <fmt/format.h>

#include <utility>

namespace rnnc {

std::string render(const DataMessage& message) {
  std::string text = message.file;
  if (message.line > 0) text += fmt::format(":{}", message.line);
  if (message.line > 0 && message.column > 0) text += fmt::format(":{}", message.column);
  if (!text.empty()) text += ": ";
  text += fmt::format("{}: {}\n", message.warning ? "warning" : "error", message.message);
  for (const std::string& note : message.notes) text += fmt::format("      = {}\n", note);
  for (const std::string& help : message.help) text += fmt::format("      = help: {}\n", help);
  return text;
}

DataError::DataError(DataMessage message)
    : std::runtime_error(render(message)), message_(std::move(message)) {}

}  // namespace rnnc
