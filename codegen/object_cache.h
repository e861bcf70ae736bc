// Compiled code on disk, so that a second start compiles nothing. One file an entry, in one folder that any
// number of processes may use at once and any of them may be killed in: a file is written under a temporary
// name and renamed, and what is read is checked before it is believed. Nothing here is ever an error: an
// entry that cannot be read is compiled again, one that cannot be written is not kept.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

class ObjectCache {
 public:
  static constexpr int64_t kMostBytes = int64_t{256} << 20;

  /// Without a folder nothing is kept. The folder is made by the first entry that is stored.
  explicit ObjectCache(std::string folder = {}, int64_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  /// The object files stored under this key, whole and unharmed, or nothing.
  std::optional<std::vector<std::string>> find(std::string_view key) const;

  /// Keeps object files under a key; makes room by removing the entries that were not used for longest.
  void store(std::string_view key, const std::vector<std::string>& objects) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string path_of(std::string_view key) const;
  void make_room() const;

  std::string folder_;
  int64_t most_bytes_ = kMostBytes;
};

/// A name made of a text, the same in all processes; different texts have different names.
std::string name_of_text(std::string_view text);

/// Of this compiler's code generator: a hash of its sources, and the version of LLVM.
std::string emitter_version();

}  // namespace rnnc
