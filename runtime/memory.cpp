// See memory.h.
#include "runtime/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "runtime/arena.h"

namespace rnnc {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

std::optional<int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return std::nullopt;  // `max`, below: no number
  int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// The line `NAME NUMBER` of a file of such lines.
int64_t named_number(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    int64_t value = 0;
    if (words >> word >> value && word == name) return value;
  }
  return 0;
}

/// What one control group leaves: its limit less what is in use, without files that can be dropped.
int64_t left_in_group(const std::string& folder, const char* limit, const char* usage, const char* files) {
  const auto most = number_in(folder + "/" + limit);
  if (!most) return kNoLimit;
  const int64_t used =
      number_in(folder + "/" + usage).value_or(0) - named_number(folder + "/memory.stat", files);
  return std::max<int64_t>(0, *most - std::max<int64_t>(used, 0));
}

/// The least of a control group and all above it.
template <typename Left>
int64_t least_of_groups(const std::string& mount, std::string path, Left left) {
  int64_t least = kNoLimit;
  for (;;) {
    least = std::min(least, left(mount + path));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) break;
    path.resize(slash);
  }
  return least;
}

int64_t available_in_groups(const std::string& root) {
  int64_t least = kNoLimit;
  std::ifstream file(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {  // `0::/path` (version 2) or `7:memory:/path`
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      least = std::min(least, least_of_groups(root + "/sys/fs/cgroup", path, [](const std::string& folder) {
                         return left_in_group(folder, "memory.max", "memory.current", "inactive_file");
                       }));
    } else if (controllers == "memory") {
      const auto left = [](const std::string& folder) {
        return left_in_group(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
      };
      least = std::min(least, least_of_groups(root + "/sys/fs/cgroup/memory", path, left));
    }
  }
  return least;
}

}  // namespace

int64_t available_memory(const std::string& root) {
  const int64_t kibibytes = named_number(root + "/proc/meminfo", "MemAvailable:");
  return std::min(kibibytes > 0 ? kibibytes * 1024 : kNoLimit, available_in_groups(root));
}

int64_t memory_of(const Program& program) {
  int64_t bytes = program.arena_bytes;
  for (const Slab& slab : program.slabs)
    if (slab.variable >= 0) bytes += int64_t{slab.rows.begin} * slab.cols * 4;
  return bytes;
}

std::string largest_values(const Program& program) {
  std::map<int32_t, int64_t> changes;  // of the bytes alive, by command
  for (const Slab& slab : program.slabs) {
    if (slab.variable >= 0) continue;
    changes[slab.first] += slab.bytes;
    changes[slab.last + 1] -= slab.bytes;
  }
  int64_t alive = 0, most_alive = -1;
  int32_t peak = 0;  // the command while which most is alive
  for (const auto& [command, bytes] : changes) {
    alive += bytes;
    if (alive > most_alive) most_alive = alive, peak = command;
  }
  std::map<std::string, int64_t> by_name;
  for (const Slab& slab : program.slabs)
    if (slab.variable < 0 && slab.first <= peak && peak <= slab.last) by_name[slab.name] += slab.bytes;
  std::vector<std::pair<int64_t, std::string>> largest;
  for (const auto& [name, bytes] : by_name) largest.emplace_back(bytes, name);
  std::sort(largest.rbegin(), largest.rend());
  std::string most;
  for (size_t i = 0; i < std::min<size_t>(3, largest.size()); ++i)
    most += fmt::format("{}{} {}", i ? ", " : "", largest[i].second.empty() ? "others" : largest[i].second,
                        bytes_text(largest[i].first));
  return most;
}

void check_fits(const Program& program, int64_t available) {
  const int64_t needed = memory_of(program);
  if (needed <= available) return;
  std::string steps;
  for (size_t i = 0; i < program.capacity.size(); ++i)
    steps += fmt::format(" and {} steps{}", program.capacity[i],
                         i < program.dimensions.size() && !program.dimensions[i].empty()
                             ? " of " + program.dimensions[i]
                             : "");
  const int64_t fixed = needed - program.arena_bytes;
  // All but the variables grows with the batch, roughly.
  const int64_t fits =
      int64_t(double(program.batch_capacity) * double(std::max<int64_t>(0, available - fixed)) /
              double(std::max<int64_t>(program.arena_bytes, 1)));
  std::string help =
      fits > 0 ? fmt::format("a batch of about {} rows would fit, or cut the sequences with `chunk`", fits)
               : std::string("cut the sequences with `chunk`, or make the model smaller");
  // What the machine has, less a little for all else.
  if (!program.capacity.empty() && available >= int64_t{16} << 20)
    help += fmt::format("; `train` needs less memory and more time with `--memory-limit {}MiB`",
                        (available - available / 16) >> 20);
  throw ArenaError(
      fmt::format("this program needs {} of memory, and {} are available\n"
                  "      = a batch of {} rows{}; most of it: {}\n"
                  "      = help: {}",
                  bytes_text(needed), bytes_text(available), program.batch_capacity, steps,
                  largest_values(program), help));
}

std::string bytes_text(int64_t bytes) {
  const double n = double(bytes);
  if (bytes >= int64_t{1} << 30) return fmt::format("{:.1f} GiB", n / (1 << 30));
  if (bytes >= int64_t{1} << 20) return fmt::format("{:.0f} MiB", n / (1 << 20));
  return fmt::format("{:.0f} KiB", n / 1024);
}

}  // namespace rnnc
