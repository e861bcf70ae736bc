// The arena's mapping.
#include "runtime/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "runtime/abi.h"

namespace rnnc {

Arena::Arena(size_t bytes) : size_(bytes) {
  size_t slack = kOverread * sizeof(float);
  if (bytes > SIZE_MAX / 2)
    throw ArenaError(fmt::format("{} bytes of memory are more than there can be", bytes));
  size_t used = (bytes + slack + kAlignment - 1) / kAlignment * kAlignment;
  mapped_ = used + kAlignment;  // room to align the beginning
  void* mapping = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    throw ArenaError(
        fmt::format("no memory for {:.1f} MiB: {}", double(bytes) / (1 << 20), std::strerror(errno)));
  mapping_ = mapping;
  auto begin = (reinterpret_cast<uintptr_t>(mapping) + kAlignment - 1) / kAlignment * kAlignment;
  data_ = reinterpret_cast<std::byte*>(begin);
  madvise(data_, used, MADV_HUGEPAGE);  // advice: without huge pages it works, more slowly
}

Arena::~Arena() {
  if (mapping_) munmap(mapping_, mapped_);
}

Arena::Arena(Arena&& other) noexcept {
  *this = std::move(other);
}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace rnnc
