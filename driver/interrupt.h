// Ctrl-C during training: the first asks to stop after this step, the second stops at once.
#pragma once

namespace rnnc {

/// While it lives, Ctrl-C is caught; afterwards it acts as before.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Ctrl-C was pressed since this was made.
  bool requested() const;
};

}  // namespace rnnc
