// Lowering of values with rows inside rows: where their dimensions lie, and how they meet.
//
// Of the dimensions of a value the first ones may lie in the rows, the others lie flat in the columns:
//
//   x: [T, Y, X, C]     rows T, columns Y·X·C        a stack of steps
//                       rows T: Y·X, columns C       each step of each row has Y·X rows inside
//   A: [N, N]           rows N: N, one column        a variable dimension lies in the rows, always
//
// `laid` brings a value to the rows of another one: it cuts columns into rows or joins rows to columns, and
// where the rows differ it gathers by an index that the batch brings (ir/spaces.h).
#include <algorithm>
#include <array>
#include <numeric>

#include "frontend/lower_values.h"

namespace rnnc::lowering {

/// All dimensions, those too that a layer does not see.
std::vector<Dim> full(const Value& v) {
  std::vector<Dim> dims = v.lead;
  dims.insert(dims.end(), v.dims.begin(), v.dims.end());
  return dims;
}

int32_t flat(std::span<const Dim> dims) {
  int64_t n = 1;
  for (const Dim& d : dims) n *= d.n;
  return int32_t(n);
}

namespace {

bool is_here(Rows rows) {
  return rows.kind == Rows::Steps && rows.begin == Rows::kHere;
}

std::vector<size_t> counted(size_t n) {
  std::vector<size_t> list(n);
  std::iota(list.begin(), list.end(), 0);
  return list;
}

}  // namespace

bool Lowering::is_variable(const Dim& d) const {
  return d.sequence >= 0 && model_.spaces.at(size_t(d.sequence)).kind != Space::Constant;
}

Extent Lowering::extent(const Dim& d) const {
  if (is_variable(d)) return {1, {d.sequence}};
  return {int32_t(d.n), {}};
}

Extent Lowering::extent(std::span<const Dim> dims) const {
  Extent all;
  for (const Dim& d : dims) all = all * extent(d);
  std::sort(all.of.begin(), all.of.end());
  return all;
}

int Lowering::space(Space wanted) {
  auto& spaces = model_.spaces;
  const auto found = std::find(spaces.begin(), spaces.end(), wanted);
  if (found != spaces.end()) return int(found - spaces.begin());
  if (spaces.size() > 250) throw GraphError("lowering: too many kinds of rows");
  spaces.push_back(std::move(wanted));
  return int(spaces.size()) - 1;
}

/// Rows like those of space `base`, each with as many inside as `dims` say.
int Lowering::inner_space(int base, std::span<const Dim> dims) {
  if (dims.empty()) return base;
  return space({.kind = Space::Inner, .name = {}, .base = base, .inside = extent(dims)});
}

/// Where a value's dimensions lie. `base`: the space around.
Lowering::Lies Lowering::lies(const Value& v) const {
  const Rows rows = g_->shape(v.node).rows;
  Lies l;
  l.shared = rows.kind == Rows::Fixed;
  if (l.shared) return l;
  const Space& s = model_.spaces.at(rows.dim);
  l.base = s.kind == Space::Inner ? s.base : rows.dim;
  l.here = is_here(rows);
  l.steps = rows.kind == Rows::Steps && !l.here;
  l.in_rows = size_t(v.inner) + l.steps;
  return l;
}

/// The rows of the first `k` of these dimensions.
Rows Lowering::rows_for(std::span<const Dim> dims, size_t k, bool here) {
  if (here) return Rows::here(inner_space(open_->dim, dims.first(k)));
  if (k > 0 && dims[0].sequence >= 0) return Rows::all(inner_space(dims[0].sequence, dims.subspan(1, k - 1)));
  return Rows::batch(inner_space(0, dims.first(k)));
}

NodeId Lowering::row_index(Rows to, Rows from, std::span<const Dim> dims, std::vector<RowMap::From> sources) {
  RowMap map;
  map.to = is_here(to) ? Rows::batch(to.dim) : to;
  map.from = is_here(from) ? Rows::batch(from.dim) : from;
  for (const Dim& d : dims) map.dims.push_back(extent(d));
  map.sources = std::move(sources);
  const NodeId all = g_->input(to_string(map), {Type::I32, map.to, 1});
  return is_here(to) ? g_->take_rows(all, to) : all;
}

/// The value with its first `k` dimensions in the rows, the others in the columns, moved as little as that
/// needs.
NodeId Lowering::cut(const Value& v, size_t k) {
  const std::vector<Dim> dims = full(v);
  const std::span<const Dim> all = dims;
  const Lies at = lies(v);
  const int32_t cols = flat(all.subspan(k));
  if (at.shared) {
    const Shape now = g_->shape(v.node);
    const Rows rows = Rows::fixed(flat(all.first(k)));
    return now.cols > cols ? g_->split_cols(v.node, rows, cols) : g_->join_rows(v.node, rows, cols);
  }
  if (k == at.in_rows) return v.node;
  for (size_t i = k; i < at.in_rows; ++i) {
    if (is_variable(dims[i])) throw GraphError("lowering: a variable dimension lies in the rows");
  }
  NodeId node = v.node;
  if (at.steps && k == 0) {  // a scan along a fixed dimension gave it: example by example
    const Rows inside = Rows::batch(inner_space(0, all.first(at.in_rows)));
    std::vector<RowMap::From> same;
    for (size_t i = 0; i < at.in_rows; ++i) same.push_back({int(i), 1, 0, extent(dims[i])});
    node = g_->gather(node, row_index(inside, g_->shape(node).rows, all.first(at.in_rows), same));
    return g_->join_rows(node, Rows::batch(0), cols);
  }
  const size_t front = at.steps ? 1 : 0;
  Rows rows = g_->shape(node).rows;
  rows.dim = uint8_t(inner_space(at.base, all.subspan(front, k - front)));
  return k > at.in_rows ? g_->split_cols(node, rows, cols) : g_->join_rows(node, rows, cols);
}

/// Where the dimensions of several values are found among those of what they make: the tail of one is the
/// other, behind what a layer does not see.
Lowering::Joint Lowering::joint(std::span<const Value* const> values) {
  Joint j;
  for (const Value* v : values) {
    if (v->lead.size() > j.lead) {
      j.lead = v->lead.size();
      j.dims.assign(v->lead.begin(), v->lead.end());
    }
  }
  size_t most = 0;
  for (const Value* v : values) most = std::max(most, v->dims.size());
  j.dims.resize(j.lead + most);
  for (const Value* v : values) {
    std::vector<size_t> places = counted(v->lead.size());
    for (size_t i = 0; i < v->dims.size(); ++i) {
      places.push_back(j.dims.size() - v->dims.size() + i);
      Dim& d = j.dims[places.back()];
      if (d.n == 0 && d.sequence < 0) d = v->dims[i];
      if (d.sequence < 0) d.sequence = v->dims[i].sequence;
      if (d.label.empty()) d.label = v->dims[i].label;
    }
    j.places.push_back(std::move(places));
    j.here = j.here || lies(*v).here;
  }
  choose_rows(j, values);
  return j;
}

/// So many dimensions go into the rows that nothing has to come out of them and all columns are the same.
void Lowering::choose_rows(Joint& j, std::span<const Value* const> values) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < values.size(); ++i) {
      const Lies at = lies(*values[i]);
      const std::vector<size_t>& places = j.places[i];
      size_t need = at.in_rows > 0 ? places[at.in_rows - 1] + 1 : 0;
      if (at.shared || at.in_rows < places.size()) {  // columns that are the end of the joint ones, not all
        size_t first = 0;
        while (first < places.size() && places[first] < j.k) ++first;
        if (first < places.size()) need = std::max(need, places[first]);
      }
      if (need > j.k) {
        j.k = need;
        changed = true;
      }
    }
  }
}

