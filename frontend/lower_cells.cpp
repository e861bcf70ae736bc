// Lowering of uses of layers and cells: matching sizes, copying a layer or one step of a cell in place, and
// scans.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <utility>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

void names_in(const Expr& e, std::vector<std::string>& out) {
  if (e.kind == Expr::Kind::Name) {
    if (std::find(out.begin(), out.end(), e.text) == out.end()) out.push_back(e.text);
  }
  for (const Expr& operand : e.operands) names_in(operand, out);
}

std::vector<std::string> names_of(const std::vector<ast::Port>& ports) {
  std::vector<std::string> names;
  for (const ast::Port& port : ports) {
    for (const ast::Size& s : port.type.sizes) names_in(s.value, names);
  }
  return names;
}

/// The dimensions that sizes without a name give, in their order (language.md section 3).
std::vector<std::string> size_order(const ast::Definition& d) {
  if (!d.states.empty()) return names_of(d.states);
  std::vector<std::string> names;
  const std::vector<std::string> in = names_of(d.inputs), with = names_of(d.constants);
  for (const std::string& n : names_of(d.results)) {
    const bool given = std::find(in.begin(), in.end(), n) != in.end() ||
                       std::find(with.begin(), with.end(), n) != with.end();
    if (!given) names.push_back(n);
  }
  return names;
}

const ast::CellRef& innermost(const ast::CellRef& ref) {
  const ast::CellRef* r = &ref;
  while (r->is_combinator()) r = &r->inner[0];
  return *r;
}

}  // namespace

Lowering::Bound Lowering::sizes_given(const ast::Definition& definition, const std::vector<ast::Arg>& sizes,
                                      Scope& scope) {
  Bound bound;
  const std::vector<std::string> order = size_order(definition);
  size_t next = 0;
  for (const ast::Arg& arg : sizes)
    bound[arg.name.empty() ? order.at(next++) : arg.name] = size(arg.value, scope);
  return bound;
}

/// Gives the names of a declared type their values from a value, whose first `lead` dimensions stand in
/// front.
void Lowering::bind(const ast::Type& type, const Value& value, size_t lead, Bound& bound) {
  if (!type.vocabulary.empty())
    bound.try_emplace(type.vocabulary, Dim{in_.sizes.at(value.vocabulary), -1, value.vocabulary});
  for (size_t i = 0; i < type.sizes.size(); ++i) {
    const Expr& e = type.sizes[i].value;
    if (e.kind == Expr::Kind::Name) bound.try_emplace(e.text, value.dims[lead + i]);
  }
}

/// A layer, or one step of a cell, copied in place.
Value Lowering::call_definition(const Expr& call, const ast::Definition& d,
                                const std::vector<ast::Arg>& sizes, const std::string& path, Scope& scope) {
  if (d.tree) not_built(call.place, "tree cells");
  std::vector<const ast::Port*> ports;
  for (const ast::Port& p : d.inputs) ports.push_back(&p);
  for (const ast::Port& p : d.constants) ports.push_back(&p);
  std::map<std::string, Value> given;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const ast::Arg& arg = call.args[i];
    given[arg.name.empty() ? ports.at(i)->name : arg.name] = expr(arg.value, scope);
  }
  for (size_t i = 0; i < d.states.size(); ++i) {
    given[d.states[i].name] = expr(call.states.at(i).value, scope);
    ports.push_back(&d.states[i]);
  }

  Scope inner;
  inner.path = path;
  inner.dims = sizes_given(d, sizes, scope);
  std::vector<Dim> lead;
  for (const ast::Port* p : ports) {
    Value v = given.at(p->name);
    const size_t front = v.dims.size() - p->type.sizes.size();
    if (front > 0) {
      lead.assign(v.dims.begin(), v.dims.begin() + long(front));
      if (front > 1 || lead[0].sequence < 0)
        not_built(call.place, fmt::format("`{}` along more than a sequence", d.name));
    }
    bind(p->type, v, front, inner.dims);
    v.dims.erase(v.dims.begin(), v.dims.begin() + long(front));
    v.parts.clear();
    v.ends.clear();
    inner.values[p->name] = v;
  }
  statements(d, inner);

  const bool cell = !d.states.empty();
  auto value_of = [&](const std::string& n) {
    const bool state =
        std::any_of(d.states.begin(), d.states.end(), [&](const ast::Port& p) { return p.name == n; });
    Value v = inner.values.at(state ? n + "'" : n);
    v.dims.insert(v.dims.begin(), lead.begin(), lead.end());
    v.parts.clear();
    v.ends.clear();
    return v;
  };
  Value result = value_of(d.results.empty() ? d.states[0].name : d.results[0].name);
  if (cell) {
    for (const ast::Port& p : d.states) result.parts[p.name] = value_of(p.name);
  }
  for (const ast::Port& p : d.results) result.parts[p.name] = value_of(p.name);
  g_->set_origin(0);
  set_origin(call.place, scope);
  return result;
}

