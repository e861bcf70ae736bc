// Lowering of `fold`: a tree cell over all nodes of a batch of trees, level by level from the leaves to the
// roots. Rows are brought into the order of the levels (Space::Levels) and back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "frontend/lower_values.h"

namespace rnnc::lowering {

/// A value along the nodes of a tree, from the order of space `from` to that of `to`.
NodeId Lowering::in_levels(NodeId stack, int from, int to, const Dim& nodes) {
  const Rows rows = Rows::all(to);
  const std::array dims{nodes};
  return g_->gather(stack, row_index(rows, Rows::all(from), dims, {{0, 1, 0, extent(nodes)}}));
}

Value Lowering::fold(const ast::Scan& s, const ast::CellRef& cell, std::vector<Value> over,
                     const std::string& path, Scope& scope) {
  const auto let = scope.instances.find(cell.name);
  const ast::CellRef& ref = let == scope.instances.end() ? cell : *let->second.ref;
  if (ref.is_combinator()) not_built(s.place, fmt::format("`{}` of a tree cell", ref.name));
  if (!s.first.empty() || s.from_scan || s.carry) not_built(s.place, "a first state of a `fold`");
  const ast::Definition& d = *find(ref.name);
  const Dim nodes = over.at(0).dims.at(0);
  const int levels = space({.kind = Space::Levels, .name = {}, .base = nodes.sequence, .inside = {}});
  ScanBody body;
  body.dim = levels;
  body.reverse = body.cell = body.tree = true;
  Scope inner;
  inner.path = path;
  inner.dims = sizes_given(d, ref.sizes, scope);
  Graph* const outer = g_;
  OpenScan open{levels, {}, {}, {}};
  for (size_t i = 0; i < d.inputs.size(); ++i) {
    Value v = over.at(i);
    if (v.inner > 0) not_built(s.place, "a `fold` over nodes with variable dimensions");
    v.node = in_levels(v.node, nodes.sequence, levels, nodes);
    v.dims.erase(v.dims.begin());
    bind(d.inputs[i].type, v, 0, inner.dims);
    v = port_value(v, body, open.operands, false);
    relabel(d.inputs[i].type, v);
    inner.values[d.inputs[i].name] = v;
  }
  body.sequences = int(d.inputs.size());
  for (const ast::Binding& b : s.constants) {
    const auto p = std::find_if(d.constants.begin(), d.constants.end(),
                                [&](const ast::Port& c) { return c.name == b.name; });
    Value v = expr(b.value, scope);
    if (!lies(v).shared) not_built(b.place, "`with` values of each row in a `fold`");
    bind(p->type, v, 0, inner.dims);
    v = constant_port(s, v, {nodes, {}, {}}, body, open.operands);
    relabel(p->type, v);
    inner.values[p->name] = v;
  }
  body.constants = int(s.constants.size());
  body.states = int(d.states.size());
  size_t port = open.operands.size();
  for (const char* side : {"left", "right"}) {
    Value& child = inner.values[side];
    for (const ast::Port& p : d.states) {
      Value v;
      v.dims = dims_of(p.type, inner);
      if (std::any_of(v.dims.begin(), v.dims.end(), [&](const Dim& n) { return is_variable(n); }))
        not_built(p.type.place, "a state of a tree cell with variable dimensions");
      v.row = true;
      v.node = body.body.input("%" + std::to_string(port++), {Type::F32, Rows::here(levels), flat(v.dims)});
      child.parts[p.name] = v;
    }
  }
  const Shape index{Type::I32, Rows::all(levels), 1};
  open.operands.push_back(g_->input(left_input(levels), index));
  open.operands.push_back(g_->input(right_input(levels), index));

  g_ = &body.body;
  OpenScan* const outer_scan = std::exchange(open_, &open);
  statements(d, inner);
  std::vector<std::string> names;
  std::vector<Value> results;
  for (const ast::Port& p : d.states) {
    Value v = inner.values.at(p.name + "'");
    v.node = own_rows(v.node);
    body.next.push_back(v.node);
    results.push_back(v);
    names.push_back(p.name);
  }
  for (const ast::Port& p : d.results) {
    if (std::find(names.begin(), names.end(), p.name) != names.end()) continue;
    results.push_back(inner.values.at(p.name));
    results.back().node = own_rows(results.back().node);
    names.push_back(p.name);
  }
  open_ = outer_scan;
  g_ = outer;
  set_origin(s.place, scope);
  if (!open.remembered.empty()) not_built(s.place, "`delay` in a tree cell");
  for (const Value& v : results) body.results.push_back(v.node);
  std::vector<Shape> shapes;
  for (const NodeId result : body.results) shapes.push_back(body.body.shape(result));
  const NodeId node = add_scan(std::move(body), open.operands);
  for (size_t k = 0; k < names.size(); ++k) {
    Value& v = results[k];
    for (Dim& dim : v.dims) dim.label.clear();
    v.node = in_levels(scan_result(node, int(k), shapes[k].type, levels, shapes[k].cols), levels,
                       nodes.sequence, nodes);
    v.dims.insert(v.dims.begin(), nodes);
    v.row = true;
  }
  return with_parts(d, names, results);
}

}  // namespace rnnc::lowering
