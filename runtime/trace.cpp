// Where the time went: see trace.h.
#include "runtime/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>

#include "runtime/files.h"

namespace rnnc {

Trace::Trace(int threads, int64_t most_kernels)
    : most_kernels_(most_kernels), lists_(static_cast<size_t>(threads)) {}

int32_t Trace::name(const std::string& text) {
  const auto [found, is_new] = numbers_.emplace(text, static_cast<int32_t>(names_.size()));
  if (is_new) names_.push_back(text);
  return found->second;
}

bool Trace::wants_kernels() const {
  size_t count = 0;
  for (const List& list : lists_) count += list.events.size();
  return static_cast<int64_t>(count) < most_kernels_;
}

void Trace::stage(const std::string& text, Clock::time_point begin, Clock::time_point end) {
  stages_.push_back({name(text), begin, end});
}

void Trace::write(const std::string& path) const {
  std::vector<std::string> quoted;
  for (const std::string& text : names_)
    quoted.push_back(nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::string out = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  const auto thread_name = [&](size_t number, const std::string& text) {
    out +=
        fmt::format(R"({{"ph": "M", "name": "thread_name", "pid": 1, "tid": {}, "args": {{"name": "{}"}}}})",
                    number, text);
  };
  const auto micro = [](Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
  };
  const auto put = [&](const Event& event, size_t thread, const char* kind) {
    out += fmt::format(
        R"(,{}{{"ph": "X", "cat": "{}", "name": {}, "pid": 1, "tid": {}, "ts": {:.3f}, "dur": {:.3f}}})",
        '\n', kind, quoted[static_cast<size_t>(event.name)], thread, micro(event.begin - start_),
        micro(event.end - event.begin));
  };
  thread_name(0, "stages");
  for (size_t thread = 0; thread < lists_.size(); ++thread) {
    out += ",\n";
    thread_name(thread + 1, fmt::format("thread {}", thread));
  }
  for (const Event& event : stages_) put(event, 0, "stage");
  for (size_t thread = 0; thread < lists_.size(); ++thread)
    for (const Event& event : lists_[thread].events) put(event, thread + 1, "kernel");
  out += "\n]}\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span(out));
  replace_file(path, std::span(&bytes, 1));
}

}  // namespace rnnc
