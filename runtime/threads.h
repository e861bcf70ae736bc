// The threads that run a program. One wake-up for a whole run, then only barriers: every thread walks the
// same list of commands and does its own units of each.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace rnnc {

/// Threads worth starting here: physical cores in the affinity mask, at most the cgroup's CPU quota, at
/// least 1.
int default_thread_count();

/// While it lives, subnormal numbers are taken as and flushed to 0 on this thread; the old mode comes back
/// after.
class FlushSubnormals {
 public:
  FlushSubnormals();
  ~FlushSubnormals();
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  uint64_t old_;
};

/// P threads; the caller of run() is thread 0. Not reentrant, and not to be used from two threads at once.
class Trace;

class Team {
 public:
  /// `threads`: 1 or more. With a trace, which must outlive this, what the team runs is recorded there.
  /// Throws std::system_error if a thread cannot be started.
  explicit Team(int threads, Trace* trace = nullptr);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }
  Trace* trace() const { return trace_; }

  /// Calls work(0) here and work(1) .. work(P-1) on the others, with subnormals flushed, and returns when all
  /// are done. Work must not throw. Throws std::runtime_error in a process forked from the one that made the
  /// team: its threads are not there.
  void run(const std::function<void(int thread)>& work);

  /// Inside run(): waits until all threads are here. Everything written before is seen after.
  void barrier();

 private:
  void serve(int thread);
  void stop();

  int size_;
  std::chrono::microseconds spin_;  // of a barrier, before it sleeps
  Trace* trace_;
  int64_t process_;
  const std::function<void(int)>* work_ = nullptr;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
  // each on its own pair of cache lines: arrivals are written by all, the phase is what waiters read
  alignas(128) std::atomic<uint32_t> arrived_{0};
  alignas(128) std::atomic<uint32_t> phase_{0};
  alignas(128) std::atomic<uint32_t> start_{0};
};

}  // namespace rnnc
