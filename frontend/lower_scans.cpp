// Lowering of scans: a cell becomes the graph of one step, with what it reads as ports; combinators make
// several scans of one.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

const ast::CellRef& innermost(const ast::CellRef& ref) {
  const ast::CellRef* r = &ref;
  while (r->is_combinator()) r = &r->inner[0];
  return *r;
}

}  // namespace

NodeId Lowering::add_scan(ScanBody body, std::span<const NodeId> operands) {
  model_.scans.push_back(std::move(body));
  return g_->add(Op::Scan, operands, {.offset = int32_t(model_.scans.size() - 1)});
}

NodeId Lowering::scan_result(NodeId scan, int which, Type type, int dim, int32_t cols) {
  return g_->add(Op::ScanResult, std::array{scan}, {.offset = which}, {type, Rows::all(dim), cols});
}

Value Lowering::scan(const ast::Scan& s, Scope& scope) {
  if (open_ != nullptr) not_built(s.place, "a scan in a cell");
  std::vector<Value> over;
  for (const Expr& e : s.over) over.push_back(expr(e, scope));
  const bool in_front = std::ranges::any_of(over, [](const Value& v) { return !v.lead.empty(); });
  for (Value& v : over) {
    if (!v.row) not_built(s.place, "a scan over what is the same for all rows");
    if (!in_front && !is_variable(v.dims.at(0))) v = as_steps(v, v.dims[0].n);
  }
  Dim steps;
  if (!over.empty()) steps = over[0].dims[0];
  if (s.count) steps = size(*s.count, scope);
  if (s.count && !is_variable(steps)) {
    steps.sequence = space({.kind = Space::Constant, .name = {}, .steps = int32_t(steps.n), .inside = {}});
    steps.label.clear();
  }
  const ast::CellRef& cell = innermost(s.cell);
  const auto let = scope.instances.find(cell.name);
  const std::string path = let != scope.instances.end() ? let->second.path : instance_path(cell.name, scope);
  if (in_front && (s.fold || s.carry))
    not_built(s.place, fmt::format("`{}` in a layer along other dimensions", s.fold ? "fold" : "carry"));
  if (s.fold) return fold(s, s.cell, std::move(over), path, scope);
  if (!in_front) return scan_ref(s, s.cell, {steps, std::move(over), {}}, false, path, scope);
  const Steps along = scan_in_front(s, std::move(over));
  return behind(scan_ref(s, s.cell, along, false, path, scope), along, steps);
}

/// A cell with its combinators: see language.md section 4 for what they mean, section 7 for the names.
Value Lowering::scan_ref(const ast::Scan& s, const ast::CellRef& ref, Steps along, bool reverse,
                         const std::string& path, Scope& scope) {
  if (!ref.is_combinator()) {
    const auto let = scope.instances.find(ref.name);
    if (let == scope.instances.end()) return scan_cell(s, ref, along, reverse, path, scope);
    return scan_ref(s, *let->second.ref, std::move(along), reverse, path, scope);
  }
  const ast::CellRef& inner = ref.inner[0];
  if (ref.name == "reverse") return scan_ref(s, inner, std::move(along), !reverse, path, scope);
  if (ref.name == "both") {
    const Value a = scan_ref(s, inner, along, reverse, path + ".forward", scope);
    const Value b = scan_ref(s, inner, along, !reverse, path + ".backward", scope);
    auto join = [&](const Value& x, const Value& y) {
      if (x.dims.size() != 2 || x.inner > 0)
        not_built(s.place, "`both` of a cell whose state is not a vector");
      Value v = x;
      v.node = g_->concat_cols(std::array{x.node, y.node});
      v.dims.back() = {x.dims.back().n + y.dims.back().n, -1, {}, {}};
      v.ends.insert(v.ends.end(), y.ends.begin(), y.ends.end());
      return v;
    };
    Value result = join(a, b);
    for (auto& [part, value] : result.parts) value = join(a.parts.at(part), b.parts.at(part));
    return result;
  }
  // stack(cell, n)
  const int layers = int(number(ref.options.at(0).value, scope));
  double drop = 0;
  for (const ast::Arg& option : ref.options) {
    if (option.name == "dropout") drop = probability(option.value, "dropout", true, scope);
  }
  if (s.from_scan && along.layer >= 0 && layers > 1) not_built(s.place, "a stack of stacks");
  Value result;
  std::vector<Value> all;
  for (int layer = 1; layer <= layers; ++layer) {
    const std::string layer_path = path + "." + std::to_string(layer);
    if (layers > 1) along.layer = layer - 1;
    result = scan_ref(s, inner, along, reverse, layer_path, scope);
    all.push_back(result);
    if (layer < layers) along.over.assign(1, dropout(result, drop, layer_path + ".dropout", ref.place));
  }
  result.layers = std::move(all);
  return result;
}

