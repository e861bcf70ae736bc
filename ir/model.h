// A model before time is unrolled: one graph in which a sequence is a packed stack of all its steps, and each
// scan a node that names its cell, written as a graph of one step. `unroll` turns it into a Graph for T
// steps.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/spaces.h"

namespace rnnc {

/// How a parameter starts (language.md section 5). `amount`: the constant, or the argument of uniform and
/// normal.
struct Initial {
  enum Kind : uint8_t { Constant, Glorot, He, Orthogonal, Identity, Uniform, Normal } kind = Constant;
  double amount = 0;
};

struct Parameter {
  std::string name;            // `h.gru.Wz`, as saved
  int32_t rows = 1, cols = 1;  // as the graph sees it: the last dimension is the columns
  std::vector<int32_t> dims;   // as declared
  Initial initial;
  bool frozen = false;
};

/// A cell as one step. In the body the operands of the scan are inputs named `%0`, `%1`, ...: sequences at
/// this step, then constants, then states before the step.
struct ScanBody {
  Graph body;
  int dim = 0;
  bool reverse = false;
  int sequences = 0, constants = 0, states = 0;
  std::vector<NodeId> next;     // the new value of each state
  std::vector<NodeId> results;  // what the scan gives at each step
};

/// Names of the inputs that every batch of sequences brings: where each row's last step lies in the stack
/// (i32 [B, 1], -1 for an empty row), and its length (f32 [B, 1]).
inline std::string last_index_input(int dim) {
  return "%last." + std::to_string(dim);
}
inline std::string length_input(int dim) {
  return "%length." + std::to_string(dim);
}

/// The answer `next(FIELD, n)`: the element n later, laid out like the field (i32: -1, f32: 0 where there is
/// none), and a column that is 1 where there is one, else 0.
inline std::string next_input(const std::string& field, int64_t n) {
  return "%next." + std::to_string(n) + "." + field;
}
inline std::string has_next_input(const std::string& field, int64_t n) {
  return "%has." + std::to_string(n) + "." + field;
}

/// One field of the data as the graph sees it.
struct ModelInput {
  std::string name;
  Shape shape;
  int64_t categories = 0;  // i32: the size of the vocabulary
};

struct Model {
  std::string name;
  std::vector<std::string> dims;  // names of the sequence dimensions
  std::vector<Space> spaces;      // those, then what the model makes of them; Rows::dim is an index here
  std::vector<ModelInput> inputs;
  std::vector<Parameter> parameters;
  std::vector<ScanBody> scans;
  Graph graph;  // roots: what the program gives; `loss` if it is trained
};

}  // namespace rnnc
