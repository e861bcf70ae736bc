// See worker.h.
#include "bench/peers/worker.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace rnnc::peers {

template <typename T>
static std::vector<T> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<T> values(std::filesystem::file_size(path) / sizeof(T));
  if (!file.read(reinterpret_cast<char*>(values.data()), std::streamsize(values.size() * sizeof(T))))
    throw std::runtime_error("cannot read " + path.string());
  return values;
}

Job::Job(const std::string& folder_name) : folder(folder_name) {
  std::ifstream file(folder / "job.json");
  const nlohmann::json job = nlohmann::json::parse(file);
  cell = job.at("cell");
  model = job.at("model");
  steps = job.at("steps");
  batch = job.at("batch");
  inputs = job.at("inputs");
  hidden = job.at("hidden");
  threads = job.at("threads");
  train = job.at("train");
  clip = job.at("clip");
  vocabulary = job.at("vocabulary");
  if (vocabulary > 0) {
    x_ids = read<int32_t>(folder / "x.i32");
    y_ids = read<int32_t>(folder / "y.i32");
  } else {
    x = read<float>(folder / "x.f32");
    y = read<float>(folder / "y.f32");
  }
}

std::vector<float> Job::parameter(const std::string& name) const {
  return read<float>(folder / (name + ".f32"));
}

nlohmann::json Peer::answer(const std::string& command) {
  throw std::runtime_error("no such command: " + command);
}

int serve(Peer& peer, const Job& job, const std::string& name, const std::string& version) {
  nlohmann::json facts = peer.facts();
  facts["name"] = name;
  facts["version"] = version;
  std::cout << facts.dump() << std::endl;
  for (std::string command; std::cin >> command;) {
    nlohmann::json answer;
    if (command == "step") {
      float rate = 0;
      std::cin >> rate;
      answer["loss"] = peer.step(rate);
      std::filesystem::create_directories(job.folder / name);
      for (const auto& [result, values] : peer.results()) {
        std::ofstream file(job.folder / name / (result + ".f32"), std::ios::binary);
        file.write(reinterpret_cast<const char*>(values.data()),
                   std::streamsize(values.size() * sizeof(float)));
      }
    } else if (command == "time") {
      int count = 0;
      std::cin >> count;
      std::vector<double> seconds;
      for (int i = 0; i < count; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        peer.step(1e-3f);
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      }
      answer["seconds"] = seconds;
    } else {
      answer = peer.answer(command);
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace rnnc::peers
