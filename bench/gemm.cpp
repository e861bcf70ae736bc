// Products and weight gradients in GFLOP/s and in per cent of the peak measured next to them.
//
//   gemm [target]        e.g. gemm avx2
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "codegen/jit.h"
#include "codegen/peak.h"
#include "runtime/arena.h"

namespace rnnc {
namespace {

struct Bench {
  explicit Bench(const Target& target) : jit(target) {}

  Jit jit;
  Team team{1};

  // The best of many short runs, and the peak in between: other programs disturb both alike.
  void measure(const std::string& what, double flops, const std::function<void()>& work) {
    double best = 0, peak = 0;
    for (int round = 0; round < 6; ++round) {
      peak = std::max(peak, measure_peak_gflops(jit, team));
      int64_t turns = std::max<int64_t>(1, int64_t(3e7 / flops));
      for (int run = 0; run < 10; ++run) {
        auto began = std::chrono::steady_clock::now();
        team.run([&](int) {
          for (int64_t turn = 0; turn < turns; ++turn) work();
        });
        std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        best = std::max(best, flops * double(turns) / took.count() * 1e-9);
      }
    }
    fmt::print("{:<44} {:7.1f} GFLOP/s  {:5.1f} % of {:.0f}\n", what, best, 100 * best / peak, peak);
  }

  // rows x k times k x (chunks * 16 * panels); the body copies the product
  void product(int parts, int chunks, int64_t rows, int64_t k, int64_t n) {
    Kernel kernel;
    kernel.operands = 2 + parts;
    kernel.product = {parts, chunks, {0}, {1}, 0};
    for (int p = 0; p < parts; ++p) {
      kernel.body.push_back({.code = Instr::Part, .operand = int16_t(p)});
      kernel.body.push_back({.code = Instr::Store, .a = int16_t(2 * p), .operand = int16_t(2 + p)});
    }
    KernelFn fn = jit.compile(std::span(&kernel, 1))[0];
    PanelLayout layout{parts, chunks};
    int64_t lda = (k + 15) / 16 * 16 + 16, ldc = n * parts + 16;
    Arena arena(size_t(rows * lda + layout.floats(k, n) + rows * ldc) * 4);
    float *a = arena.floats(), *b = a + rows * lda, *c = b + layout.floats(k, n);
    std::vector<void*> data{a, b};
    std::vector<int64_t> stride{lda, 0};
    for (int p = 0; p < parts; ++p) data.push_back(c + p * n), stride.push_back(ldc);
    KernelArgs args{data.data(), stride.data(), &rows, &k, nullptr, 0, n};
    measure(fmt::format("product {} rows, k {}, {} x {} columns", rows, k, parts, n),
            2.0 * double(rows * k * n * parts), [&] { fn(&args, 0, rows); });
  }

  // segments of `rows` rows each: x [rows * steps, k] transposed times d [rows * steps, n]
  void gradient(int chunks, int64_t rows, int64_t steps, int64_t k, int64_t n) {
    Kernel kernel;
    kernel.kind = KernelKind::WeightGradient;
    kernel.operands = 3;
    kernel.chunks = chunks;
    KernelFn fn = jit.compile(std::span(&kernel, 1))[0];
    int64_t ldx = k + 16, ldd = n + 16, all = rows * steps;
    Arena arena(size_t(all * ldx + all * ldd + k * ldd) * 4);
    float *x = arena.floats(), *d = x + all * ldx, *dw = d + all * ldd;
    std::vector<void*> data{x, d, dw};
    std::vector<int64_t> stride{ldx, ldd, ldd};
    std::vector<Segment> segments;
    for (int64_t t = 0; t < steps; ++t) segments.push_back({t * rows, t * rows, rows});
    KernelArgs args{data.data(), stride.data(), &rows, &k, segments.data(), steps, n};
    int64_t units = unit_count(kernel, args, jit.target());
    measure(fmt::format("gradient {} x {} rows, {} x {}", steps, rows, k, n), 2.0 * double(all * k * n),
            [&] { fn(&args, 0, units); });
  }
};

}  // namespace
}  // namespace rnnc

int main(int argc, char** argv) {
  using namespace rnnc;
  Bench bench(target_by_name(argc > 1 ? argv[1] : "host"));
  setvbuf(stdout, nullptr, _IOLBF, 0);
  fmt::print("target {}\n", bench.jit.target().name);
  for (int64_t k : {96, 128, 256}) bench.product(1, 4, 6, k, 64);  // 6x4 tiles alone
  for (int64_t k : {96, 128, 256}) bench.product(1, 3, 8, k, 48);  // 8x3
  for (int64_t k : {96, 128, 256}) bench.product(1, 2, 8, k, 32);
  for (int64_t k : {96, 128, 256}) bench.product(1, 1, 8, k, 16);
  for (int64_t rows : {1, 2, 3, 4, 5, 12, 64}) bench.product(4, 1, rows, 256, 256);
  bench.product(3, 1, 64, 256, 256);
  bench.product(6, 1, 64, 256, 256);
  bench.product(1, 4, 64, 1024, 256);
  bench.gradient(4, 64, 1, 256, 1024);
  bench.gradient(4, 64, 16, 256, 1024);
  bench.gradient(4, 12, 60, 64, 256);
  bench.gradient(4, 1280, 1, 480, 2048);
  return 0;
}