/// The first values of states that are given, by the names of the states.
std::map<std::string, Value> Lowering::first_values(const ast::Scan& s, int layer, Scope& scope) {
  std::map<std::string, Value> first;
  for (const ast::Binding& b : s.first) first[b.name] = expr(b.value, scope);
  if (!s.from_scan) return first;
  const Value& whole = scope.values.at(s.from_scan->text);
  if (layer >= 0 && whole.layers.size() <= size_t(layer))
    not_built(s.from_scan->place, "`from` a scan of fewer layers");
  if (layer < 0 && whole.layers.size() > 1) not_built(s.from_scan->place, "`from` a scan of more layers");
  const Value& source = layer >= 0 ? whole.layers[size_t(layer)] : whole;
  for (const auto& [part, value] : source.parts) {
    if (!value.lead.empty()) {
      first[part] = finals(value);
      continue;
    }
    if (value.inner > 0) not_built(s.from_scan->place, "`from` a scan whose states are variable");
    Value v = value;
    std::vector<NodeId> finals;
    for (auto [node, backwards] : v.ends)
      finals.push_back(backwards ? this->first(node, v.dims[0].sequence) : last(node, v.dims[0].sequence));
    v.node = g_->concat_cols(finals);
    v.dims.erase(v.dims.begin());
    first[part] = v;
  }
  return first;
}

/// A value as a port of the body: at the step at hand, or whole if it has dimensions of its own that are
/// variable.
Value Lowering::port_value(Value v, ScanBody& body, std::vector<NodeId>& operands, bool whole) {
  v.parts.clear();
  v.ends.clear();
  v.layers.clear();
  Shape shape = model_.graph.shape(v.node);
  NodeId operand = v.node;
  if (!whole && shape.rows.kind != Rows::Fixed) {
    if (shape.rows.kind == Rows::Batch && shape.rows.dim == 0) operand = in_order(v.node, 0, body.dim);
    const Rows rows = model_.graph.shape(operand).rows;
    shape.rows = Rows::here(rows.dim);
  }
  v.node = body.body.input("%" + std::to_string(operands.size()), shape);
  operands.push_back(operand);
  return v;
}

/// A value that does not change from step to step: of each row, or with dimensions of its own.
Value Lowering::constant_port(const ast::Scan& s, Value v, const Steps& along, ScanBody& body,
                              std::vector<NodeId>& operands) {
  bool variable = false;
  for (Dim& d : v.dims) {
    variable = variable || is_variable(d);
    if (!is_variable(d)) d.sequence = -1;
  }
  if (v.lead.size() > along.lead.size() || (variable && !v.lead.empty()))
    not_built(s.place, "a scan with what differs along dimensions that a layer does not see");
  if (!variable && !along.lead.empty()) v = in_rows_of_scan(v, along);
  else if (!variable && !lies(v).shared) v = with_rows(v, 0);
  return port_value(v, body, operands, variable);
}

