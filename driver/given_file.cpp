// What is probably meant by a file name that is no file: see given_file.h.
#include "driver/given_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "frontend/suggest.h"
#include "ir/diagnostic.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

namespace fs = std::filesystem;

/// Names in `folder` that end with `ending`, in alphabetical order.
std::vector<std::string> names_in(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.ends_with(ending)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

/// `a.rnn, b.rnn, c.rnn, ...`
std::string first_of(std::vector<std::string> names) {
  constexpr size_t kMost = 5;
  const bool more = names.size() > kMost;
  names.resize(std::min(names.size(), kMost));
  return fmt::format("{}{}", fmt::join(names, ", "), more ? ", ..." : "");
}

std::string nearest(const fs::path& path, std::string_view ending) {
  std::error_code error;
  fs::path whole = path;
  whole += ending;
  if (fs::is_regular_file(whole, error)) return fmt::format("did you mean `{}`?", whole.string());
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) return fmt::format("there is no folder {}", folder.string());
  const std::vector<std::string> names = names_in(folder, ending);
  if (std::string near = suggest(path.filename().string(), names); !near.empty()) return near;
  const std::string where = path.has_parent_path() ? folder.string() : "this folder";
  return names.empty() ? "" : fmt::format("{} has: {}", where, first_of(names));
}

}  // namespace

std::string read_given_file(const std::string& path, std::string_view ending) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const std::vector<std::string> names = names_in(path, ending);
    throw UserError(in_file(path, 0, 0, "is a folder, a file is needed", {},
                            names.empty() ? "" : fmt::format("it has: {}", first_of(names))));
  }
  if (fs::status(path, error).type() == fs::file_type::not_found)
    throw UserError(in_file(path, 0, 0, "no such file", {}, nearest(path, ending)));
  return read_file(path, path);
}

std::string read_experiment(const std::string& path) {
  std::string text = read_given_file(path, ".rnn");
  if (is_saved_model(text))
    throw UserError(in_file(path, 0, 0, "this is a saved model, an experiment (`.rnn`) is needed", {},
                            "`rnnc predict`, `eval` and `generate` take one"));
  return text;
}

bool is_saved_model(std::string_view bytes) {
  constexpr size_t kSizeBytes = 8;
  return bytes.size() > kSizeBytes && bytes[kSizeBytes] == '{' && bytes.find('\0') < kSizeBytes;
}

}  // namespace rnnc