/// Value number `i` of a joint in its rows and columns. What all rows share stays one row, as long as it has
/// no dimension in the rows.
NodeId Lowering::laid(const Value& v, const Joint& j, size_t i) {
  return laid_in(v, j.places[i], j.dims, j.k, rows_for(j.dims, j.k, j.here));
}

NodeId Lowering::laid_in(const Value& v, std::span<const size_t> places, std::span<const Dim> dims, size_t k,
                         Rows rows) {
  const size_t own = size_t(std::count_if(places.begin(), places.end(), [&](size_t p) { return p < k; }));
  const NodeId node = cut(v, own);
  const Rows from = g_->shape(node).rows;
  if (from == rows || (from.kind == Rows::Fixed && own == 0)) return node;
  const std::vector<Dim> mine = full(v);
  std::vector<RowMap::From> sources;
  for (size_t i = 0; i < own; ++i) sources.push_back({int(places[i]), 1, 0, extent(mine[i])});
  return g_->gather(node, row_index(rows, from, dims.first(k), std::move(sources)));
}

/// The result of an operation in the rows of a joint.
Value Lowering::in_rows_of(const Joint& j, NodeId node) {
  Value v;
  v.node = node;
  v.lead.assign(j.dims.begin(), j.dims.begin() + long(j.lead));
  v.dims.assign(j.dims.begin() + long(j.lead), j.dims.end());
  v.row = true;
  size_t i = 0;
  for (std::vector<Dim>* dims : {&v.lead, &v.dims})
    for (Dim& d : *dims)
      if (i++ >= j.k) d.sequence = -1;
  const Rows rows = g_->shape(node).rows;
  if (rows.kind != Rows::Fixed) v.inner = int(j.k) - (rows.kind == Rows::Steps && !is_here(rows));
  return v;
}

