// Where the time went, in Chrome's trace format (chrome://tracing, ui.perfetto.dev): stages on the first
// thread, and each kernel on each thread under the name of its equation.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  /// Kernels are recorded until there are about `most_kernels` of them: a night's training has billions.
  explicit Trace(int threads, int64_t most_kernels = 500'000);

  /// A number for a name; the same name has the same number.
  int32_t name(const std::string& text);
  /// Whether kernels are still recorded; to be asked before a run, not by its threads.
  bool wants_kernels() const;
  /// A kernel ran. Every thread has a list of its own.
  void kernel(int thread, int32_t name, Clock::time_point begin, Clock::time_point end) {
    lists_[static_cast<size_t>(thread)].events.push_back({name, begin, end});
  }
  /// A stage of the program ended.
  void stage(const std::string& text, Clock::time_point begin, Clock::time_point end);

  /// Writes the file. Throws RunError.
  void write(const std::string& path) const;

 private:
  struct Event {
    int32_t name;
    Clock::time_point begin, end;
  };
  struct alignas(128) List {  // no two threads write to one cache line
    std::vector<Event> events;
  };

  Clock::time_point start_ = Clock::now();
  int64_t most_kernels_;
  std::vector<List> lists_;  // of kernels, by thread
  std::vector<Event> stages_;
  std::vector<std::string> names_;
  std::map<std::string, int32_t> numbers_;
};

/// A stage from here to the end of its scope; nothing without a trace.
class Stage {
 public:
  Stage(Trace* trace, std::string_view text) : trace_(trace), text_(text) {
    if (trace_ != nullptr) begin_ = Trace::Clock::now();
  }
  ~Stage() {
    if (trace_ != nullptr) trace_->stage(std::string(text_), begin_, Trace::Clock::now());
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 private:
  Trace* trace_;
  std::string_view text_;  // must live as long
  Trace::Clock::time_point begin_;
};

}  // namespace rnnc
