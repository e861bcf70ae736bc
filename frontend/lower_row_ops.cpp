// Lowering of functions of values with rows inside rows: products, reductions, softmax, and what moves
// elements along any dimension. What is the same for all positions is in lower_expr.cpp.
#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

void forget_scan(Value& v) {
  v.parts.clear();
  v.ends.clear();
}

}  // namespace

/// For each row of `v`, the row of the dimensions that are left; `left` are their numbers, all in the rows.
/// Gives the rows too.
NodeId Lowering::index_of_left(const Value& v, std::span<const size_t> left, Rows& rows) {
  const std::vector<Dim> dims = full(v);
  const Lies at = lies(v);
  std::vector<Dim> kept;
  std::vector<RowMap::From> sources;
  for (size_t i : left) {
    kept.push_back(dims[i]);
    sources.push_back({int(i), 1, 0, extent(dims[i])});
  }
  rows = rows_for(kept, kept.size(), at.here);
  return row_index(g_->shape(v.node).rows, rows, std::span(dims).first(at.in_rows), std::move(sources));
}

/// Adds up, or takes the largest of, the rows that differ only in dimensions `out`, all of them in the rows.
Value Lowering::join_dims(Op o, const Value& v, const std::vector<bool>& out) {
  const std::vector<Dim> dims = full(v);
  const size_t k = lies(v).in_rows;
  std::vector<size_t> left;
  for (size_t i = 0; i < k; ++i)
    if (!out[i]) left.push_back(i);
  Rows rows;
  const NodeId index = index_of_left(v, left, rows);
  Value r = v;
  forget_scan(r);
  r.node = g_->scatter(o, v.node, index, rows);
  r.lead.clear();
  r.dims.clear();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (out[i]) continue;
    (i < v.lead.size() ? r.lead : r.dims).push_back(dims[i]);
  }
  r.inner = int(left.size());
  if (lies(r).steps) --r.inner;
  return r;
}

/// The dimensions that a reduction takes in, by their numbers among all of the value.
std::vector<bool> Lowering::taken_in(const Expr& e, const Value& v, const Scope& scope, bool last_only) {
  const std::vector<Dim> dims = full(v);
  std::vector<bool> out(dims.size());
  if (e.dimensions.empty()) {
    for (size_t i = v.lead.size(); i < dims.size(); ++i) out[i] = !last_only || i + 1 == dims.size();
    return out;
  }
  for (const ast::Name& n : e.dimensions) out[dimension(n, v, scope)] = true;
  return out;
}

/// The number of a named dimension among all of the value; the last of that name.
size_t Lowering::dimension(const ast::Name& n, const Value& v, const Scope& scope) {
  const auto named = scope.dims.find(n.text);
  const int sequence = named == scope.dims.end() ? -1 : named->second.sequence;
  for (size_t i = v.dims.size(); i-- > 0;) {
    const Dim& d = v.dims[i];
    if (d.label == n.text || (sequence >= 0 && d.sequence == sequence)) return v.lead.size() + i;
  }
  for (size_t i = v.dims.size(); i-- > 0;) {  // of a fixed size that only one has
    if (named != scope.dims.end() && sequence < 0 && v.dims[i].n == named->second.n) return v.lead.size() + i;
  }
  not_built(n.place, fmt::format("`over {}` here", n.text));
}

Value Lowering::reduce_rows(const std::string& f, Value v, const std::vector<bool>& out, Place place) {
  if (v.weight != kNoNode) not_built(place, fmt::format("`{}` of what comes after `next` over these", f));
  if (lies(v).shared) not_built(place, fmt::format("`{} over` one dimension of a parameter", f));
  const bool extreme = f == "max" || f == "min";
  const size_t n = out.size();
  size_t columns = n;  // from here on all are taken in, in the columns
  while (columns > lies(v).in_rows && out[columns - 1]) --columns;
  size_t k = std::max(lies(v).in_rows, columns == n ? 0 : columns);
  for (size_t i = 0; i < columns; ++i)
    if (out[i]) k = std::max(k, i + 1);
  v = with_rows(std::move(v), k);
  if (f == "min") v.node = op(Op::Neg, {v.node});
  double cols = 1;
  if (k < n && columns <= k) {  // all columns
    cols = g_->shape(v.node).cols;
    if (cols > 1) v.node = op(extreme ? Op::MaxCols : Op::SumCols, {v.node});
    v.dims.resize(k - v.lead.size());
  }
  std::vector<bool> rows(out.begin(), out.begin() + long(std::min(n, v.lead.size() + v.dims.size())));
  const bool any = std::find(rows.begin(), rows.begin() + long(k), true) != rows.begin() + long(k);
  NodeId count = constant(cols);
  if (any) {
    Value ones = v;
    ones.node = g_->constant(1, g_->shape(v.node).rows, 1);
    ones.dims.resize(k - v.lead.size());
    const std::vector<bool> front(rows.begin(), rows.begin() + long(k));
    v = join_dims(extreme ? Op::ScatterMax : Op::ScatterAdd, v, rows);
    if (f == "mean") {
      const NodeId n_rows = join_dims(Op::ScatterAdd, ones, front).node;
      count = op(Op::Mul, {op(Op::Max, {n_rows, constant(1)}), constant(cols)});
    }
  }
  if (f == "mean") v.node = op(Op::Div, {v.node, count});
  if (f == "min") v.node = op(Op::Neg, {v.node});
  return v;
}

