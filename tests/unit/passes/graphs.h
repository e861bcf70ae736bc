// What the tests of passes share: graphs written as text or drawn at random, batches of unequal lengths, and
// the question that every pass must answer with yes: are the values still the same?
#pragma once
#include <random>
#include <string>
#include <vector>

#include "ir/interpret.h"

namespace rnnc::test {

/// The graph of the text form (ir/parse.h), verified.
Graph graph(const std::string& text);

/// Values for all inputs and variables of a graph. Both sequence dimensions have `kSteps` steps.
constexpr int32_t kSteps = 4;
struct Sample {
  std::vector<int64_t> offsets[2];  // row_offset of each dimension
  std::vector<const int64_t*> list;
  std::vector<int32_t> capacity;
  int64_t batch = 0;
  Tensors values;
  RowTable table() const { return {batch, list.data(), capacity.data()}; }
};

/// Lengths are sorted, longest first; numbers lie in [0.2, 1.2] and have random signs if `negative`, indices
/// in -1 .. 2.
Sample sample(const Graph& graph, const std::vector<int64_t>& lengths0, const std::vector<int64_t>& lengths1,
              unsigned seed, bool negative = true);

/// Verifies `after` and compares all roots of the two graphs by the interpreter, on batches of equal and of
/// unequal lengths, one of them with empty rows.
void expect_same_values(const Graph& before, const Graph& after, double tolerance = 1e-12);

/// A random graph over two sequence dimensions with some outputs: products with few shared matrices, sums,
/// slices, joins, prefixes of rows, gathers. The same for the same seed.
Graph random_graph(unsigned seed);

int count(const Graph& graph, Op op);

}  // namespace rnnc::test
