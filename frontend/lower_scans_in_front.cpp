// Lowering of scans in a layer that goes along other dimensions, which the scan does not see:
//
//   layer word(c: C[U]) -> (v: [H]) { h = scan gru[H] over embed[E](c); v = final(h) }
//   w = word(x)                       x: C[S, U], a word of letters for each element of S: w is [S, H]
//
// All that stand in front take their steps together: each is a row of the scan. Sequences within a sequence
// are such rows as they come (Space::Nested). Along any other dimension the values are brought into rows
// inside each step, [T: S], and the result back, [S: T].
#include <fmt/format.h>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

/// Where the dimensions of a value lie when those in front come behind the first of its own.
std::vector<size_t> places_behind(size_t lead, size_t own) {
  std::vector<size_t> places;
  for (size_t i = 0; i < lead; ++i) places.push_back(i + 1);
  places.push_back(0);
  for (size_t i = 1; i < own; ++i) places.push_back(lead + i);
  return places;
}

}  // namespace

/// What a scan goes over, in rows of which each is one of those in front; as if nothing stood there.
Lowering::Steps Lowering::scan_in_front(const ast::Scan& s, std::vector<Value> over) {
  Steps along;
  for (const Value& v : over)
    if (v.lead.size() > along.lead.size()) along.lead = v.lead;
  const size_t lead = along.lead.size();
  const int outer = around(over[0].dims[0]);
  const bool nested = outer >= 0 && lead == 1 && outer == along.lead[0].sequence;
  Dim step = over[0].dims[0];
  if (!is_variable(step))
    step.sequence = space({.kind = Space::Constant, .name = {}, .steps = int32_t(step.n), .inside = {}});
  const Rows rows = nested ? Rows::all(step.sequence)
                           : Rows::all(inner_space(step.sequence, std::span<const Dim>(along.lead)));
  along.dim = step;
  along.dim.sequence = rows.dim;
  for (Value& v : over) {
    if (v.lead.size() < lead) v = spread(v, along.lead);
    if (nested) {
      v = with_rows(std::move(v), 2);
    } else {
      const size_t own = v.dims.size();
      for (size_t i = 1; i < own; ++i)
        if (is_variable(v.dims[i])) not_built(s.place, "a scan over variable values along other dimensions");
      std::vector<Dim> dims = {v.dims[0]};
      dims.insert(dims.end(), v.lead.begin(), v.lead.end());
      dims.insert(dims.end(), v.dims.begin() + 1, v.dims.end());
      Value from = v;
      if (!is_variable(from.dims[0])) from.dims[0].sequence = -1;
      v.node = laid_in(from, places_behind(lead, own), dims, lead + 1, rows);
    }
    v.lead.clear();
    v.inner = 0;
    v.dims[0] = along.dim;
  }
  along.over = std::move(over);
  return along;
}

/// A value that does not change from step to step, in the rows of such a scan.
Value Lowering::in_rows_of_scan(Value v, const Steps& along) {
  if (lies(v).shared) return v;
  std::vector<size_t> places;
  for (size_t i = 0; i < v.lead.size(); ++i) places.push_back(i);
  for (size_t i = 0; i < v.dims.size(); ++i) places.push_back(along.lead.size() + i);
  std::vector<Dim> dims = along.lead;
  dims.insert(dims.end(), v.dims.begin(), v.dims.end());
  v.node = laid_in(v, places, dims, along.lead.size(), Rows::batch(along.dim.sequence));
  v.lead.clear();
  v.inner = 0;
  return v;
}

/// The result of such a scan, with what stands in front there again.
Value Lowering::behind(Value v, const Steps& along, const Dim& step) {
  const size_t lead = along.lead.size(), k = lead + 1;
  v.lead = along.lead;
  v.dims[0] = step;
  std::vector<Dim> dims = full(v);
  const bool nested = around(step) >= 0;
  const auto back = [&](NodeId node) {
    if (nested) return node;
    std::vector<RowMap::From> sources = {{int(lead), 1, 0, extent(step)}};
    for (size_t i = 0; i < lead; ++i) sources.push_back({int(i), 1, 0, extent(dims[i])});
    const Rows rows = rows_for(dims, k, false);
    return g_->gather(node, row_index(rows, g_->shape(node).rows, std::span(dims).first(k), sources));
  };
  v.node = back(v.node);
  v.inner = inner_of(v.node, k);
  if (!is_variable(step)) v.dims[0].sequence = -1;
  for (auto& [node, backwards] : v.ends) node = back(node);
  for (auto& [name, part] : v.parts) part = behind(part, along, step);
  for (Value& layer : v.layers) layer = behind(layer, along, step);
  return v;
}

}  // namespace rnnc::lowering
