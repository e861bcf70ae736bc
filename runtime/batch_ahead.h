// The next batch, packed while the present one computes.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "runtime/batches.h"

namespace rnnc {

/// Batches of one epoch after the other, each the same bits as `Batches::batch` gives, packed by a thread of
/// its own while the caller works with the one before. One caller.
class BatchAhead {
 public:
  /// Must outlive this, and be used by nobody else while this lives. Throws std::system_error if no thread
  /// can be started.
  explicit BatchAhead(Batches& batches);
  ~BatchAhead();
  BatchAhead(const BatchAhead&) = delete;
  BatchAhead& operator=(const BatchAhead&) = delete;

  /// The order of another epoch; what was packed ahead is dropped.
  void shuffle(uint64_t seed, uint32_t epoch);
  /// Batch `step` (0 .. steps()-1); valid until the next call. Then the one behind it is packed.
  const Batch& batch(int64_t step);

 private:
  static constexpr int64_t kNone = -1;
  struct Packed {
    Batch batch;
    int64_t step = kNone;
  };

  void serve();
  void settle(std::unique_lock<std::mutex>& lock);

  Batches& batches_;
  std::array<Packed, 2> packed_;
  size_t given_ = 0;  // the one that the caller reads; the thread fills the other
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t wanted_ = kNone;  // step to be packed
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rnnc
