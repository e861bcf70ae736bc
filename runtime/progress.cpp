// How training shows where it is.
#include "runtime/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace rnnc {
namespace {

constexpr std::chrono::milliseconds kBetweenLines{100};

// Signs in a line of the terminal; a line that is longer could not be written over. 0: not known.
size_t terminal_width(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

ProgressMode progress_mode(std::FILE* out, bool quiet) {
  if (quiet) return ProgressMode::Quiet;
  return ::isatty(::fileno(out)) != 0 ? ProgressMode::Moving : ProgressMode::Lines;
}

std::string thousands(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string duration_text(double seconds) {
  const auto s = static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
}

std::string progress_text(int64_t epoch, int64_t epochs, int64_t step, int64_t steps, double loss,
                          double rows_per_second, double seconds_left) {
  return fmt::format("epoch {}/{}  step {}/{}  loss {:.4g}  {} rows/s  {} left", epoch, epochs, step, steps,
                     loss, thousands(rows_per_second), duration_text(seconds_left));
}

Progress::Progress(std::FILE* out, ProgressMode mode, int64_t epochs, int64_t steps_per_epoch)
    : out_(out),
      mode_(mode),
      epochs_(epochs),
      steps_per_epoch_(steps_per_epoch),
      epoch_start_(Clock::now()) {}

Progress::~Progress() {
  clear();
}

void Progress::begin_epoch(int64_t epoch, int64_t first_step) {
  epoch_ = epoch;
  first_step_ = first_step;
  rows_ = 0;
  epoch_start_ = Clock::now();
}

void Progress::step(int64_t step, double loss, int64_t rows) {
  rows_ += rows;
  if (mode_ != ProgressMode::Moving) return;
  const Clock::time_point now = Clock::now();
  if (now - last_written_ < kBetweenLines && step != steps_per_epoch_) return;
  last_written_ = now;
  const double done = static_cast<double>(std::max<int64_t>(step - first_step_, 1));
  const auto steps_left = static_cast<double>(steps_per_epoch_ - step +
                                              steps_per_epoch_ * std::max<int64_t>(epochs_ - epoch_, 0));
  std::string text = progress_text(epoch_, epochs_, step, steps_per_epoch_, loss, rows_per_second(),
                                   seconds() / done * steps_left);
  if (const size_t room = terminal_width(out_); room > 0 && text.size() >= room) text.resize(room - 1);
  // Blanks wipe what a longer line before left.
  fmt::print(out_, "\r{:<{}}", text, width_);
  std::fflush(out_);
  width_ = std::max(width_, text.size());
}

void Progress::line(const std::string& text) {
  if (mode_ == ProgressMode::Quiet) return;
  clear();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

double Progress::rows_per_second() const {
  const double elapsed = seconds();
  return elapsed > 0 ? static_cast<double>(rows_) / elapsed : 0;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - epoch_start_).count();
}

void Progress::clear() {
  if (width_ == 0) return;
  fmt::print(out_, "\r{:<{}}\r", "", width_);
  std::fflush(out_);
  width_ = 0;
}

}  // namespace rnnc
