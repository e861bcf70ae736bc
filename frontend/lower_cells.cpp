// Lowering of uses of layers and cells: matching sizes, copying a layer or one step of a cell in place.
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
    bound.try_emplace(type.vocabulary, Dim{in_.sizes.at(value.vocabulary), -1, value.vocabulary, {}});
  for (size_t i = 0; i < type.sizes.size(); ++i) {
    const Expr& e = type.sizes[i].value;
    if (e.kind != Expr::Kind::Name) continue;
    Dim d = value.dims[lead + i];
    d.label = e.text;
    bound.try_emplace(e.text, d);
  }
}

/// The dimensions of a value by the names of a declared type.
void Lowering::relabel(const ast::Type& type, Value& v) const {
  for (size_t i = 0; i < type.sizes.size() && i < v.dims.size(); ++i) {
    const Expr& e = type.sizes[i].value;
    v.dims[i].label = e.kind == Expr::Kind::Name ? e.text : "";
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
  std::map<std::string, std::string> outside;  // the caller's names of dimensions, by those inside
  std::vector<Dim> lead;  // what the layer does not see: what is hidden already, then what stands in front
  for (const auto& [name, v] : given)
    if (v.lead.size() > lead.size()) lead = v.lead;
  const size_t hidden = lead.size();
  for (const ast::Port* p : ports) {
    const Value& v = given.at(p->name);
    const size_t front = v.dims.size() - p->type.sizes.size();
    if (front > 0 && lead.size() > hidden && lead.size() != hidden + front)
      not_built(call.place, fmt::format("`{}` along unequal dimensions", d.name));
    if (front > 0) lead.insert(lead.end(), v.dims.begin(), v.dims.begin() + long(front));
    if (front > 0) lead.resize(hidden + front);
  }
  for (const ast::Port* p : ports) {
    Value v = given.at(p->name);
    const size_t front = v.dims.size() - p->type.sizes.size();
    v.parts.clear();
    v.ends.clear();
    v.layers.clear();
    if (front > 0) {
      if (lies(v).shared) not_built(call.place, fmt::format("`{}` along a dimension of parameters", d.name));
      if (v.lead.size() < hidden) v = spread(v, std::span(lead).first(hidden));
      if (lies(v).in_rows < lead.size()) v = with_rows(v, lead.size());
    }
    bind(p->type, v, front, inner.dims);
    for (size_t i = 0; i < p->type.sizes.size(); ++i) {
      const Expr& e = p->type.sizes[i].value;
      if (e.kind == Expr::Kind::Name) outside.try_emplace(e.text, v.dims[front + i].label);
    }
    v.lead.insert(v.lead.end(), v.dims.begin(), v.dims.begin() + long(front));
    v.dims.erase(v.dims.begin(), v.dims.begin() + long(front));
    relabel(p->type, v);
    inner.values[p->name] = v;
  }
  for (const ast::Arg& size_arg : sizes) {
    if (!size_arg.name.empty() && size_arg.value.kind == Expr::Kind::Name)
      outside.try_emplace(size_arg.name, size_arg.value.text);
  }
  statements(d, inner);

  const bool cell = !d.states.empty();
  const size_t front = lead.size() - hidden;
  auto value_of = [&](const std::string& n) {
    const bool state =
        std::any_of(d.states.begin(), d.states.end(), [&](const ast::Port& p) { return p.name == n; });
    Value v = inner.values.at(state ? n + "'" : n);
    if (front > 0 && v.lead.size() < lead.size()) v = spread(v, lead);
    for (Dim& dim : v.dims) {
      const auto name = outside.find(dim.label);
      dim.label = name == outside.end() ? "" : name->second;
    }
    if (front > 0) {
      v.dims.insert(v.dims.begin(), lead.begin() + long(hidden), lead.end());
      v.lead.resize(hidden);
    }
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

}  // namespace rnnc::lowering
