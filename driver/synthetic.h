// Batches without data, for measuring: all sequences equally long, numbers and categories at random, trees of
// any form, and where a field says for each two nodes whether they are linked, the links of those trees.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "driver/row_inputs.h"
#include "ir/interpret.h"
#include "ir/model.h"
#include "runtime/program.h"
#include "runtime/random.h"

namespace rnnc {

class SyntheticBatch {
 public:
  /// `rows` rows, each `time_steps[dim]` long, for the inputs of `model`. The same seed gives the same batch.
  /// `ragged`: lengths fall from time_steps to 0 instead, along the first dimension; they rise along others.
  /// A tree has the largest odd number of nodes that is not more, one at least.
  SyntheticBatch(const Model& model, int64_t rows, const std::vector<int32_t>& time_steps, uint64_t seed,
                 bool ragged = false);

  RowTables rows() const { return row_tables(inputs_.rows()); }
  /// Every input the program has, the optimizer's (rate, corrections of step 1) included.
  void fill(Session& session, double rate) const;
  /// The same for the interpreter.
  RowTable table() const { return inputs_.rows().table(); }
  Tensors tensors(const Graph& graph, double rate) const;

 private:
  void add_field(const ModelInput& input, uint64_t seed);

  mutable RowInputs inputs_;  // works out what is asked for
  std::map<std::string, std::vector<float>> numbers_;
  std::map<std::string, std::vector<int32_t>> ids_;
};

/// A tree of `nodes` nodes, an odd number, children before parents, appended to `to` as one more example.
void add_random_tree(int32_t nodes, const Random& random, TreeNodes& to);

}  // namespace rnnc