Value Lowering::softmax_rows(bool log, Value v, const std::vector<bool>& out) {
  size_t k = lies(v).in_rows;
  const size_t n = out.size();
  const bool one = std::count(out.begin(), out.end(), true) == 1;
  if (one && out[n - 1] && k < n) {  // the last, alone in the columns
    v = with_rows(std::move(v), std::max(k, n - 1));
    const NodeId top = op(Op::Stop, {op(Op::MaxCols, {v.node})});
    const NodeId z = op(Op::Sub, {v.node, top});
    const NodeId ez = op(Op::Exp, {z});
    const NodeId total = op(Op::SumCols, {ez});
    v.node = log ? op(Op::Sub, {z, op(Op::Log, {total})}) : op(Op::Div, {ez, total});
    return v;
  }
  for (size_t i = 0; i < n; ++i)
    if (out[i]) k = std::max(k, i + 1);
  v = with_rows(std::move(v), k);
  std::vector<size_t> left;
  for (size_t i = 0; i < k; ++i)
    if (!out[i]) left.push_back(i);
  Rows rows;
  const NodeId index = index_of_left(v, left, rows);
  const NodeId top = op(Op::Stop, {g_->scatter(Op::ScatterMax, op(Op::Stop, {v.node}), index, rows)});
  const NodeId z = op(Op::Sub, {v.node, g_->gather(top, index)});
  const NodeId ez = op(Op::Exp, {z});
  const NodeId total = g_->scatter(Op::ScatterAdd, ez, index, rows);
  v.node = log ? op(Op::Sub, {z, g_->gather(op(Op::Log, {total}), index)})
               : op(Op::Div, {ez, g_->gather(total, index)});
  return v;
}

/// `@` of values of each row: [.., K] and [K, ..].
Value Lowering::product_rows(const Value& a, const Value& b) {
  Joint j;  // the dimensions of a, then those of b without its first
  const Value& front = a.lead.size() >= b.lead.size() ? a : b;
  j.lead = front.lead.size();
  j.dims = front.lead;
  std::vector<size_t> pa, pb;
  for (size_t i = 0; i < a.lead.size(); ++i) pa.push_back(i);
  for (size_t i = 0; i < b.lead.size(); ++i) pb.push_back(i);
  for (const Dim& d : a.dims) {
    pa.push_back(j.dims.size());
    j.dims.push_back(d);
  }
  const size_t summed = j.dims.size() - 1;
  if (j.dims[summed].sequence < 0) j.dims[summed].sequence = b.dims[0].sequence;
  pb.push_back(summed);
  for (size_t i = 1; i < b.dims.size(); ++i) {
    pb.push_back(j.dims.size());
    j.dims.push_back(b.dims[i]);
  }
  j.here = lies(a).here || lies(b).here;
  j.places = {pa, pb};
  const Lies la = lies(a), lb = lies(b);
  const bool summed_in_rows =
      is_variable(j.dims[summed]) || la.in_rows == pa.size() || lb.in_rows >= b.lead.size() + 1;
  if (b.dims.size() == 1 && !summed_in_rows) {  // a dot product
    j.k = summed;
    const NodeId product = op(Op::Mul, {laid(a, j, 0), laid(b, j, 1)});
    Value v = in_rows_of(j, op(Op::SumCols, {product}));
    v.dims.pop_back();
    return v;
  }
  j.k = summed + 1;
  for (size_t i = j.k; i < j.dims.size(); ++i)
    if (is_variable(j.dims[i])) j.k = i + 1;
  if (lb.in_rows > 0) j.k = std::max(j.k, pb[lb.in_rows - 1] + 1);
  Value v = in_rows_of(j, op(Op::Mul, {laid(a, j, 0), laid(b, j, 1)}));
  std::vector<bool> out(j.dims.size());
  out[summed] = true;
  return join_dims(Op::ScatterAdd, v, out);
}

