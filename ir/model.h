// A model before time is unrolled: one graph in which a sequence is a packed stack of all its steps, and each
// scan a node that names its cell, written as a graph of one step. `unroll` turns it into a Graph for T
// steps.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/source.h"
#include "ir/spaces.h"

namespace rnnc {

/// How a parameter starts (language.md section 5). `amount`: the constant, or the argument of uniform and
/// normal.
struct Initial {
  enum Kind : uint8_t { Constant, Glorot, He, Orthogonal, Identity, Uniform, Normal, File } kind = Constant;
  double amount = 0;
  std::string file = {};        // its name; of a text file, the vocabulary whose entries it names
  std::string vocabulary = {};  // of the first dimension, or none
  Place place = {};             // where it stands, for messages
};

struct Parameter {
  std::string name;            // `h.gru.Wz`, as saved
  int32_t rows = 1, cols = 1;  // as the graph sees it: the last dimension is the columns
  std::vector<int32_t> dims;   // as declared
  Initial initial;
  bool frozen = false;
};

/// A cell as one step. In the body the operands of the scan are inputs named `%0`, `%1`, ...: sequences at
/// this step, then constants, then states before the step. A constant without rows of the step at hand is the
/// whole operand, in every step.
///
/// A tree cell goes along the levels of trees (Space::Levels), from the last to the first. In place of states
/// it reads those of the left and then those of the right children, 0 where there is none; the operands after
/// the constants are the indices of left and right children (`left_input`, `right_input`).
struct ScanBody {
  Graph body;
  int dim = 0;
  bool reverse = false;
  bool tree = false;
  bool cell = false;  // a cell of the language, not a reduction or the like written as a scan
  int sequences = 0, constants = 0, states = 0;
  std::vector<NodeId> next;     // the new value of each state
  std::vector<NodeId> results;  // what the scan gives at each step
};

/// Names of the inputs that every batch brings for a space with steps: where each row's last step lies in the
/// stack (i32 [B, 1], -1 for an empty row), and its length (f32 [B, 1]), in the order of the space.
inline std::string last_index_input(int dim) {
  return "%last." + std::to_string(dim);
}
inline std::string length_input(int dim) {
  return "%length." + std::to_string(dim);
}

/// Of each node of a space of levels, in its order, the row of its child within the next level, -1: it has
/// none. i32 [T, 1].
inline std::string left_input(int levels) {
  return "%left." + std::to_string(levels);
}
inline std::string right_input(int levels) {
  return "%right." + std::to_string(levels);
}

/// The answer `next(FIELD, n)`: the element n later, laid out like the field (i32: -1, f32: 0 where there is
/// none), and a column that is 1 where there is one, else 0.
inline std::string next_input(const std::string& field, int64_t n) {
  return "%next." + std::to_string(n) + "." + field;
}
inline std::string has_next_input(const std::string& field, int64_t n) {
  return "%has." + std::to_string(n) + "." + field;
}

/// Values of each row stand in the order of the first dimension. For each place in the order of dimension
/// `to`, the place of the same row in the order of `from`: i32 [B, 1].
inline std::string order_input(int from, int to) {
  return "%order." + std::to_string(from) + "." + std::to_string(to);
}

/// A scan with `carry` begins with its input and gives its output, [B, C], which is the next piece's input.
/// `%fresh`, [1, 1], is 1 in the first piece of a pass.
inline constexpr std::string_view kCarryInputPrefix = "%carry.", kCarryOutputPrefix = "carry.";
inline std::string carry_input(int state) {
  return std::string(kCarryInputPrefix) + std::to_string(state);
}
inline std::string carry_output(int state) {
  return std::string(kCarryOutputPrefix) + std::to_string(state);
}
inline constexpr const char* kFreshInput = "%fresh";

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
