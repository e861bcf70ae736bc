// rnnc among its peers: the model of a job, compiled as `rnnc train` and `rnnc predict` do.
//
//   peer_rnnc FOLDER               serves (see worker.h)
//   peer_rnnc --parameters FOLDER  their names and sizes as JSON, for the conductor
//
// Commands of its own: `machine`, peak GFLOP/s and GB/s of its threads; `where`, microseconds of each command
// of a step.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <numeric>

#include "bench/peers/worker.h"
#include "codegen/peak.h"
#include "driver/compile.h"
#include "driver/synthetic.h"
#include "frontend/check.h"
#include "runtime/bandwidth.h"

namespace rnnc {
namespace {

using peers::Job;

/// The model of a job, lowered.
class Model {
 public:
  explicit Model(const Job& job) : source_{"peer.rnn", job.model}, checked_(check(source_)) {
    const ast::Train* train = nullptr;
    const ast::DataBlock* data = nullptr;
    const ast::Use* predict = nullptr;
    for (const ast::Item& item : checked_.file.items) {
      if (const auto* t = std::get_if<ast::Train>(&item)) train = t;
      if (const auto* d = std::get_if<ast::DataBlock>(&item)) data = d;
      if (const auto* u = std::get_if<ast::Use>(&item)) predict = u;
    }
    const LowerInput input{checked_.file,
                           checked_.library,
                           source_,
                           checked_.library_source,
                           {{"E", job.inputs}, {"H", job.hidden}, {"V", job.vocabulary}},
                           {"T"},
                           {-1},
                           {}};
    lowered = lower(input, "m", train, data, predict);
    options.kind = job.train ? ProgramKind::Train : ProgramKind::Predict;
    options.batch_capacity = job.batch;
    options.time_steps = {job.steps};
    options.optimizer.clip_norm = job.clip;
  }

  Lowered lowered;
  CompileOptions options;

 private:
  Source source_;
  Checked checked_;
};

/// Of one layer `h.lstm.Wi` is `Wi` for all.
std::string short_name(const Job& job, const std::string& name) {
  if (job.vocabulary > 0) return name;
  size_t at = name.find('.');
  at = name.find('.', at + 1);
  return name.substr(at + 1);
}

class Rnnc : public peers::Peer {
 public:
  explicit Rnnc(const Job& job) : job_(job), jit_(host_target()), team_(job.threads) {
    const Model model(job);
    Compiled compiled = compile(model.lowered, model.options, jit_);
    report_ = compiled.report;
    const SyntheticBatch batch(model.lowered.model, job.batch, {job.steps}, 0);
    flop_ = flops(build_graph(model.lowered, model.options), batch.rows());
    session_ = std::make_unique<Session>(std::move(compiled.plan.program), variables_);
    for (int t = 0; t <= job.steps; ++t) offsets_.push_back(int64_t(t) * job.batch);
    session_->set_rows({job.batch, {offsets_.data()}});
    for (const auto& [name, variable] : variables_.all()) {
      const std::vector<float> values = job.parameter(short_name(job, name));
      std::ranges::copy(values, variable->values().begin());
    }
    if (job.train) return;
    shown_ = model.lowered.shows.at(0).root;
    session_->hold();
  }

  float step(float rate) override {
    set_inputs(rate);
    session_->run(team_);
    return job_.train ? session_->scalar("loss") : 0;
  }

  peers::Results results() override {
    if (!job_.train) return {{"h", session_->output(shown_)}};
    peers::Results all;
    for (const auto& [name, variable] : variables_.all())
      all[short_name(job_, name)].assign(variable->values().begin(), variable->values().end());
    return all;
  }

  nlohmann::json facts() override { return {{"flop", flop_}, {"compile_ms", report_.total_ms}}; }

  nlohmann::json answer(const std::string& command) override {
    if (command == "where") return where();
    if (command != "machine") return Peer::answer(command);
    return {{"gflops", measure_peak_gflops(jit_, team_)}, {"gbs", measure_bandwidth(team_)}};
  }

 private:
  void set_inputs(float rate) {
    if (job_.vocabulary > 0) {
      session_->set_input("x", std::span<const int32_t>(job_.x_ids));
      session_->set_input("y", std::span<const int32_t>(job_.y_ids));
    } else {
      session_->set_input("x", std::span<const float>(job_.x));
      session_->set_input("y", std::span<const float>(job_.y));
    }
    session_->set_input(kRateInput, std::span<const float>(&rate, 1));
  }

  /// Microseconds of each command of a step (all turns of its loop), the dearest first.
  nlohmann::json where() {
    constexpr int kSteps = 20;
    std::vector<double> seconds;
    for (int i = 0; i < kSteps; ++i) {
      set_inputs(0);
      session_->run_timed(seconds);
    }
    std::vector<size_t> order(seconds.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::sort(order, [&](size_t a, size_t b) { return seconds[a] > seconds[b]; });
    nlohmann::json list = nlohmann::json::array();
    for (const size_t i : order) {
      const Command& c = session_->program().commands[i];
      const std::string kind = c.kernel >= 0 ? fmt::format("kernel {}", c.kernel) : "copy";
      list.push_back({kind, c.name, 1e6 * seconds[i] / kSteps});
    }
    return list;
  }

  const Job& job_;
  Jit jit_;
  Team team_;
  Variables variables_;
  std::unique_ptr<Session> session_;
  std::vector<int64_t> offsets_;
  CompileReport report_;
  std::string shown_;  // the output of a forward pass
  int64_t flop_ = 0;
};

void print_parameters(const Job& job) {
  nlohmann::json list = nlohmann::json::array();
  const Model model(job);
  for (const Parameter& p : model.lowered.model.parameters)
    list.push_back({{"name", short_name(job, p.name)}, {"rows", p.rows}, {"cols", p.cols}});
  std::cout << list.dump() << '\n';
}

int run(int argc, char** argv) {
  const bool ask = argc == 3 && std::string(argv[1]) == "--parameters";
  if (argc != 2 && !ask) {
    fmt::print(stderr, "usage: peer_rnnc [--parameters] FOLDER\n");
    return 2;
  }
  const Job job(argv[argc - 1]);
  if (ask) {
    print_parameters(job);
    return 0;
  }
  Rnnc peer(job);
  return serve(peer, job, "rnnc", "");
}

}  // namespace
}  // namespace rnnc

int main(int argc, char** argv) {
  try {
    return rnnc::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "peer_rnnc: {}\n", e.what());
    return 1;
  }
}
