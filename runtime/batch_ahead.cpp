// The next batch, packed while the present one computes: see batch_ahead.h.
#include "runtime/batch_ahead.h"

#include <stdexcept>

namespace rnnc {

BatchAhead::BatchAhead(Batches& batches) : batches_(batches), thread_([this] { serve(); }) {}

BatchAhead::~BatchAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchAhead::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || wanted_ != kNone; });
    if (stopping_) return;
    const int64_t step = wanted_;
    Packed& to = packed_[1 - given_];  // the caller waits before it changes given_
    lock.unlock();
    bool packed = true;
    try {
      batches_.fill(step, to.batch);
    } catch (...) {
      packed = false;  // the caller comes to it by itself, and hears what is wrong
    }
    lock.lock();
    to.step = packed ? step : kNone;
    wanted_ = kNone;
    changed_.notify_all();
  }
}

void BatchAhead::settle(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return wanted_ == kNone; });
}

void BatchAhead::shuffle(uint64_t seed, uint32_t epoch) {
  std::unique_lock lock(mutex_);
  settle(lock);
  batches_.shuffle(seed, epoch);
  for (Packed& packed : packed_) packed.step = kNone;
}

const Batch& BatchAhead::batch(int64_t step) {
  if (step < 0) throw std::invalid_argument("no batch before the first");
  std::unique_lock lock(mutex_);
  settle(lock);
  if (packed_[given_].step != step) {
    given_ = 1 - given_;
    Packed& packed = packed_[given_];
    if (packed.step != step) {  // the first of an epoch, or not in order
      packed.step = kNone;
      batches_.fill(step, packed.batch);
      packed.step = step;
    }
  }
  if (step + 1 < batches_.steps() && packed_[1 - given_].step != step + 1) {
    wanted_ = step + 1;
    changed_.notify_all();
  }
  return packed_[given_].batch;
}

}  // namespace rnnc
