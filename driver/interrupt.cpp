// Ctrl-C: see interrupt.h. A signal handler sees nothing but globals, so one flag stands here.
#include "driver/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "driver/options.h"

namespace rnnc {
namespace {

volatile std::sig_atomic_t pressed = 0;

void on_interrupt(int) {
  if (pressed != 0) ::_exit(kInterrupted);
  pressed = 1;
}

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // files being written do not notice
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  pressed = 0;
  set_handler(on_interrupt);
  ::signal(SIGXFSZ, SIG_IGN);  // a file that may grow no more is an error of the write, not the end of us
}
InterruptGuard::~InterruptGuard() {
  set_handler(SIG_DFL);
}

bool InterruptGuard::requested() const {
  return pressed != 0;
}

}  // namespace rnnc
