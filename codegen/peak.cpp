// Times the peak loop.
#include "codegen/peak.h"

#include <algorithm>
#include <chrono>

namespace rnnc {

double measure_peak_gflops(Jit& jit, Team& team) {
  Jit::Peak peak = jit.peak();
  constexpr int64_t turns = 200'000;  // about 3 ms
  double best = 0;
  for (int run = 0; run < 8; ++run) {
    auto began = std::chrono::steady_clock::now();
    team.run([&](int) {
      float sink = 0.5f;
      peak.run(turns, &sink);
    });
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    best = std::max(best, double(turns) * double(peak.flops) * team.size() / took.count() * 1e-9);
  }
  return best;
}

}  // namespace rnnc
