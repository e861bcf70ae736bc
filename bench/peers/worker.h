// A contestant written in C++: what a job asks for, and the loop that answers the conductor (run.py) line by
// line. worker.py is the same in Python.
//
//   step RATE   one step; answers {"loss": ...} and writes what it changed (or computed) to FOLDER/NAME/
//   time N      N steps; answers {"seconds": [...]}, one entry a step
#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace rnnc::peers {

/// FOLDER/job.json, and beside it x.f32 [steps * batch, inputs], y.f32 [steps * batch, hidden] (or x.i32,
/// y.i32) and one file for each parameter: floats, row after row, no header.
struct Job {
  explicit Job(const std::string& folder);

  std::filesystem::path folder;
  std::string cell, model;  // model: the text of a .rnn file
  int steps = 0, batch = 0, inputs = 0, hidden = 0, threads = 1;
  int vocabulary = 0;  // 0: one layer. Else a language model, whose x and y are ids [steps * batch]
  bool train = true;   // else only the forward pass
  double clip = 0;     // bound of the norm of all gradients together; 0: none
  std::vector<float> x, y;
  std::vector<int32_t> x_ids, y_ids;

  std::vector<float> parameter(const std::string& name) const;
};

/// By name, of one layer without the path: `Wi`. After training all parameters, else `h` [steps * batch,
/// hidden].
using Results = std::map<std::string, std::vector<float>>;

class Peer {
 public:
  virtual ~Peer() = default;
  /// Trains on the batch of the job by plain gradient descent, with the mean of (h - y)² as loss, or the
  /// cross entropy of a language model, and gives the loss; or computes h and gives 0.
  virtual float step(float rate) = 0;
  virtual Results results() = 0;
  /// What is told at the start besides the name.
  virtual nlohmann::json facts() { return nlohmann::json::object(); }
  /// An answer to a command of its own.
  virtual nlohmann::json answer(const std::string& command);
};

/// Answers commands until there are no more.
int serve(Peer& peer, const Job& job, const std::string& name, const std::string& version);

}  // namespace rnnc::peers