/// [.., K] of each row and a parameter [K, ..].
Value Lowering::product_by_parameter(const Value& a, const Value& b) {
  const size_t n = a.lead.size() + a.dims.size();
  Value v = a;
  forget_scan(v);
  v.node = lies(a).in_rows == n ? cut(a, n - 1) : by_last(a).node;
  const bool vector = b.dims.size() == 1;
  const int32_t inside = int32_t(a.dims.back().n);
  const Node& right = (*g_)[b.node];
  if (right.op == Op::Transpose) {
    v.node = g_->matmul(v.node, g_->arg(b.node, 0), kTransposeRight);
  } else if (vector) {
    v.node = g_->matmul(v.node, b.node, kTransposeRight);
  } else {
    v.node =
        g_->matmul(v.node, g_->join_rows(b.node, Rows::fixed(inside), flat(std::span(b.dims).subspan(1))));
  }
  v.dims.pop_back();
  v.dims.insert(v.dims.end(), b.dims.begin() + 1, b.dims.end());
  v.inner = int(n) - 1 - lies(v).steps;
  return v;
}

/// The element at one end of the first dimension.
Value Lowering::end_rows(Value v, bool last) {
  const size_t at = v.lead.size(), n = at + v.dims.size();
  const std::vector<Dim> dims = full(v);
  forget_scan(v);
  if (lies(v).in_rows <= at) {  // in the columns
    v = with_rows(std::move(v), at);
    const int32_t cols = flat(std::span(dims).subspan(at + 1));
    v.node = g_->slice_cols(v.node, last ? int32_t(dims[at].n - 1) * cols : 0, cols);
    v.dims.erase(v.dims.begin());
    return v;
  }
  std::vector<Dim> to = dims;
  to.erase(to.begin() + long(at));
  const size_t k = lies(v).in_rows;
  std::vector<RowMap::From> sources;
  for (size_t i = 0; i < std::min(k, n); ++i) {
    const int from = i == at ? (last ? RowMap::kLast : RowMap::kFirst) : int(i) - (i > at);
    sources.push_back({from, 1, 0, extent(dims[i])});
  }
  const Rows rows = rows_for(to, k - 1, lies(v).here);
  v.node = g_->gather(v.node, row_index(rows, g_->shape(v.node).rows, std::span(to).first(k - 1), sources));
  v.dims.erase(v.dims.begin());
  v.inner = int(k) - 1;
  if (lies(v).steps) --v.inner;
  return v;
}

/// For each position of a dimension, `step` times it plus `offset`; beyond the ends `missing`. The dimension
/// becomes `becomes`.
Value Lowering::moved(const Value& v, size_t at, int64_t step, int64_t offset, const Dim& becomes,
                      double missing) {
  std::vector<Dim> dims = full(v);
  const size_t k = lies(v).in_rows;
  std::vector<RowMap::From> sources;
  for (size_t i = 0; i < k; ++i) {
    if (i == at) sources.push_back({int(i), int32_t(step), int32_t(offset), extent(dims[i])});
    else sources.push_back({int(i), 1, 0, extent(dims[i])});
  }
  dims[at] = becomes;
  const Rows from = g_->shape(v.node).rows, rows = rows_for(dims, k, lies(v).here);
  Value r = v;
  forget_scan(r);
  r.node = g_->gather(v.node, row_index(rows, from, std::span(dims).first(k), std::move(sources)), missing);
  (at < r.lead.size() ? r.lead[at] : r.dims[at - r.lead.size()]) = becomes;
  r.inner = int(k);
  if (lies(r).steps) --r.inner;
  return r;
}

Value Lowering::delay_rows(Value v, size_t at, int64_t n, double missing) {
  v = with_rows(v, std::max(lies(v).in_rows, at + 1));
  return moved(v, at, 1, -n, full(v)[at], missing);
}

/// A dimension that has one element for every `divide` of those, after `add` more or fewer.
Dim Lowering::derived(const Dim& d, int32_t add, int32_t divide) {
  Dim r;
  if (!is_variable(d)) {
    r.n = std::max<int64_t>(0, (d.n + add + divide - 1) / divide);
    return r;
  }
  r.sequence = space(
      {.kind = Space::Derived, .name = {}, .base = d.sequence, .add = add, .divide = divide, .inside = {}});
  return r;
}

