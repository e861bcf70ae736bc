// Question: is the generated training step of an LSTM faster than one written by hand with Eigen? Both
// compute the same numbers from the same parameters (checked before anything is timed), one thread.
//
//   build-bench/bench/bench_lstm
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "bench/lstm_eigen.h"
#include "driver/compile.h"
#include "driver/synthetic.h"
#include "frontend/check.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

struct Case {
  int steps, batch, inputs, hidden;
};

constexpr float kRate = 1e-3f;

/// The same network in the language: squared error of every hidden state.
std::string model_text(const Case& c) {
  return fmt::format(R"(
dim E = {}, H = {}
data d {{
  read "x.npy", "y.npy" as npy
  x: [T, E] = number(col(1))
  y: [T, H] = number(col(2))
}}
model m(x: [T, E]) -> (h: [T, H]) {{
  h = scan lstm[H] over x
}}
train m on d {{
  loss      squared_error(h, y)
  optimizer sgd(rate = 1e-3)
  epochs    1
}}
)",
                     c.inputs, c.hidden);
}

/// Both rivals on one batch.
struct Rivals {
  explicit Rivals(const Case& c)
      : eigen(c.steps, c.batch, c.inputs, c.hidden),
        x(random(size_t(c.steps) * size_t(c.batch) * size_t(c.inputs))),
        y(random(size_t(c.steps) * size_t(c.batch) * size_t(c.hidden))),
        jit(host_target()),
        team(1) {
    const Source source{"bench.rnn", model_text(c)};
    const Checked checked = check(source);
    const ast::Train* train = nullptr;
    const ast::DataBlock* data = nullptr;
    for (const ast::Item& item : checked.file.items) {
      if (const auto* t = std::get_if<ast::Train>(&item)) train = t;
      if (const auto* d = std::get_if<ast::DataBlock>(&item)) data = d;
    }
    const LowerInput input{checked.file,
                           checked.library,
                           source,
                           checked.library_source,
                           {{"E", c.inputs}, {"H", c.hidden}},
                           {"T"},
                           {-1},
                           {}};
    const Lowered lowered = lower(input, "m", train, data, nullptr);
    CompileOptions options;
    options.batch_capacity = c.batch;
    options.time_steps = {c.steps};
    Compiled compiled = compile(lowered, options, jit);
    flop = flops(build_graph(lowered, options), SyntheticBatch(lowered.model, c.batch, {c.steps}, 0).rows());
    session = std::make_unique<Session>(std::move(compiled.plan.program), variables);
    for (int t = 0; t <= c.steps; ++t) offsets.push_back(int64_t(t) * c.batch);
    session->set_rows({c.batch, {offsets.data()}});
    const char* gates[] = {"i", "f", "g", "o"};
    for (int k = 0; k < 4; ++k) {
      set(fmt::format("h.lstm.W{}", gates[k]), eigen.get('W', k));
      set(fmt::format("h.lstm.U{}", gates[k]), eigen.get('U', k));
      set(fmt::format("h.lstm.b{}", gates[k]), eigen.get('b', k));
    }
  }

  static std::vector<float> random(size_t n) {
    const Random numbers(1, 2);
    std::vector<float> values(n);
    for (size_t i = 0; i < n; ++i) values[i] = numbers.normal(i);
    return values;
  }

  void set(const std::string& name, const std::vector<float>& values) {
    auto to = variables.at(name).values();
    std::copy(values.begin(), values.end(), to.begin());
  }

  float rnnc_step() {
    session->set_input("x", std::span<const float>(x));
    session->set_input("y", std::span<const float>(y));
    session->set_input(kRateInput, std::span<const float>(&kRate, 1));
    session->run(team);
    return session->scalar("loss");
  }

  bench::EigenLstm eigen;
  std::vector<float> x, y;
  Jit jit;
  Team team;
  Variables variables;
  std::unique_ptr<Session> session;
  std::vector<int64_t> offsets;
  int64_t flop = 0;
};

Case case_of(const benchmark::State& state) {
  return {int(state.range(0)), int(state.range(1)), int(state.range(2)), int(state.range(3))};
}

void report(benchmark::State& state, int64_t flop) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(double(flop) * 1e-9 * double(state.iterations()), benchmark::Counter::kIsRate);
}

void check_equal(Rivals& r, benchmark::State& state) {
  for (int i = 0; i < 2; ++i) {
    const float a = r.rnnc_step(), b = r.eigen.train_step(r.x, r.y, kRate);
    if (std::abs(a - b) > 1e-4f * std::abs(b))
      state.SkipWithError(fmt::format("the losses differ: {} and {}", a, b).c_str());
  }
}

void BM_rnnc(benchmark::State& state) {
  Rivals r(case_of(state));
  check_equal(r, state);
  for (auto _ : state) benchmark::DoNotOptimize(r.rnnc_step());
  report(state, r.flop);
}

void BM_eigen(benchmark::State& state) {
  Rivals r(case_of(state));
  check_equal(r, state);
  for (auto _ : state) benchmark::DoNotOptimize(r.eigen.train_step(r.x, r.y, kRate));
  report(state, r.flop);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"T", "B", "I", "H"});
  for (const auto& s :
       {std::vector<int64_t>{16, 1, 64, 128}, {20, 20, 200, 200}, {50, 32, 64, 256}, {25, 32, 512, 512}})
    b->Args(s);
  b->Unit(benchmark::kMillisecond)->Repetitions(3)->ReportAggregatesOnly(true);
}
BENCHMARK(BM_rnnc)->Apply(shapes);
BENCHMARK(BM_eigen)->Apply(shapes);

}  // namespace
}  // namespace rnnc