/// The first value of a state in the rows of the scan: given, or 0.
Value Lowering::first_state(const ast::Scan& s, const ast::Port& p, const std::map<std::string, Value>& given,
                            const Steps& along, Scope& inner) {
  Value v;
  v.dims = dims_of(p.type, inner);
  v.row = true;
  size_t k = 0;
  for (size_t i = 0; i < v.dims.size(); ++i)
    if (is_variable(v.dims[i])) k = i + 1;
  v.inner = int(k);
  const std::span<const Dim> dims = v.dims;
  const int dim = along.dim.sequence;
  const Rows rows = Rows::batch(inner_space(dim, dims.first(k)));
  const int32_t cols = flat(dims.subspan(k));
  v.node = g_->constant(0, rows, cols);
  const auto it = given.find(p.name);
  if (it == given.end()) return v;
  const Value& begin = it->second;  // a number or a value that all rows share fills the state
  const Node& node = (*g_)[begin.node];
  if (node.op == Op::Constant) {
    v.node = g_->constant(node.attr.value, rows, cols);
    return v;
  }
  if (begin.lead.size() > along.lead.size() || (k > 0 && !begin.lead.empty()))
    not_built(s.place, "a scan from what differs along dimensions that a layer does not see");
  if (k == 0 && !along.lead.empty() && !lies(begin).shared) {
    v.node = in_rows_of_scan(begin, along).node;
    return v;
  }
  if (k == 0 && plain(begin)) {
    v.node = lies(begin).shared ? g_->binary(Op::Add, v.node, begin.node) : in_order(begin.node, 0, dim);
    return v;
  }
  std::vector<size_t> places;
  for (size_t i = 0; i < begin.dims.size(); ++i) places.push_back(v.dims.size() - begin.dims.size() + i);
  const NodeId laid = laid_in(begin, places, dims, k, rows);
  v.node = g_->shape(laid).rows == rows ? laid : g_->binary(Op::Add, v.node, laid);
  return v;
}

/// In a cell: a new value of a state in the rows that the state has.
NodeId Lowering::next_state(const Value& v, const Value& state) {
  const Rows rows = g_->shape(state.node).rows;
  if (g_->shape(v.node).rows == rows) return v.node;
  std::vector<size_t> places;
  for (size_t i = 0; i < v.dims.size(); ++i) places.push_back(state.dims.size() - v.dims.size() + i);
  const NodeId laid = laid_in(v, places, state.dims, size_t(state.inner), rows);
  if (g_->shape(laid).rows == rows) return laid;
  return op(Op::Add, {g_->constant(0, rows, g_->shape(state.node).cols), laid});
}