NodeId Lowering::add_scan(ScanBody body, std::span<const NodeId> operands) {
  model_.scans.push_back(std::move(body));
  return g_->add(Op::Scan, operands, {.offset = int32_t(model_.scans.size() - 1)});
}

NodeId Lowering::scan_result(NodeId scan, int which, Type type, int dim, int32_t cols) {
  return g_->add(Op::ScanResult, std::array{scan}, {.offset = which}, {type, Rows::all(dim), cols});
}

Value Lowering::scan(const ast::Scan& s, Scope& scope) {
  if (s.fold) not_built(s.place, "`fold`");
  if (s.count) not_built(s.place, "`scan ... for`");
  std::vector<Value> over;
  for (const Expr& e : s.over) over.push_back(expr(e, scope));
  for (const Value& v : over) {
    if (!v.is_sequence()) not_built(s.place, "a scan along a dimension of fixed size");
  }
  const ast::CellRef& cell = innermost(s.cell);
  const auto let = scope.instances.find(cell.name);
  const std::string path = let != scope.instances.end() ? let->second.path : instance_path(cell.name, scope);
  return scan_ref(s, s.cell, std::move(over), false, path, scope);
}

/// A cell with its combinators: see language.md section 4 for what they mean, section 7 for the names.
Value Lowering::scan_ref(const ast::Scan& s, const ast::CellRef& ref, std::vector<Value> over, bool reverse,
                         const std::string& path, Scope& scope) {
  if (!ref.is_combinator()) {
    const auto let = scope.instances.find(ref.name);
    if (let == scope.instances.end()) return scan_cell(s, ref, over, reverse, path, scope);
    return scan_ref(s, *let->second.ref, std::move(over), reverse, path, scope);
  }
  const ast::CellRef& inner = ref.inner[0];
  if (ref.name == "reverse") return scan_ref(s, inner, std::move(over), !reverse, path, scope);
  if (ref.name == "both") {
    const Value a = scan_ref(s, inner, over, reverse, path + ".forward", scope);
    const Value b = scan_ref(s, inner, over, !reverse, path + ".backward", scope);
    auto join = [&](const Value& x, const Value& y) {
      if (x.dims.size() != 2) not_built(s.place, "`both` of a cell whose state is not a vector");
      Value v = x;
      v.node = g_->concat_cols(std::array{x.node, y.node});
      v.dims.back() = {x.dims.back().n + y.dims.back().n, -1, {}};
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
  if (layers > 1 && s.from_scan) not_built(s.place, "`from` another scan into a stack");
  Value result;
  for (int layer = 1; layer <= layers; ++layer) {
    const std::string layer_path = path + "." + std::to_string(layer);
    result = scan_ref(s, inner, over, reverse, layer_path, scope);
    if (layer < layers) over.assign(1, dropout(result, drop, layer_path + ".dropout", ref.place));
  }
  return result;
}

Value Lowering::scan_cell(const ast::Scan& s, const ast::CellRef& ref, const std::vector<Value>& over,
                          bool reverse, const std::string& path, Scope& scope) {
  const ast::Definition& d = *find(ref.name);
  const int dim = over[0].dims[0].sequence;
  ScanBody body;
  body.dim = dim;
  body.reverse = reverse;
  body.cell = true;
  Scope inner;
  inner.path = path;
  inner.dims = sizes_given(d, ref.sizes, scope);

  // Operands in the model's graph, ports in the body.
  Graph* const outer = g_;
  OpenScan open{dim, {}, {}};
  std::vector<NodeId>& operands = open.operands;
  auto port_of = [&](const ast::Port& p, const Value& v, size_t lead) {
    bind(p.type, v, lead, inner.dims);
    Value at_step = v;
    at_step.dims.erase(at_step.dims.begin(), at_step.dims.begin() + long(lead));
    at_step.parts.clear();
    at_step.ends.clear();
    Shape shape = outer->shape(v.node);
    const NodeId operand = shape.rows.kind == Rows::Batch ? in_order(v.node, 0, dim) : v.node;
    if (shape.rows.kind != Rows::Fixed || v.row) shape.rows = Rows::here(dim);
    at_step.node = body.body.input("%" + std::to_string(operands.size()), shape);
    operands.push_back(operand);
    inner.values[p.name] = at_step;
  };
  for (size_t i = 0; i < d.inputs.size(); ++i) port_of(d.inputs[i], over[i], 1);
  body.sequences = int(d.inputs.size());
  for (const ast::Binding& b : s.constants) {
    const auto p = std::find_if(d.constants.begin(), d.constants.end(),
                                [&](const ast::Port& c) { return c.name == b.name; });
    const Value v = expr(b.value, scope);
    if (v.is_sequence()) not_built(b.place, "a sequence as a constant of a scan");
    port_of(*p, v, 0);
  }
  body.constants = int(s.constants.size());
  body.states = int(d.states.size());
  std::map<std::string, Value> first;
  for (const ast::Binding& b : s.first) first[b.name] = expr(b.value, scope);
  if (s.from_scan) {
    for (auto& [part, value] : scope.values.at(s.from_scan->text).parts) {
      Value v = value;
      std::vector<NodeId> finals;
      for (auto [node, backwards] : v.ends)
        finals.push_back(backwards ? this->first(node, v.dims[0].sequence) : last(node, v.dims[0].sequence));
      v.node = g_->concat_cols(finals);
      v.dims.erase(v.dims.begin());
      first[part] = v;
    }
  }
  for (const ast::Port& p : d.states) {
    const auto it = first.find(p.name);
    if (it != first.end() && it->second.row) bind(p.type, it->second, 0, inner.dims);
  }
  for (const ast::Port& p : d.states) {
    Value v;
    v.dims = dims_of(p.type, inner);
    v.row = true;
    int64_t cols = 1;
    for (const Dim& n : v.dims) cols *= n.n;
    const auto it = first.find(p.name);
    v.node = outer->constant(0, Rows::batch(dim), int32_t(cols));
    if (it != first.end()) {  // a number or a value that all rows share fills the state
      const NodeId begin = it->second.node;
      const Node& node = (*outer)[begin];
      if (node.op == Op::Constant) v.node = outer->constant(node.attr.value, Rows::batch(dim), int32_t(cols));
      else v.node = it->second.row ? begin : outer->binary(Op::Add, v.node, begin);
    }
    port_of(p, v, 0);
  }

  g_ = &body.body;
  OpenScan* const outer_scan = std::exchange(open_, &open);
  statements(d, inner);
  std::vector<std::string> names;
  for (const ast::Port& p : d.states) {
    const NodeId next = own_rows(inner.values.at(p.name + "'").node);
    body.next.push_back(next);
    body.results.push_back(next);
    names.push_back(p.name);
  }
  open_ = outer_scan;
  g_ = outer;
  set_origin(s.place, scope);
  for (const ast::Port& p : d.results) {
    if (std::find(names.begin(), names.end(), p.name) != names.end()) continue;
    body.results.push_back(inner.values.at(p.name).node);
    names.push_back(p.name);
  }
  std::vector<Value> results;
  std::vector<Shape> shapes;
  for (size_t k = 0; k < names.size(); ++k) {
    const bool state = k < d.states.size();
    results.push_back(inner.values.at(state ? names[k] + "'" : names[k]));
    shapes.push_back(body.body.shape(body.results[k]));
  }
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
    v.node = scan_result(node, int(k), shapes[k].type, dim, shapes[k].cols);
    v.dims.insert(v.dims.begin(), over[0].dims[0]);
    v.row = true;
    v.ends = {{v.node, reverse}};
  }
  const std::string& main = d.results.empty() ? d.states[0].name : d.results[0].name;
  const size_t which = size_t(std::find(names.begin(), names.end(), main) - names.begin());
  Value result = results[which];
  for (size_t k = 0; k < names.size(); ++k) result.parts[names[k]] = results[k];
  return result;
}

}  // namespace rnnc::lowering
