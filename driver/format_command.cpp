// `rnnc format`: files in the one way they are written, in place.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>

#include "driver/commands.h"
#include "driver/data_spec.h"
#include "driver/given_file.h"
#include "frontend/format.h"
#include "ir/diagnostic.h"
#include "runtime/errors.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

constexpr const char* kStandardInput = "-";

Source read(const std::string& file) {
  if (file != kStandardInput) return {file, read_experiment(file)};
  return {"standard input", std::string(std::istreambuf_iterator<char>(std::cin), {})};
}

void write(const std::string& file, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  replace_file(file, std::span(&bytes, 1));
}

}  // namespace

int format_command(const Options& options) {
  std::vector<std::string> files = options.inputs;
  files.insert(files.begin(), options.file);
  nlohmann::json changed = nlohmann::json::array();
  std::vector<Diagnostic> wrong;
  for (const std::string& file : files) {
    try {
      const Source source = read(file);
      const std::string text = format(source);
      const bool to_output = file == kStandardInput && !options.check_only;
      if (to_output) fmt::print("{}", text);
      if (text == source.text) continue;
      changed.push_back(source.name);
      if (options.check_only && !options.json) fmt::print("would change: {}\n", source.name);
      if (!options.check_only && !to_output) write(file, text);
    } catch (const UserError& problem) {
      wrong.insert(wrong.end(), problem.diagnostics().begin(), problem.diagnostics().end());
    } catch (const DataError& problem) {
      wrong.push_back(to_diagnostic(problem.message()));
    }
  }
  if (options.json) fmt::print("{}\n", nlohmann::json{{"changed", changed}}.dump());
  if (!wrong.empty()) throw UserError(std::move(wrong));
  return options.check_only && !changed.empty() ? kFailed : kDone;
}

}  // namespace rnnc
