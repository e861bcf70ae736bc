// Question: what does it cost to bring rows to others by an index, and to collect them there?
// 20,000 source rows of C columns and 64 or 2,000 target rows: scatter_add, scatter_max, gather in front of
// element-wise work, by an index that is random or has runs (the rows of a space inside others), on one and
// two threads.
//
//   build/bench/bench_scatter
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "ir/parse.h"
#include "passes/pipeline.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

constexpr int64_t kSources = 20'000;

/// A program over `d` [kSources, cols], `t` [targets, cols] and `i`, with the root `y`.
class Program {
 public:
  Program(const std::string& op, int64_t cols, int64_t targets, bool runs, int threads)
      : jit_(host_target()), team_(threads) {
    std::string text = fmt::format(
        "%0 = input \"d\" : f32[{0}, {1}]\n%1 = input \"t\" : f32[{2}, {1}]\n%2 = input \"i\" : i32[{0}, "
        "1]\n",
        kSources, cols, targets);
    if (op == "gather") {
      text +=
          fmt::format("%3 = gather %1 %2 : f32[{0}, {1}]\n%4 = mul %3 %0 : f32[{0}, {1}]\n", kSources, cols);
      text += "output \"y\" %4\n";
    } else {
      text += fmt::format("%3 = {} %0 %2 : f32[{}, {}]\noutput \"y\" %3\n", op, targets, cols);
    }
    const Graph graph = run_pipeline(parse_graph({"bench", text}), {});
    Plan plan = make_plan(graph, {jit_.target(), 1, {}, {}});
    plan.program.kernels = jit_.compile(plan.kernels);
    session_ = std::make_unique<Session>(std::move(plan.program), variables_);
    session_->set_rows({1, {}});
    const Random numbers(1, 2);
    d_.resize(size_t(kSources * cols));
    t_.resize(size_t(targets * cols));
    for (size_t k = 0; k < d_.size(); ++k) d_[k] = numbers.normal(k);
    for (size_t k = 0; k < t_.size(); ++k) t_[k] = numbers.normal(k);
    for (int64_t r = 0; r < kSources; ++r)
      i_.push_back(int32_t(runs ? r * targets / kSources : numbers.below(uint64_t(r), uint64_t(targets))));
  }
  void set() {
    session_->set_input("d", std::span<const float>(d_));
    session_->set_input("t", std::span<const float>(t_));
    session_->set_input("i", std::span<const int32_t>(i_));
  }
  void run() { session_->run(team_); }

 private:
  Jit jit_;
  Team team_;
  Variables variables_;
  std::unique_ptr<Session> session_;
  std::vector<float> d_, t_;
  std::vector<int32_t> i_;
};

void measure(benchmark::State& state, const std::string& op) {
  Program program(op, state.range(0), state.range(1), state.range(2) != 0, int(state.range(3)));
  for (auto _ : state) {
    state.PauseTiming();
    program.set();  // the program may have used the place of its inputs
    state.ResumeTiming();
    program.run();
  }
  state.counters["source row"] = benchmark::Counter(
      double(kSources * state.iterations()), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_scatter_add(benchmark::State& state) {
  measure(state, "scatter_add");
}
void BM_scatter_max(benchmark::State& state) {
  measure(state, "scatter_max");
}
void BM_gather(benchmark::State& state) {
  measure(state, "gather");
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"C", "targets", "runs", "threads"});
  b->ArgsProduct({{1, 16, 128}, {64, 2000}, {0, 1}, {1, 2}});
  b->Unit(benchmark::kMicrosecond)->UseRealTime();
}
BENCHMARK(BM_scatter_add)->Apply(shapes);
BENCHMARK(BM_scatter_max)->Apply(shapes);
BENCHMARK(BM_gather)->Apply(shapes);

}  // namespace
}  // namespace rnnc
