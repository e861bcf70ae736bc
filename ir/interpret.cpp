// The meaning of every op: one of the four facts of an op. Nothing here is fast on purpose.
#include "ir/interpret.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <cmath>

#include "ir/chance.h"

namespace rnnc {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> view(const Tensor& t) {
  return {t.data.data(), t.rows, t.cols};
}
Eigen::Map<Matrix> view(Tensor& t) {
  return {t.data.data(), t.rows, t.cols};
}

/// Sets each element of `y` from its row and column.
template <class F>
Tensor each(Tensor y, F element) {
  for (int64_t r = 0; r < y.rows; ++r) {
    for (int64_t c = 0; c < y.cols; ++c) y.at(r, c) = element(r, c);
  }
  return y;
}

/// The row that `index` says, or -1 where it is negative; refuses one past the table.
int64_t row_at(const Tensor& index, int64_t r, int64_t table_rows, std::string_view op) {
  const double i = index.at(r, 0);
  if (!(i < double(table_rows)))
    throw GraphError(fmt::format("{}: row {} of a table of {}", op, i, table_rows));
  return i < 0 ? -1 : int64_t(i);
}

template <class F>
Tensor map(const Tensor& a, Tensor y, F f) {
  return each(std::move(y), [&](int64_t r, int64_t c) { return f(a.at(r, c)); });
}

/// A single row or column stands for all.
double stretched(const Tensor& a, int64_t r, int64_t c) {
  return a.at(a.shape.rows.is_one() ? 0 : r, a.cols == 1 ? 0 : c);
}

template <class F>
Tensor map(const Tensor& a, const Tensor& b, Tensor y, F f) {
  return each(std::move(y), [&](int64_t r, int64_t c) { return f(stretched(a, r, c), stretched(b, r, c)); });
}

// NaN goes through all of these; only comparisons answer it with 0.
double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
}
double relu(double x) {
  return x <= 0 ? 0 : x;
}
double softplus(double x) {
  return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double larger(double x, double y) {
  return std::isnan(x) || x > y ? x : y;
}
double smaller(double x, double y) {
  return std::isnan(x) || x < y ? x : y;
}

Tensor sum(std::span<const Tensor* const> terms, Tensor y) {
  return each(std::move(y), [&](int64_t r, int64_t c) {
    double total = terms[0]->at(r, c);
    for (const Tensor* term : terms.subspan(1)) total += term->at(r, c);
    return total;
  });
}

/// The first column of row r that holds its largest number; a NaN is larger than all.
int64_t argmax(const Tensor& a, int64_t r) {
  int64_t best = 0;
  for (int64_t c = 0; c < a.cols; ++c) {
    if (std::isnan(a.at(r, c))) return c;
    if (a.at(r, c) > a.at(r, best)) best = c;
  }
  return best;
}

double sum_of_row(const Tensor& a, int64_t r) {
  double total = 0;
  for (int64_t c = 0; c < a.cols; ++c) total += a.at(r, c);
  return total;
}

double sum_of_col(const Tensor& a, int64_t c) {
  double total = 0;
  for (int64_t r = 0; r < a.rows; ++r) total += a.at(r, c);
  return total;
}

double max_of_col(const Tensor& a, int64_t c) {
  double most = -std::numeric_limits<double>::infinity();
  for (int64_t r = a.rows; r-- > 0;) most = larger(most, a.at(r, c));
  return most;
}

Tensor matmul(const Tensor& a, const Tensor& b, uint8_t flags, Tensor y) {
  const Matrix left = (flags & kTransposeLeft) != 0 ? Matrix(view(a).transpose()) : Matrix(view(a));
  const Matrix right = (flags & kTransposeRight) != 0 ? Matrix(view(b).transpose()) : Matrix(view(b));
  view(y) = left * right;
  return y;
}

Tensor concat_cols(std::span<const Tensor* const> parts, Tensor y) {
  int64_t first = 0;
  for (const Tensor* part : parts) {
    view(y).middleCols(first, part->cols) = view(*part);
    first += part->cols;
  }
  return y;
}

Tensor concat_rows(std::span<const Tensor* const> parts, Tensor y) {
  int64_t first = 0;
  for (const Tensor* part : parts) {
    view(y).middleRows(first, part->rows) = view(*part);
    first += part->rows;
  }
  return y;
}

/// Where the wanted rows begin in the operand: at an offset in a matrix, at a step in a stack.
int64_t first_row(const Rows& wanted, const Rows& operand, int32_t offset, const RowTable& table) {
  if (operand.kind == Rows::Fixed || wanted.begin == operand.begin) return offset;
  return table.count(Rows::steps(operand.dim, operand.begin, wanted.begin));
}

Tensor tail_rows(const Tensor& a, const Attr& attr, const RowTable& table) {
  const int64_t running = table.count(Rows::step(a.shape.rows.dim, attr.offset));
  return each(a, [&](int64_t r, int64_t c) { return r < running ? 0 : a.at(r, c); });
}

Tensor gather(const Tensor& rows, const Tensor& index, double missing, std::string_view op, Tensor y) {
  return each(std::move(y), [&](int64_t r, int64_t c) {
    const int64_t from = row_at(index, r, rows.rows, op);
    return from < 0 ? missing : rows.at(from, c);
  });
}

Tensor scatter_add(const Tensor& d, const Tensor& index, Tensor y) {
  for (int64_t r = 0; r < d.rows; ++r) {
    const int64_t to = row_at(index, r, y.rows, "scatter_add");
    if (to < 0) continue;
    for (int64_t c = 0; c < d.cols; ++c) y.at(to, c) += d.at(r, c);
  }
  return y;
}

/// An i32 as the 32 bits it is.
uint32_t bits_of(double x) {
  return uint32_t(int32_t(x));
}

Tensor coin(const Tensor& row, const Tensor& key, const Attr& attr, Tensor y) {
  const CoinKey k = {bits_of(key.at(0, 0)), bits_of(key.at(0, 1))};
  const uint32_t threshold = coin_threshold(attr.value);
  return each(std::move(y), [&](int64_t r, int64_t c) {
    const CoinPlace at{uint32_t(attr.offset), bits_of(row.at(r, 0)),
                       row.cols == 2 ? bits_of(row.at(r, 1)) : 0, uint32_t(c)};
    return coin_bits(at, k) < threshold ? 1 : 0;
  });
}

Tensor scatter_max(const Tensor& d, const Tensor& index, Tensor y) {
  std::vector<bool> any(size_t(y.rows));
  for (int64_t r = 0; r < d.rows; ++r) {
    const int64_t to = row_at(index, r, y.rows, "scatter_max");
    if (to < 0) continue;
    for (int64_t c = 0; c < d.cols; ++c)
      y.at(to, c) = any[size_t(to)] ? larger(y.at(to, c), d.at(r, c)) : d.at(r, c);
    any[size_t(to)] = true;
  }
  return y;
}

Tensor pair_index(const Tensor& a, const Tensor& b, int32_t size, Tensor y) {
  return map(a, b, std::move(y), [&](double x, double z) { return x < 0 || z < 0 ? -1 : x * size + z; });
}

bool length_unknown(const Rows& rows) {
  return rows.kind == Rows::Steps && (rows.begin < 0 || rows.end < 0);
}

Tensor given_value(const Graph& graph, NodeId id, const Tensors& given, const RowTable& table) {
  const auto found = given.find(graph.name(id));
  if (found == given.end()) throw GraphError(fmt::format("interpret: `{}` is not given", graph.name(id)));
  Tensor value = found->second;
  const Shape& shape = graph.shape(id);
  if (value.rows != table.count(shape.rows) || value.cols != shape.cols ||
      value.data.size() != size_t(value.rows * value.cols)) {
    throw GraphError(fmt::format("interpret: `{}` is [{}, {}] ({} numbers), but the graph has {}",
                                 graph.name(id), value.rows, value.cols, value.data.size(),
                                 to_string(shape)));
  }
  value.shape = shape;
  return value;
}

/// The value of node `id`, its operands having theirs.
Tensor value_of(const Graph& graph, NodeId id, const std::vector<Tensor>& values, const Tensors& given,
                const RowTable& table) {
  const Node& node = graph[id];
  if (length_unknown(node.shape.rows)) {
    throw GraphError(
        fmt::format("interpret: %{} has rows {}: unroll the model first", id, to_string(node.shape.rows)));
  }
  if (node.op == Op::Variable || node.op == Op::Input) return given_value(graph, id, given, table);
  std::vector<const Tensor*> operands;
  for (NodeId arg : graph.args(id)) operands.push_back(&values[arg]);
  return evaluate(node.op, operands, node.attr, node.shape, table);
}

}  // namespace

