// A model with values given example by example, for tests that compute what it means by loops.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "driver/compile.h"
#include "driver/row_inputs.h"
#include "frontend/lower.h"
#include "ir/interpret.h"

namespace rnnc::test {

class RowsWorld {
 public:
  /// `given`: lengths by slot of the sequences, and trees. Programs have room for one example more and for
  /// one step more.
  RowsWorld(Lowered lowered, ProgramKind kind, Examples given);

  /// Adds the values of one more example to a field, row-major.
  void add(const std::string& field, const std::vector<double>& values);

  const Lowered& lowered() const { return lowered_; }
  CompileOptions& options() { return options_; }
  Graph graph() const { return forward_graph(lowered_, options_); }
  RowTable table() const { return inputs_.rows().table(); }
  /// Inputs and variables of a graph; variables are small numbers that differ.
  Tensors tensors(const Graph& graph);
  /// An output of the compiled program.
  std::vector<float> run(const std::string& output, int threads);
  /// The output by the interpreter, after the compiled programs, fused and not, agreed with it.
  std::vector<double> output(const std::string& name);

 private:
  Lowered lowered_;
  CompileOptions options_;
  Examples given_;
  RowInputs inputs_;
  std::map<std::string, std::vector<double>> fields_;
  std::map<std::string, std::vector<int64_t>> elements_;  // of each example: numbers before it
};

}  // namespace rnnc::test
