// Models as text for the tests of the whole compiler: lowered, with random variables and batches of unequal
// lengths.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "driver/compile.h"
#include "frontend/check.h"
#include "frontend/lower.h"
#include "ir/interpret.h"

namespace rnnc::test {

/// A model file with one train block, lowered for these sizes. `sequences` are its sequence dimensions.
Lowered lower_text(const std::string& text, std::map<std::string, int64_t> sizes,
                   std::vector<std::string> sequences = {"T"});

/// A batch without data: lengths, longest first, and everything a program reads by name.
struct TestBatch {
  std::vector<int64_t> lengths;
  std::vector<int64_t> row_offset;  // capacity + 1
  RowTables rows() const;
  RowTable table() const;
  int32_t capacity = 0;
  std::vector<const int64_t*> offsets_list;
  Tensors values;  // inputs and variables
};

/// Fills inputs and variables of `graph` with small random numbers, ids below `ids`.
TestBatch make_batch(const Graph& graph, std::vector<int64_t> lengths, int32_t capacity, int64_t ids,
                     unsigned seed = 1);

/// Outputs and the new values of the variables, by name.
using Results = std::map<std::string, std::vector<float>>;
/// Runs a program on the batch.
Results run_compiled(const Compiled& compiled, const TestBatch& batch, int threads);
/// The first bit that differs, or nothing.
std::string first_difference(const Results& want, const Results& got);

/// The same names by the interpreter.
std::map<std::string, std::vector<double>> run_interpreter(const Graph& graph, const TestBatch& batch);

/// Text of a classifier over characters with this cell (its definition, or empty) and scan.
std::string classifier(const std::string& cell, const std::string& scan);

/// The cells the agreement tests enumerate: name and model text.
const std::vector<std::pair<std::string, std::string>>& models();

}  // namespace rnnc::test
