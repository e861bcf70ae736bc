// Batches without data, for measuring: all sequences equally long, numbers and categories at random.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/interpret.h"
#include "ir/model.h"
#include "runtime/program.h"

namespace rnnc {

class SyntheticBatch {
 public:
  /// `rows` rows, each `time_steps[dim]` long, for the inputs of `model`. The same seed gives the same batch.
  /// `ragged`: lengths fall from time_steps to 0 instead.
  SyntheticBatch(const Model& model, int64_t rows, const std::vector<int32_t>& time_steps, uint64_t seed,
                 bool ragged = false);

  RowTables rows() const;
  /// Every input the program has, the optimizer's (rate, corrections of step 1) included.
  void fill(Session& session, double rate) const;
  /// The same for the interpreter.
  RowTable table() const;
  Tensors tensors(const Graph& graph, double rate) const;

 private:
  int64_t batch_;
  std::vector<int32_t> time_steps_;
  std::vector<std::vector<int64_t>> row_offset_;
  std::vector<const int64_t*> offsets_;
  std::map<std::string, std::vector<float>> numbers_;
  std::map<std::string, std::vector<int32_t>> ids_;
};

}  // namespace rnnc
