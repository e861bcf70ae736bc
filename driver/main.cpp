// The program: everything happens in driver/command_line.h.
#include <malloc.h>

#include <limits>

#include "driver/command_line.h"

int main(int argc, char** argv) {
  // Every pass makes a graph and frees the one before. Given back to the system each time, its pages would
  // have to be cleared again for the next: a quarter of the time of the passes.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  return rnnc::run_command_line(argc, argv);
}