Value Lowering::scan_cell(const ast::Scan& s, const ast::CellRef& ref, const Steps& along, bool reverse,
                          const std::string& path, Scope& scope) {
  const ast::Definition& d = *find(ref.name);
  const int dim = along.dim.sequence;
  ScanBody body;
  body.dim = dim;
  body.reverse = reverse;
  body.cell = true;
  Scope inner;
  inner.path = path;
  inner.dims = sizes_given(d, ref.sizes, scope);

  // Operands in the model's graph, ports in the body.
  Graph* const outer = g_;
  OpenScan open{dim, along.lead, {}, {}};
  std::vector<NodeId>& operands = open.operands;
  for (size_t i = 0; i < d.inputs.size(); ++i) {
    const ast::Port& p = d.inputs[i];
    Value v = along.over.at(i);
    v.dims.erase(v.dims.begin());
    bind(p.type, v, 0, inner.dims);
    v = port_value(v, body, operands, false);
    relabel(p.type, v);
    inner.values[p.name] = v;
  }
  body.sequences = int(d.inputs.size());
  for (const ast::Binding& b : s.constants) {
    const auto p = std::find_if(d.constants.begin(), d.constants.end(),
                                [&](const ast::Port& c) { return c.name == b.name; });
    Value v = expr(b.value, scope);
    bind(p->type, v, 0, inner.dims);
    v = constant_port(s, v, along, body, operands);
    relabel(p->type, v);
    inner.values[p->name] = v;
  }
  body.constants = int(s.constants.size());
  body.states = int(d.states.size());
  const std::map<std::string, Value> first = first_values(s, along.layer, scope);
  for (const ast::Port& p : d.states) {
    const auto it = first.find(p.name);
    if (it != first.end() && it->second.row) bind(p.type, it->second, 0, inner.dims);
  }
  std::map<std::string, Value> states;
  for (const ast::Port& p : d.states) {
    Value v = port_value(first_state(s, p, first, along, inner), body, operands, false);
    relabel(p.type, v);
    states[p.name] = inner.values[p.name] = v;
  }

  g_ = &body.body;
  OpenScan* const outer_scan = std::exchange(open_, &open);
  statements(d, inner);
  std::vector<std::string> names;
  std::vector<Value> results;
  for (const ast::Port& p : d.states) {
    Value v = inner.values.at(p.name + "'");
    v.node = next_state(v, states.at(p.name));
    v.inner = states.at(p.name).inner;
    v.dims = states.at(p.name).dims;
    body.next.push_back(v.node);
    results.push_back(v);
    names.push_back(p.name);
  }
  for (const ast::Port& p : d.results) {
    if (std::find(names.begin(), names.end(), p.name) != names.end()) continue;
    Value v = inner.values.at(p.name);
    if (!lies(v).here) {  // the same at every step
      Value zero;
      zero.node = g_->constant(0, Rows::here(dim), 1);
      v = elementwise_rows(Op::Add, zero, v);
    }
    results.push_back(v);
    names.push_back(p.name);
  }
  open_ = outer_scan;
  g_ = outer;
  set_origin(s.place, scope);
  for (const Value& v : results) body.results.push_back(v.node);
  std::vector<Shape> shapes;
  for (const NodeId result : body.results) shapes.push_back(body.body.shape(result));
  std::vector<int> state_results;  // of each state, those of delays too: which result it is
  for (int k = 0; k < body.states; ++k) state_results.push_back(k);
  for (NodeId next : open.remembered) {
    if (reverse && body.body.shape(next).type == Type::I32)
      not_built(s.place, "a delayed category in a scan backwards");
    if (s.carry) state_results.push_back(int(body.results.size()));
    if (s.carry) body.results.push_back(next);
    body.next.push_back(next);
    ++body.states;
  }
  if (s.carry) {
    if (reverse) not_built(s.place, "`carry` backwards");
    for (int k = 0; k < body.states; ++k) {
      NodeId& first_value = operands[size_t(body.sequences + body.constants + k)];
      if (g_->shape(first_value).rows != Rows::batch(dim)) not_built(s.place, "`carry` of a variable state");
      first_value = carried_first(first_value, carries_ + k, s.place);
    }
  }
  const NodeId node = add_scan(std::move(body), operands);
  for (size_t k = 0; s.carry && k < state_results.size(); ++k) {
    const Shape shape = g_->shape(operands[operands.size() - state_results.size() + k]);
    const NodeId all = scan_result(node, state_results[k], shape.type, dim, shape.cols);
    model_.graph.roots.push_back({carry_output(carries_++), last(all, dim)});
  }
  for (size_t k = 0; k < names.size(); ++k) {
    Value& v = results[k];
    for (Dim& d : v.dims) d.label.clear();
    v.node = scan_result(node, int(k), shapes[k].type, shapes[k].rows.dim, shapes[k].cols);
    v.dims.insert(v.dims.begin(), along.dim);
    v.row = true;
    v.ends = {{v.node, reverse}};
  }
  return with_parts(d, names, results);
}

/// The main result of a cell, with all others as its parts.
Value Lowering::with_parts(const ast::Definition& d, const std::vector<std::string>& names,
                           const std::vector<Value>& results) {
  const std::string& main = d.results.empty() ? d.states[0].name : d.results[0].name;
  const size_t which = size_t(std::find(names.begin(), names.end(), main) - names.begin());
  Value result = results[which];
  for (size_t k = 0; k < names.size(); ++k) result.parts[names[k]] = results[k];
  return result;
}

}  // namespace rnnc::lowering
