// Which files the patterns of a data block mean.
#include "runtime/data_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/errors.h"

namespace rnnc {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPacked = ".gz";
constexpr size_t kMostListed = 12;  // names of a folder in a message

// Does `name` match `pattern`, in which `*` stands for any run of signs?
bool matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (size_t skipped = 0; skipped <= name.size(); ++skipped)
    if (matches(name.substr(skipped), pattern)) return true;
  return false;
}

// The entries of a folder in alphabetical order; a folder that cannot be read has none.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(*at);
  std::ranges::sort(entries, {}, [](const auto& entry) { return entry.path().filename().string(); });
  return entries;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The names in `folder` that a last component with `*` means, without .gz.
std::set<std::string> matching_names(const fs::path& folder, const std::string& pattern) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    if (is_folder(entry.path())) continue;
    std::string name = entry.path().filename().string();
    if (name.starts_with('.') && !pattern.starts_with('.')) continue;
    std::string bare = name.ends_with(kPacked) ? name.substr(0, name.size() - kPacked.size()) : name;
    if (matches(bare, pattern)) names.insert(std::move(bare));
    else if (matches(name, pattern)) names.insert(std::move(name));
  }
  return names;
}

// Names relative to `folder` (or absolute) that exist.
std::vector<std::string> expand(const fs::path& folder, const std::string& pattern) {
  std::vector<std::string> found = {pattern.starts_with('/') ? "/" : ""};
  size_t at = 0;
  while (at < pattern.size()) {
    const size_t slash = std::min(pattern.find('/', at), pattern.size());
    const std::string part = pattern.substr(at, slash - at);
    const bool last = slash == pattern.size();
    at = slash + 1;
    if (part.empty()) continue;
    std::vector<std::string> next;
    for (const std::string& before : found) {
      if (part.find('*') == std::string::npos) {
        const std::string name = before + part;
        if (is_there(folder / name) || (last && is_there(folder / (name + std::string(kPacked)))))
          next.push_back(last ? name : name + "/");
      } else if (last) {
        for (const std::string& name : matching_names(folder / before, part)) next.push_back(before + name);
      } else {
        for (const fs::directory_entry& entry : entries_of(folder / before)) {
          const std::string name = entry.path().filename().string();
          if (is_folder(entry.path()) && matches(name, part) &&
              (!name.starts_with('.') || part.starts_with('.')))
            next.push_back(before + name + "/");
        }
      }
    }
    found = std::move(next);
  }
  return found;
}

/// What is in a folder; `first` of it before the others.
std::string listing(const fs::path& folder, const std::vector<std::string>& first = {}) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.')) names.push_back(is_folder(entry.path()) ? name + "/" : name);
  }
  if (names.empty()) return "nothing";
  const auto rank = [&](const std::string& name) { return std::ranges::find(first, name) - first.begin(); };
  std::ranges::stable_sort(names, {}, rank);
  const size_t shown = std::min(names.size(), kMostListed);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "));
  if (shown < names.size()) text += fmt::format(", and {} more", names.size() - shown);
  return text;
}

/// The names in folder `inner` that the data block has, in its order.
std::vector<std::string> named_in(const DataSpec& spec, const std::string& inner) {
  std::vector<std::string> names;
  for (const DataSource& source : spec.sources)
    for (const std::string& pattern : source.patterns)
      if (pattern.starts_with(inner)) names.push_back(pattern.substr(inner.size()));
  return names;
}

// "looked in the folder of ptb.rnn; its ptb/ has: ptb.train.txt, ptb.test.txt"
std::string where_looked(const DataSpec& spec, const DataFolder& folder, const std::string& pattern) {
  const size_t slash = pattern.rfind('/');
  const std::string inner = slash == std::string::npos ? "" : pattern.substr(0, slash + 1);
  if (pattern.starts_with('/')) {
    if (!is_folder(inner)) return fmt::format("there is no folder {}", inner);
    return fmt::format("{} has: {}", inner, listing(inner));
  }
  const std::string looked = "looked in " + (folder.beside_rnn_file ? "the folder of " + spec.file
                                             : folder.path.empty()  ? "."
                                                                    : folder.path);
  const fs::path start(folder.path.empty() ? "." : folder.path);
  if (inner.empty()) return fmt::format("{}; it has: {}", looked, listing(start, named_in(spec, "")));
  if (inner.find('*') != std::string::npos || !is_folder(start / inner))
    return fmt::format("{}; it has no {}, only: {}", looked, inner, listing(start));
  return fmt::format("{}; its {} has: {}", looked, inner, listing(start / inner, named_in(spec, inner)));
}

}  // namespace

std::string file_stem(std::string_view name) {
  if (name.ends_with(kPacked)) name.remove_suffix(kPacked.size());
  return fs::path(name).stem().string();
}

DataFile data_file(const std::string& folder, const std::string& name) {
  const fs::path plain = fs::path(folder) / name;
  fs::path packed = plain;
  packed += kPacked;
  return {.name = name,
          .path = (!is_there(plain) && is_there(packed) ? packed : plain).string(),
          .stem = file_stem(name)};
}

std::vector<DataFile> find_files(const DataSpec& spec, const DataSource& source, const DataFolder& folder) {
  std::vector<DataFile> files;
  for (const std::string& pattern : source.patterns) {
    const std::vector<std::string> names = expand(folder.path.empty() ? "." : folder.path, pattern);
    if (names.empty())
      throw DataError({.file = spec.file,
                       .line = source.place.line,
                       .column = source.place.column,
                       .message = fmt::format("no file matches \"{}\"", pattern),
                       .notes = {where_looked(spec, folder, pattern)},
                       .help = {}});
    for (const std::string& name : names) files.push_back(data_file(folder.path, name));
  }
  return files;
}

}  // namespace rnnc