/// A value alone, with `k` dimensions in the rows.
Value Lowering::with_rows(Value v, size_t k) {
  v.node = cut(v, k);
  if (!lies(v).shared) v.inner = int(k) - lies(v).steps;
  size_t i = 0;  // what lies in the columns are no steps
  for (std::vector<Dim>* dims : {&v.lead, &v.dims})
    for (Dim& d : *dims)
      if (i++ >= k) d.sequence = -1;
  v.parts.clear();
  v.ends.clear();
  return v;
}

/// All but the last dimension in the rows, or more.
Value Lowering::by_last(const Value& v) {
  const size_t n = v.lead.size() + v.dims.size();
  if (lies(v).shared) return v;
  return with_rows(v, std::max(lies(v).in_rows, n - 1));
}

/// Whether the rows of values are those that align() knows: of examples, of steps, or of the step at hand.
bool Lowering::plain(const Value& v) const {
  const Lies at = lies(v);
  return at.shared || (v.inner == 0 && v.lead.size() <= 1 && (open_ == nullptr || at.here));
}

bool Lowering::plain(const Value& a, const Value& b) const {
  if (!plain(a) || !plain(b)) return false;
  const Rows ra = g_->shape(a.node).rows, rb = g_->shape(b.node).rows;
  if (ra.kind == Rows::Steps && rb.kind == Rows::Steps && (ra != rb || a.lead.size() != b.lead.size()))
    return false;
  auto columns = [&](const Value& v) {
    const Lies at = lies(v);
    return v.lead.size() + v.dims.size() - at.in_rows;
  };
  const size_t ca = columns(a), cb = columns(b);
  if (lies(a).shared && lies(b).shared) return true;
  return ca == 0 || cb == 0 || ca == cb;
}

Value Lowering::elementwise_rows(Op o, const Value& a, const Value& b) {
  const std::array values{&a, &b};
  const Joint j = joint(values);
  return in_rows_of(j, op(o, {laid(a, j, 0), laid(b, j, 1)}));
}

/// A value with these dimensions in front, the same for all of them.
Value Lowering::spread(Value v, std::span<const Dim> lead) {
  if (v.lead.size() == lead.size()) return v;
  Value zero;
  zero.lead.assign(lead.begin(), lead.end());
  const Rows rows = rows_for(lead, lead.size(), open_ != nullptr);
  zero.node = g_->constant(0, rows, 1);
  zero.inner = int(lead.size()) - (rows.kind == Rows::Steps && !is_here(rows));
  zero.row = true;
  return elementwise_rows(Op::Add, zero, v);
}

}  // namespace rnnc::lowering
