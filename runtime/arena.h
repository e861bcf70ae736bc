// The one block of memory a program runs in: on huge pages if the system has them (matrix times vector over
// many megabytes of weights is up to twice as fast), zero in the beginning, with room behind it for
// over-reads.
#pragma once
#include <cstddef>
#include <stdexcept>

namespace rnnc {

/// There is not enough memory; the message says how much was wanted.
struct ArenaError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Arena {
 public:
  static constexpr size_t kAlignment = size_t{2} << 20;

  Arena() = default;
  /// `bytes` usable bytes, all 0, aligned to kAlignment; kOverread floats behind them may be read.
  /// Throws ArenaError.
  explicit Arena(size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  std::byte* data() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }
  size_t size() const { return size_; }

 private:
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rnnc
