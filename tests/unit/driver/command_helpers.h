// What the tests of the commands share: a command line run in this process, and a small model with its data.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "driver/command_line.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc::test {

struct Outcome {
  int status = 0;
  std::string out, err;
};

/// `rnnc ARGUMENTS` in this process.
inline Outcome run_rnnc(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "rnnc");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.status = run_command_line(static_cast<int>(argv.size()), argv.data());
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Is a word ending in `a`?  120 words of different lengths, and a model that learns it within an epoch or
/// two. `settings` are added to the train block.
class SmallModel {
 public:
  explicit SmallModel(const std::string& settings = "", int epochs = 4) {
    std::string rows;
    for (int i = 0; i < 120; ++i) {
      std::string word;
      for (int k = 0; k < i % 7; ++k) word += static_cast<char>('a' + (i * 5 + k * 3) % 6);
      const bool yes = i % 3 == 0;
      rows += word + (yes ? "a\tyes\n" : "b\tno\n");
    }
    folder_.write("words.tsv", rows);
    write_model(settings, epochs);
  }

  void write_model(const std::string& settings, int epochs, const std::string& hidden = "12") const {
    folder_.write("small.rnn", "dim H = " + hidden +
                                   R"(
data words {
  read "words.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
  split train = 0.7, valid = 0.15, test = 0.15
}
model small(x: C[T]) -> (logits: [L]) {
  h      = scan gru[H] over embed[6](x)
  logits = linear[L](last(h))
}
train small on words {
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 0.02)
  batch     8
  epochs    )" + std::to_string(epochs) +
                                   "\n" + settings + R"(
}
predict small {
  show top(softmax(logits), 2)
}
)");
  }

  const TemporaryFolder& folder() const { return folder_; }
  std::string file() const { return folder_ / "small.rnn"; }

  /// `rnnc train small.rnn --model NAME OPTIONS`
  Outcome train(const std::string& name, std::vector<std::string> options = {}) const {
    std::vector<std::string> line = {"train", file(), "--model", folder_ / name};
    line.insert(line.end(), options.begin(), options.end());
    return run_rnnc(line);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace rnnc::test
