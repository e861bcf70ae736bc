// Entries as files: see object_cache.h.
//
//   header (five words): magic, checksum of all that follows the header, bytes of the key, number of objects,
//   bytes of the file
//   the key; for each object its size (a word) and its bytes
#include "codegen/object_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/xxhash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace rnnc {

extern const char* const kEmitterHash;  // made by cmake/emitter_hash.cmake

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMagic = 0x31656863'636e6e72;  // "rnncche1"
constexpr std::string_view kSuffix = ".objects";
constexpr auto kAbandoned = std::chrono::hours(1);  // a temporary file this old has no writer any more

struct Header {
  uint64_t magic = kMagic, checksum = 0, key_bytes = 0, objects = 0, file_bytes = 0;
};

uint64_t checksum(std::string_view text) {
  return llvm::xxh3_64bits(llvm::StringRef(text.data(), text.size()));
}

class File {
 public:
  File(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// The whole file; nothing if it is not there, or if somebody else may have written it: what stands in it
/// will be executed.
std::optional<std::string> read_own(const std::string& path) {
  const File file(path, O_RDONLY);
  struct stat status {};
  if (!file || ::fstat(file.number(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return std::nullopt;
  std::string bytes(size_t(status.st_size), '\0');
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(file.number(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    at += size_t(got);
  }
  // the time of the file says when it was used last
  ::futimens(file.number(), nullptr);
  return bytes;
}

bool write_all(int number, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(number, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(size_t(written));
  }
  return true;
}

void append_word(std::string& to, uint64_t word) {
  to.append(reinterpret_cast<const char*>(&word), sizeof word);
}

std::string encode(std::string_view key, const std::vector<std::string>& objects) {
  std::string body(key);
  for (const std::string& object : objects) {
    append_word(body, object.size());
    body += object;
  }
  const Header header{kMagic, checksum(body), key.size(), objects.size(), sizeof(Header) + body.size()};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
}

std::optional<std::vector<std::string>> decode(std::string_view bytes, std::string_view key) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic || header.file_bytes != bytes.size()) return std::nullopt;
  bytes.remove_prefix(sizeof header);
  if (header.checksum != checksum(bytes) || header.key_bytes > bytes.size()) return std::nullopt;
  if (bytes.substr(0, header.key_bytes) != key) return std::nullopt;
  bytes.remove_prefix(header.key_bytes);
  std::vector<std::string> objects;
  for (uint64_t i = 0; i < header.objects; ++i) {
    uint64_t size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (size > bytes.size()) return std::nullopt;
    objects.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return objects;
}

}  // namespace

std::string name_of_text(std::string_view text) {
  const llvm::XXH128_hash_t hash =
      llvm::xxh3_128bits({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string emitter_version() {
  return fmt::format("{} {}", LLVM_VERSION_STRING, kEmitterHash);
}

std::string ObjectCache::path_of(std::string_view key) const {
  return fmt::format("{}/{}{}", folder_, name_of_text(key), kSuffix);
}

std::optional<std::vector<std::string>> ObjectCache::find(std::string_view key) const {
  if (folder_.empty()) return std::nullopt;
  const std::optional<std::string> bytes = read_own(path_of(key));
  return bytes ? decode(*bytes, key) : std::nullopt;
}

void ObjectCache::store(std::string_view key, const std::vector<std::string>& objects) const {
  if (folder_.empty()) return;
  const std::string bytes = encode(key, objects);
  if (int64_t(bytes.size()) > most_bytes_) return;
  std::error_code problem;
  fs::create_directories(fs::path(folder_).parent_path(), problem);
  ::mkdir(folder_.c_str(), 0700);  // there already: well
  static std::atomic<uint32_t> number = 0;
  const std::string path = path_of(key);
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path, ::getpid(), number++);
  bool whole = false;
  {
    // Left by a process of the same number that was killed: written over. Not synced: after a loss of power
    // the checksum tells.
    const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    whole = file && write_all(file.number(), bytes);
  }
  if (!whole || ::rename(temporary.c_str(), path.c_str()) != 0) {
    ::unlink(temporary.c_str());
    return;
  }
  make_room();
}

void ObjectCache::make_room() const {
  struct Entry {
    fs::file_time_type used;
    int64_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  int64_t total = 0;
  std::error_code problem;
  for (fs::directory_iterator it(folder_, problem), end; !problem && it != end; it.increment(problem)) {
    std::error_code gone;  // by another process, between two calls
    const fs::path& path = it->path();
    const Entry entry{it->last_write_time(gone), int64_t(it->file_size(gone)), path};
    if (gone) continue;
    if (path.extension() == ".tmp" && fs::file_time_type::clock::now() - entry.used > kAbandoned) {
      fs::remove(path, gone);
    } else if (path.extension() == kSuffix) {
      total += entry.bytes;
      entries.push_back(entry);
    }
  }
  if (total <= most_bytes_) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (total <= most_bytes_ / 4 * 3) break;  // some room more, so that not every entry has to do this
    std::error_code gone;
    fs::remove(entry.path, gone);
    total -= entry.bytes;
  }
}

}  // namespace rnnc
