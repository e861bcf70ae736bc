// How training shows where it is: one line that moves on a terminal, one line an epoch in a log.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace rnnc {

enum class ProgressMode {
  Moving,  // a terminal: the line is written over
  Lines,   // a log: finished lines only
  Quiet    // nothing
};

/// Moving if `out` is a terminal, Quiet if asked for, else Lines.
ProgressMode progress_mode(std::FILE* out, bool quiet);

/// One training run. Times are of a steady clock.
class Progress {
 public:
  /// `epochs` and `steps_per_epoch` are for the display only.
  Progress(std::FILE* out, ProgressMode mode, int64_t epochs, int64_t steps_per_epoch);
  /// Clears a moving line that is left.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// An epoch (from 1) begins at step `first_step` (not 0 when training goes on).
  void begin_epoch(int64_t epoch, int64_t first_step = 0);
  /// Step `step` (from 1) is done: the loss so far and the rows of this step. Written at most ten times a
  /// second.
  void step(int64_t step, double loss, int64_t rows);
  /// A line that stays.
  void line(const std::string& text);

  /// Rows a second in this epoch so far.
  double rows_per_second() const;
  /// Seconds since the epoch began.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void clear();

  std::FILE* out_;
  ProgressMode mode_;
  int64_t epochs_;
  int64_t steps_per_epoch_;
  int64_t epoch_ = 0;
  int64_t first_step_ = 0;
  int64_t rows_ = 0;
  size_t width_ = 0;  // of the moving line that stands there
  Clock::time_point epoch_start_;
  Clock::time_point last_written_;
};

/// The moving line: "epoch 3/20  step 120/502  loss 0.8312  15,310 rows/s  12 s left".
std::string progress_text(int64_t epoch, int64_t epochs, int64_t step, int64_t steps, double loss,
                          double rows_per_second, double seconds_left);

/// "15,310"
std::string thousands(double value);

/// "12 s", "3 min 20 s", "2 h 5 min"
std::string duration_text(double seconds);

}  // namespace rnnc
