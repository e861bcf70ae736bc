// Team: spinning barriers while a run lasts, sleep between runs.
#include "runtime/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rnnc {
namespace {

// How long to wait awake. Where each thread has a processor: longer than another program's turn on one of
// them (some ms), since who sleeps at a barrier loses the processor to that program, and the step ten times
// its time. Where they share processors, who waits must let the others run.
constexpr std::chrono::microseconds kSpinAlone{5000}, kSpinShared{100};

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Until `value` is no longer `old`.
void wait_for_change(std::atomic<uint32_t>& value, uint32_t old, std::chrono::microseconds spin) {
  std::chrono::steady_clock::time_point give_up{};
  do {
    for (int turn = 0; turn < 64; ++turn) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause_briefly();
    }
    if (give_up == std::chrono::steady_clock::time_point{}) give_up = std::chrono::steady_clock::now() + spin;
  } while (std::chrono::steady_clock::now() < give_up);
  value.wait(old, std::memory_order_acquire);
}

// Processors this process may run on, hardware threads each; a large number if nobody knows.
int processors_in_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  return sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1 << 20;
}

// Cores this process may run on, hardware threads of one core counted once.
int cores_in_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return std::max(1u, std::thread::hardware_concurrency());
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    std::string siblings = "cpu" + std::to_string(cpu);
    std::ifstream file("/sys/devices/system/cpu/" + siblings + "/topology/thread_siblings_list");
    std::getline(file, siblings);
    cores.insert(siblings);
  }
  return std::max(1, int(cores.size()));
}

// Whole CPUs of a cgroup v2 directory's quota, rounded up; a large number without one.
int quota_of(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, int((std::stod(quota) + period - 1) / period));
}

int cpu_quota() {
  const std::string root = "/sys/fs/cgroup";
  int least = quota_of(root);
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    // the quota of each group on the way up counts
    for (std::string path = line.substr(3); path.size() > 1; path.resize(path.rfind('/')))
      least = std::min(least, quota_of(root + path));
  }
  return least;
}

}  // namespace

int default_thread_count() {
  return std::min(cores_in_mask(), cpu_quota());
}

FlushSubnormals::FlushSubnormals() {
#if defined(__x86_64__)
  old_ = _mm_getcsr();
  _mm_setcsr(unsigned(old_) | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(old_));
  asm volatile("msr fpcr, %0" : : "r"(old_ | (uint64_t{1} << 24)));
#else
#error "how does this processor flush subnormals?"
#endif
}

FlushSubnormals::~FlushSubnormals() {
#if defined(__x86_64__)
  _mm_setcsr(unsigned(old_));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(old_));
#endif
}

Team::Team(int threads, Trace* trace)
    : size_(threads),
      spin_(threads <= std::min(processors_in_mask(), cpu_quota()) ? kSpinAlone : kSpinShared),
      trace_(trace),
      process_(getpid()) {
  if (threads < 1) throw std::runtime_error("a team needs at least one thread");
  try {
    for (int t = 1; t < size_; ++t) threads_.emplace_back(&Team::serve, this, t);
  } catch (...) {
    stop();
    throw;
  }
}

Team::~Team() {
  stop();
}

void Team::stop() {
  if (getpid() != process_) {  // in a forked child there is nobody to wait for
    for (std::thread& t : threads_) t.detach();
    return;
  }
  stopping_ = true;
  start_.fetch_add(1, std::memory_order_release);
  start_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Team::serve(int thread) {
  for (uint32_t seen = 0;; ++seen) {
    start_.wait(seen, std::memory_order_acquire);
    if (stopping_) return;
    {
      FlushSubnormals flush;
      (*work_)(thread);
    }
    barrier();
  }
}

void Team::run(const std::function<void(int)>& work) {
  if (getpid() != process_)
    throw std::runtime_error(
        "this process was forked; threads do not survive that: make the program again here");
  work_ = &work;
  if (size_ > 1) {
    start_.fetch_add(1, std::memory_order_release);
    start_.notify_all();
  }
  {
    FlushSubnormals flush;
    work(0);
  }
  barrier();
}

void Team::barrier() {
  if (size_ == 1) return;
  uint32_t phase = phase_.load(std::memory_order_relaxed);  // cannot move on before this thread arrives
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == uint32_t(size_)) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
  } else {
    wait_for_change(phase_, phase, spin_);
  }
}

}  // namespace rnnc
