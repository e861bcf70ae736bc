// Whole files: reading with clear refusals, replacing without ever harming what is there.
#include "runtime/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/errors.h"

namespace rnnc {
namespace {

constexpr size_t kChunk = size_t{1} << 20;

// An open file that is closed at the end of its scope.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

[[noreturn]] void refuse(const std::string& name, std::string why) {
  throw DataError({.file = name, .message = std::move(why), .notes = {}, .help = {}});
}

std::string system_reason(int code) {
  return std::strerror(code);
}

std::string read_plain(int descriptor, const std::string& name, size_t expected) {
  std::string content;
  content.reserve(expected + kChunk + 1);  // the last read finds nothing; nothing is copied on the way
  for (;;) {
    const size_t before = content.size();
    content.resize(std::max(before + kChunk, expected + 1));
    const ssize_t got = ::read(descriptor, content.data() + before, content.size() - before);
    content.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) refuse(name, "cannot be read: " + system_reason(errno));
    if (got == 0) return content;
  }
}

std::string read_packed(int descriptor, const std::string& name) {
  gzFile packed = gzdopen(descriptor, "rb");  // takes the descriptor over
  if (packed == nullptr) refuse(name, "cannot be unpacked: out of memory");
  std::string content;
  int got = 0;
  do {
    const size_t before = content.size();
    content.resize(before + kChunk);
    got = gzread(packed, content.data() + before, static_cast<unsigned>(kChunk));
    content.resize(before + static_cast<size_t>(std::max(got, 0)));
  } while (got > 0);
  int code = Z_OK;
  const std::string reason = gzerror(packed, &code);
  const int closed = gzclose(packed);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END) || closed != Z_OK)
    refuse(name, "cannot be unpacked: " + (reason.empty() ? "cut short" : reason));
  return content;
}

}  // namespace

std::string read_file(const std::string& path, const std::string& name) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) refuse(name, "no such file");
    if (errno == EACCES) refuse(name, "no permission to read it");
    refuse(name, "cannot be opened: " + system_reason(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) refuse(name, "cannot be read: " + system_reason(errno));
  if (S_ISDIR(status.st_mode)) refuse(name, "is a folder, a file is needed");
  if (path.ends_with(".gz")) return read_packed(file.release(), name);
  return read_plain(file.get(), name, static_cast<size_t>(std::max<off_t>(status.st_size, 0)));
}

void replace_file(const std::string& path, std::span<const std::span<const std::byte>> pieces) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  // A link stays a link: what it points to is replaced.
  const fs::path target =
      fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : fs::path(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  // The process number keeps two programs that save at once apart.
  const std::string temporary = fmt::format("{}.{}.tmp", (folder / target.filename()).string(), ::getpid());
  const auto fail = [&](const char* what) {
    const int code = errno;
    ::unlink(temporary.c_str());
    throw RunError(fmt::format("{}: {}: {}", path, what, system_reason(code)));
  };

  if (fs::is_directory(target, ignored)) throw RunError(path + ": is a folder");
  ::unlink(temporary.c_str());  // left by a process of the same number that was killed
  OpenFile file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) throw RunError(fmt::format("{}: cannot be written: {}", path, system_reason(errno)));
  for (std::span<const std::byte> piece : pieces) {
    while (!piece.empty()) {
      const ssize_t written = ::write(file.get(), piece.data(), std::min(piece.size(), size_t{1} << 30));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("cannot be written");
      piece = piece.subspan(static_cast<size_t>(written));
    }
  }
  struct stat old {};
  if (::stat(target.c_str(), &old) == 0 && ::fchmod(file.get(), old.st_mode & 07777) != 0)
    fail("cannot be written");
  if (::fsync(file.get()) != 0) fail("cannot be synced");
  if (::close(file.release()) != 0) fail("cannot be written");
  if (::rename(temporary.c_str(), target.c_str()) != 0) fail("cannot be renamed");
  // The rename itself is made durable; where a folder cannot be synced, the files are still whole.
  const OpenFile opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) ::fsync(opened.get());
}

void remove_leftovers(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path target(path);
  const std::string before = target.filename().string() + ".", after = ".tmp";
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(before) || !name.ends_with(after) || name.size() <= before.size() + after.size())
      continue;
    const std::string process = name.substr(before.size(), name.size() - before.size() - after.size());
    if (process.size() > 9 || process.find_first_not_of("0123456789") != std::string::npos) continue;
    if (::kill(static_cast<pid_t>(std::stol(process)), 0) != 0 && errno == ESRCH)
      ::unlink(at->path().c_str());
  }
}

}  // namespace rnnc
