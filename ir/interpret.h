// The interpreter: what every op means, in double precision, one loop an op. Slow and obviously right; the
// compiled programs are measured against it, and it is never part of them.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// A value with its rows counted: `rows` x `cols` numbers, row after row. An i32 is kept as a double.
struct Tensor {
  Shape shape;
  int64_t rows = 1;
  int64_t cols = 1;
  std::vector<double> data;

  double& at(int64_t row, int64_t col) { return data[size_t(row * cols + col)]; }
  double at(int64_t row, int64_t col) const { return data[size_t(row * cols + col)]; }
};

using Tensors = std::map<std::string, Tensor, std::less<>>;

/// A Tensor of shape `shape` in the batch that `table` describes, all elements `value`.
Tensor make_tensor(const Shape& shape, const RowTable& table, double value = 0);

/// The values of all nodes. `given` holds variables and inputs by name, with the rows of this batch. Throws
/// GraphError if one is missing or does not fit, if an index is past its table, or if the graph is a Model.
std::vector<Tensor> interpret(const Graph& graph, const Tensors& given, const RowTable& table);

/// The values of the roots only, by name; others are dropped after their last use. An `assign` of a name goes
/// to `assigned`, an output to `outputs`.
struct RootValues {
  Tensors outputs, assigned;
};
RootValues interpret_roots(const Graph& graph, const Tensors& given, const RowTable& table);

/// The meaning of one op: operands to value. `shape` is the node's, `how` its name if it is a `select`.
Tensor evaluate(Op op, std::span<const Tensor* const> operands, const Attr& attr, const Shape& shape,
                const RowTable& table, std::string_view how = {});

}  // namespace rnnc
