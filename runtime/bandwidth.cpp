// The triad of the STREAM benchmark.
#include "runtime/bandwidth.h"

#include <algorithm>
#include <chrono>

#include "runtime/arena.h"

namespace rnnc {

double measure_bandwidth(Team& team, size_t bytes) {
  size_t n = bytes / sizeof(float) / 3;
  Arena arena(3 * n * sizeof(float));
  float *a = arena.floats(), *b = a + n, *c = b + n;
  size_t threads = size_t(team.size());
  double best = 0;
  for (int run = 0; run < 5; ++run) {  // the first one touches the pages
    auto began = std::chrono::steady_clock::now();
    team.run([&](int thread) {
      size_t end = n * size_t(thread + 1) / threads;
      for (size_t i = n * size_t(thread) / threads; i < end; ++i) a[i] = b[i] + 3.0f * c[i];
    });
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (run > 0) best = std::max(best, double(3 * n * sizeof(float)) / took.count() * 1e-9);
  }
  return best;
}

}  // namespace rnnc
