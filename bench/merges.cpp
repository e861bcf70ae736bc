// Question: when does a merge of products pay? The cost rules of passes/fuse_sums.cpp and
// passes/fuse_gates.cpp stand on these numbers. Each pair of lines is one small program with the merge and
// without, one thread.
//
//   join    tanh(a·A + b·B), a and b [rows, K] given from outside, A and B [K, N]: joined along K, both must
//           be copied beside each other first
//   gates   tanh(x·A) and sigmoid(x·B), A [K, N], B [K, 1]: joined along N, the parts are unequal, so neither
//           is computed in the product's kernel
//
//   build/bench/bench_merges --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "ir/parse.h"
#include "passes/passes.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

constexpr int kRows = 32;

class Program {
 public:
  explicit Program(const Graph& graph) : jit_(host_target()), team_(1) {
    Plan plan = make_plan(fuse_pointwise(legalize(dce(graph))), {jit_.target(), 1, {}, {}});
    plan.program.kernels = jit_.compile(plan.kernels);
    session_ = std::make_unique<Session>(std::move(plan.program), variables_);
    session_->set_rows({1, {}});
    const Random numbers(1, 2);
    for (const auto& [name, variable] : variables_.all())
      for (size_t i = 0; i < variable->data.size(); ++i) variable->data[i] = 0.1F * numbers.normal(i);
    for (size_t i = 0; i < given_.size(); ++i) given_[i] = numbers.normal(i);
  }
  void run(int64_t cols) {
    const std::span<const float> values(given_.data(), size_t(kRows * cols));
    for (const char* name : {"a", "b", "x"})
      if (session_->has_input(name)) session_->set_input(name, values);
    session_->run(team_);
  }

 private:
  Jit jit_;
  Team team_;
  Variables variables_;
  std::unique_ptr<Session> session_;
  std::vector<float> given_ = std::vector<float>(size_t(kRows) * 1024);
};

/// The joined form is written out: what the passes decide today must not change what is measured.
Graph join(int K, int N, bool merged) {
  std::string text = fmt::format(
      "%0 = input \"a\" : f32[{0}, {1}]\n%1 = input \"b\" : f32[{0}, {1}]\n%2 = variable \"A\" : f32[{1}, "
      "{2}]\n%3 = variable \"B\" : f32[{1}, {2}]\n",
      kRows, K, N);
  text += merged ? fmt::format(
                       "%4 = concat_cols %0 %1 : f32[{0}, {3}]\n%5 = concat_rows %2 %3 : f32[{3}, {2}]\n"
                       "%6 = matmul %4 %5 : f32[{0}, {2}]\n",
                       kRows, K, N, 2 * K)
                 : fmt::format(
                       "%4 = matmul %0 %2 : f32[{0}, {1}]\n%5 = matmul %1 %3 : f32[{0}, {1}]\n%6 = add "
                       "%4 %5 : f32[{0}, {1}]\n",
                       kRows, N);
  text += fmt::format("%7 = tanh %6 : f32[{}, {}]\noutput \"y\" %7\n", kRows, N);
  return parse_graph({"bench", text});
}

Graph gates(int K, int N, bool merged) {
  std::string text = fmt::format(
      "%0 = input \"x\" : f32[{0}, {1}]\n%1 = variable \"A\" : f32[{1}, {2}]\n%2 = variable \"B\" : f32[{1}, "
      "1]\n",
      kRows, K, N);
  const int first = merged ? 5 : 3;
  text += merged
              ? fmt::format(
                    "%3 = concat_cols %1 %2 : f32[{1}, {3}]\n%4 = matmul %0 %3 : f32[{0}, {3}]\n"
                    "%5 = slice_cols %4 : f32[{0}, {2}]\n%6 = slice_cols %4 {{offset={2}}} : "
                    "f32[{0}, 1]\n",
                    kRows, K, N, N + 1)
              : fmt::format("%3 = matmul %0 %1 : f32[{0}, {1}]\n%4 = matmul %0 %2 : f32[{0}, 1]\n", kRows, N);
  text += fmt::format(
      "%{2} = tanh %{4} : f32[{0}, {1}]\n%{3} = sigmoid %{5} : f32[{0}, 1]\noutput \"y\" %{2}\n"
      "output \"z\" %{3}\n",
      kRows, N, first + 2, first + 3, first, first + 1);
  return parse_graph({"bench", text});
}

void run(benchmark::State& state, Graph (*make)(int, int, bool)) {
  const auto K = int(state.range(0)), N = int(state.range(1));
  Program program(make(K, N, state.range(2) != 0));
  for (auto _ : state) program.run(K);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"K", "N", "merged"});
  for (const int K : {4, 16, 64, 256, 1024})
    for (const int N : {1, 4, 16, 64, 256})
      for (const int merged : {0, 1}) b->Args({K, N, merged});
}
BENCHMARK_CAPTURE(run, join, join)->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, gates, gates)->Apply(sizes)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rnnc
