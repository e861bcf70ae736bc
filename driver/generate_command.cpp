// `rnnc generate`: texts from a saved model.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "driver/commands.h"
#include "driver/generate.h"
#include "driver/input_lines.h"

namespace rnnc {
namespace {

void print_now(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// One text for each of these rows, the first as number `first`.
void write_rows(TextWriter& writer, const Options& options, const std::vector<std::vector<std::string>>& rows,
                const std::string& origin, int64_t first) {
  print_lines(writer.rows(rows, origin, print_now, first));
  if (rows.size() == 1 && !options.json) print_now("\n");
}

}  // namespace

int generate_command(const Options& options) {
  std::vector<std::string> inputs = options.inputs;
  const SavedExperiment used = open_saved(options, inputs, Purpose::Generate);
  const bool files = !inputs.empty() && std::ranges::all_of(inputs, [](const std::string& name) {
    return std::filesystem::is_regular_file(name);
  });
  if (!files && inputs.size() > 1)
    refuse_command(fmt::format("`{}` is one argument too many: the beginning of the text is one", inputs[1]),
                   "put it in quotes");
  TextWriter writer(used, options, files || inputs.empty() ? "" : inputs[0]);
  if (files) {
    if (writer.needed().empty())
      refuse_command(fmt::format("`generate {}` reads no rows", used.model),
                     fmt::format("`rnnc generate {} {}`", options.file, used.model));
    print_lines(writer.files(inputs));
  } else if (writer.needed().empty()) {
    write_rows(writer, options, {{}}, {}, 0);
  } else {
    read_rows(std::cin, writer.needed().size(), [&](const auto& rows, int64_t first) {
      write_rows(writer, options, rows, kStandardInput, first);
    });
  }
  return kDone;
}

}  // namespace rnnc
