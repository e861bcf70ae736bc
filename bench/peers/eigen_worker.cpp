// The LSTM written by hand with Eigen (bench/lstm_eigen.h) among the peers: training, one thread.
#include <fmt/format.h>

#include "bench/lstm_eigen.h"
#include "bench/peers/worker.h"

namespace rnnc::peers {
namespace {

class Eigen : public Peer {
 public:
  explicit Eigen(const Job& job) : job_(job), lstm_(job.steps, job.batch, job.inputs, job.hidden) {
    for (const auto& [name, parameter, gate] : parts()) lstm_.set(parameter, gate, job.parameter(name));
  }

  float step(float rate) override { return lstm_.train_step(job_.x, job_.y, rate); }

  Results results() override {
    Results all;
    for (const auto& [name, parameter, gate] : parts()) all[name] = lstm_.get(parameter, gate);
    return all;
  }

 private:
  struct Part {
    std::string name;
    char parameter;
    int gate;
  };
  static std::vector<Part> parts() {
    std::vector<Part> list;
    for (const char parameter : {'W', 'U', 'b'}) {
      for (int gate = 0; gate < 4; ++gate) list.push_back({{parameter, "ifgo"[gate]}, parameter, gate});
    }
    return list;
  }

  const Job& job_;
  bench::EigenLstm lstm_;
};

}  // namespace
}  // namespace rnnc::peers

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: peer_eigen FOLDER");
    const rnnc::peers::Job job(argv[1]);
    if (job.cell != "lstm" || !job.train || job.threads != 1)
      throw std::runtime_error("this is an LSTM, to be trained by one thread");
    rnnc::peers::Eigen peer(job);
    return serve(peer, job, "eigen", "");
  } catch (const std::exception& e) {
    fmt::print(stderr, "peer_eigen: {}\n", e.what());
    return 1;
  }
}
