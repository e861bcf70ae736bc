// Question: does cross entropy over a large vocabulary read its scores once and write their gradient once?
// The loss and the gradient by the scores, against doubling the same scores (which does no more than that),
// in one run on one thread.
//
//   build/bench/bench_softmax
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <memory>

#include "driver/compile.h"
#include "frontend/check.h"
#include "passes/differentiate.h"
#include "runtime/bandwidth.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

/// loss = cross_entropy(s, y) of rows of scores that are given.
Lowered lower_loss(int64_t vocabulary) {
  const std::string text = R"(
data d {
  read "s.npy", "y.npy" as npy
  s: [V] = number(col(1))
  y: V   = category(col(2))
}
model m(s: [V]) -> (p: [V]) {
  p = s
}
train m on d {
  loss      cross_entropy(p, y)
  optimizer sgd(rate = 1)
  epochs    1
}
)";
  const Source source{"bench.rnn", text};
  const Checked checked = check(source);
  const ast::Train* train = nullptr;
  const ast::DataBlock* data = nullptr;
  for (const ast::Item& item : checked.file.items) {
    if (const auto* t = std::get_if<ast::Train>(&item)) train = t;
    if (const auto* d = std::get_if<ast::DataBlock>(&item)) data = d;
  }
  const LowerInput input{
      checked.file, checked.library, source, checked.library_source, {{"V", vocabulary}}, {}, {}};
  return lower(input, "m", train, data, nullptr);
}

/// A program over scores `s` [rows, vocabulary] with the root `d` of the same shape.
class Program {
 public:
  Program(int64_t rows, int64_t vocabulary, bool loss) : jit_(host_target()), team_(1) {
    CompileOptions options;
    options.batch_capacity = rows;
    Graph graph = forward_graph(lower_loss(vocabulary), options);
    const NodeId s = graph.input("s", {Type::F32, Rows::batch(), int32_t(vocabulary)});
    if (loss) graph.roots.push_back({"d", differentiate(graph, graph.roots.at(0).node, std::array{s})[0]});
    else graph.roots = {{"d", graph.binary(Op::Mul, s, graph.constant(2))}};
    session_ = std::make_unique<Session>(compile(graph, options, {}, jit_).plan.program, variables_);
    session_->set_rows({rows, {}});
    const Random numbers(1, 2);
    s_.resize(size_t(rows * vocabulary));
    for (size_t i = 0; i < s_.size(); ++i) s_[i] = numbers.normal(i);
    y_.resize(size_t(rows));
    for (size_t r = 0; r < y_.size(); ++r) y_[r] = int32_t(numbers.below(r, uint64_t(vocabulary)));
  }

  void set() {
    session_->set_input("s", std::span<const float>(s_));
    if (session_->has_input("y")) session_->set_input("y", std::span<const int32_t>(y_));
  }
  void run() { session_->run(team_); }
  Team& team() { return team_; }

 private:
  Jit jit_;
  Team team_;
  Variables variables_;
  std::unique_ptr<Session> session_;
  std::vector<float> s_;
  std::vector<int32_t> y_;
};

/// Bytes a second, if the scores are read once and their gradient is written once; and the share of what
/// memory gives to a[i] = b[i] + s * c[i].
void measure(benchmark::State& state, bool loss) {
  const int64_t rows = state.range(0), vocabulary = state.range(1);
  Program program(rows, vocabulary, loss);
  const double bandwidth = measure_bandwidth(program.team()) * 1e9;
  for (auto _ : state) {
    state.PauseTiming();
    program.set();  // the program may have used the place of its inputs
    state.ResumeTiming();
    program.run();
  }
  const double bytes = double(rows * vocabulary) * 2 * sizeof(float) * double(state.iterations());
  state.counters["bytes/s"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate);
  state.counters["of memory"] = benchmark::Counter(bytes / bandwidth, benchmark::Counter::kIsRate);
}

void BM_cross_entropy(benchmark::State& state) {
  measure(state, true);
}
void BM_twice_the_scores(benchmark::State& state) {
  measure(state, false);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "V"});
  for (const auto& s : {std::vector<int64_t>{700, 12950}, {700, 1000}, {700, 47}}) b->Args(s);
  b->Unit(benchmark::kMillisecond)->Repetitions(3)->ReportAggregatesOnly(true);
}
BENCHMARK(BM_cross_entropy)->Apply(shapes);
BENCHMARK(BM_twice_the_scores)->Apply(shapes);

}  // namespace
}  // namespace rnnc