Tensor make_tensor(const Shape& shape, const RowTable& table, double value) {
  const int64_t rows = table.count(shape.rows);
  return {shape, rows, shape.cols, std::vector<double>(size_t(rows * shape.cols), value)};
}

Tensor evaluate(Op op, std::span<const Tensor* const> operands, const Attr& attr, const Shape& shape,
                const RowTable& table) {
  Tensor y = make_tensor(shape, table);
  if (y.data.empty() && info(op).cls != OpClass::Leaf) return y;  // no rows in this batch: nothing to compute
  const Tensor& a = operands.empty() ? y : *operands[0];
  const Tensor& b = operands.size() < 2 ? y : *operands[1];
  switch (op) {
    case Op::Variable:
    case Op::Input: throw GraphError(fmt::format("{} has no operands to evaluate", info(op).name));
    case Op::Constant: return make_tensor(shape, table, attr.value);

    case Op::Neg: return map(a, y, [](double x) { return -x; });
    case Op::Exp: return map(a, y, [](double x) { return std::exp(x); });
    case Op::Log: return map(a, y, [](double x) { return std::log(x); });
    case Op::Sqrt: return map(a, y, [](double x) { return std::sqrt(x); });
    case Op::Abs: return map(a, y, [](double x) { return std::abs(x); });
    case Op::Sign: return map(a, y, [](double x) { return sign(x); });
    case Op::Sin: return map(a, y, [](double x) { return std::sin(x); });
    case Op::Cos: return map(a, y, [](double x) { return std::cos(x); });
    case Op::Sigmoid: return map(a, y, [](double x) { return 1 / (1 + std::exp(-x)); });
    case Op::Tanh: return map(a, y, [](double x) { return std::tanh(x); });
    case Op::Relu: return map(a, y, [](double x) { return relu(x); });
    case Op::Softplus: return map(a, y, [](double x) { return softplus(x); });
    case Op::Copy:
    case Op::Keep:
    case Op::Stop:
    case Op::ClipGradient: return map(a, y, [](double x) { return x; });

    case Op::Onto:
    case Op::Add: return map(a, b, y, [](double x, double y) { return x + y; });
    case Op::Sub: return map(a, b, y, [](double x, double y) { return x - y; });
    case Op::Mul: return map(a, b, y, [](double x, double y) { return x * y; });
    case Op::Div: return map(a, b, y, [](double x, double y) { return x / y; });
    case Op::Pow: return map(a, b, y, [](double x, double y) { return std::pow(x, y); });
    case Op::Max: return map(a, b, y, [](double x, double y) { return larger(x, y); });
    case Op::Min: return map(a, b, y, [](double x, double y) { return smaller(x, y); });
    case Op::Less: return map(a, b, y, [](double x, double y) { return double(x < y); });
    case Op::LessEqual: return map(a, b, y, [](double x, double y) { return double(x <= y); });
    case Op::Equal: return map(a, b, y, [](double x, double y) { return double(x == y); });
    case Op::Sum: return sum(operands, y);
    case Op::OneHot: return each(y, [&](int64_t r, int64_t c) { return a.at(r, 0) == double(c); });
    case Op::Coin: return coin(a, b, attr, std::move(y));
    case Op::RowCount: return make_tensor(shape, table, double(a.rows));

    case Op::SumCols: return each(y, [&](int64_t r, int64_t) { return sum_of_row(a, r); });
    case Op::MaxCols: return each(y, [&](int64_t r, int64_t) { return a.at(r, argmax(a, r)); });
    case Op::ArgMax: return each(y, [&](int64_t r, int64_t) { return double(argmax(a, r)); });
    case Op::SumRows: return each(y, [&](int64_t, int64_t c) { return sum_of_col(a, c); });
    case Op::MaxRows: return each(y, [&](int64_t, int64_t c) { return max_of_col(a, c); });
    case Op::MatMul: return matmul(a, b, attr.flags, y);

    case Op::SliceCols: return each(y, [&](int64_t r, int64_t c) { return a.at(r, attr.offset + c); });
    case Op::ConcatCols: return concat_cols(operands, y);
    case Op::SliceRows: {
      const int64_t first = first_row(shape.rows, a.shape.rows, attr.offset, table);
      return each(y, [&](int64_t r, int64_t c) { return a.at(first + r, c); });
    }
    case Op::ConcatRows: return concat_rows(operands, y);
    case Op::TakeRows: return map(a, y, [](double x) { return x; });
    case Op::PadRows: return each(y, [&](int64_t r, int64_t c) { return r < a.rows ? a.at(r, c) : 0; });
    case Op::TailRows: return tail_rows(a, attr, table);
    case Op::Gather:
    case Op::LastRows: return gather(a, b, attr.value, info(op).name, y);
    case Op::ScatterAdd: return scatter_add(a, b, y);
    case Op::ScatterMax: return scatter_max(a, b, y);
    case Op::SplitCols:
    case Op::JoinRows: y.data = a.data; return y;  // the same numbers in the same order
    case Op::PairIndex: return pair_index(a, b, attr.offset, y);
    case Op::Transpose: return each(y, [&](int64_t r, int64_t c) { return a.at(c, r); });
    case Op::Scan:
    case Op::ScanResult: break;
  }
  throw GraphError(fmt::format("{} has no meaning of its own: unroll the model first", info(op).name));
}

std::vector<Tensor> interpret(const Graph& graph, const Tensors& given, const RowTable& table) {
  std::vector<Tensor> values;
  values.reserve(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) values.push_back(value_of(graph, id, values, given, table));
  return values;
}

RootValues interpret_roots(const Graph& graph, const Tensors& given, const RowTable& table) {
  std::vector<NodeId> last_user(graph.size());  // itself, if nothing reads the node
  std::vector<bool> kept(graph.size());
  for (const Root& root : graph.roots) kept[root.node] = true;
  for (NodeId id = 0; id < graph.size(); ++id) {
    last_user[id] = id;
    for (NodeId arg : graph.args(id)) last_user[arg] = id;
  }
  std::vector<Tensor> values(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    values[id] = value_of(graph, id, values, given, table);
    if (last_user[id] == id && !kept[id]) values[id] = {};
    for (NodeId arg : graph.args(id)) {
      if (last_user[arg] == id && !kept[arg]) values[arg] = {};
    }
  }
  RootValues result;
  for (const Root& root : graph.roots) {
    (root.assign ? result.assigned : result.outputs).emplace(root.name, values[root.node]);
  }
  return result;
}

}  // namespace rnnc