Value Lowering::window_rows(Value v, size_t at, int64_t size, int64_t ahead, bool whole) {
  const size_t n = v.lead.size() + v.dims.size();
  const bool alone = at + 1 == n;  // the windows are a new dimension
  v = with_rows(v, std::max(lies(v).in_rows, alone ? n : n - 1));
  if (!alone && lies(v).in_rows == n) {  // the last dimension lies in the rows: out of them
    if (is_variable(v.dims.back())) throw GraphError("lowering: windows of a variable last dimension");
    v = with_rows(std::move(v), n - 1);
  }
  const Dim was = full(v)[at], becomes = whole ? derived(was, int32_t(1 - size), 1) : was;
  std::vector<NodeId> parts;
  Value r;
  for (int64_t i = 0; i < size; ++i) {
    const int64_t offset = whole ? size - 1 - i : ahead - i;
    r = moved(v, at, 1, offset, becomes, 0);
    parts.push_back(offset == 0 && !whole ? v.node : r.node);
  }
  r.node = g_->concat_cols(parts);
  if (alone) r.dims.push_back({size, -1, {}, {}});
  else r.dims.back() = {r.dims.back().n * size, -1, {}, {}};
  return r;
}

Value Lowering::every_rows(Value v, size_t at, int64_t k) {
  v = with_rows(v, std::max(lies(v).in_rows, at + 1));
  return moved(v, at, k, 0, derived(full(v)[at], 0, int32_t(k)), 0);
}

Value Lowering::concat_rows_inside(std::span<const Value> parts) {
  std::vector<const Value*> values;
  for (const Value& p : parts) values.push_back(&p);
  Joint j = joint(values);
  const bool numbers = j.dims.size() == j.lead;  // they make a dimension
  if (numbers) j.dims.emplace_back();
  const size_t n = j.dims.size();
  std::vector<NodeId> nodes;
  int64_t cols = 0;
  j.k = std::max(j.k, n - 1);
  if (j.k == n) {  // the last dimension lies in the rows of one of them
    if (is_variable(j.dims.back())) throw GraphError("lowering: a variable dimension is joined");
    j.k = n - 1;
  }
  const Rows rows = rows_for(j.dims, j.k, j.here);
  for (size_t i = 0; i < parts.size(); ++i) {
    NodeId node = laid(parts[i], j, i);
    if (g_->shape(node).rows != rows) node = op(Op::Add, {g_->constant(0, rows, g_->shape(node).cols), node});
    nodes.push_back(node);
    cols += g_->shape(node).cols;
  }
  Value v = in_rows_of(j, g_->concat_cols(nodes));
  v.dims.back() = {cols, -1, {}, {}};
  return v;
}

/// [M, N] of each row, exchanged.
Value Lowering::transpose_rows(Value v) {
  const size_t n = v.lead.size() + 2;
  v = with_rows(std::move(v), n);
  std::vector<Dim> dims = full(v);
  std::swap(dims[n - 1], dims[n - 2]);
  std::vector<RowMap::From> sources;
  const std::vector<Dim> was = full(v);
  for (size_t i = 0; i < n; ++i) {
    const size_t to = i + 1 == n ? n - 2 : i + 2 == n ? n - 1 : i;
    sources.push_back({int(to), 1, 0, extent(was[i])});
  }
  const Rows rows = rows_for(dims, n, lies(v).here);
  v.node = g_->gather(v.node, row_index(rows, g_->shape(v.node).rows, dims, std::move(sources)));
  std::swap(v.dims[0], v.dims[1]);
  v.inner = int(n);
  if (lies(v).steps) --v.inner;
  return v;
}

/// The first dimension, of fixed size, as steps of a scan.
Value Lowering::as_steps(Value v, int64_t n) {
  Dim step = v.dims.at(0);
  step.n = n;
  step.sequence = space({.kind = Space::Constant, .name = {}, .steps = int32_t(n), .inside = {}});
  if (v.dims[0].sequence == step.sequence && lies(v).steps) return v;
  v.dims[0] = step;
  const std::vector<Dim> dims = v.dims;
  const size_t k = std::max<size_t>(lies(v).in_rows, 1);
  std::vector<size_t> places;
  for (size_t i = 0; i < dims.size(); ++i) places.push_back(i);
  const Rows rows = rows_for(dims, k, false);
  Value from = v;
  from.dims[0].sequence = -1;
  v.node = laid_in(from, places, dims, k, rows);
  if (g_->shape(v.node).rows != rows)  // the same for all rows
    v.node = g_->gather(v.node, row_index(rows, g_->shape(v.node).rows, std::span(dims).first(k), {}));
  v.row = true;
  v.inner = int(k) - 1;
  forget_scan(v);
  return v;
}

}  // namespace rnnc::lowering
