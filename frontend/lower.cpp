// Lowering of definitions, statements and instances: see lower.h.
#include "frontend/lower.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower_values.h"

namespace rnnc {

Lowered lower(const LowerInput& input, std::string_view name, const ast::Train* train,
              const ast::DataBlock* data, const ast::Use* predict) {
  return lowering::Lowering(input).run(name, train, data, predict);
}

namespace lowering {

Lowering::Lowering(const LowerInput& input) : in_(input), g_(&model_.graph) {
  model_.dims = input.sequences;
  model_.spaces = sequence_spaces(input.sequences, input.within);
  // Without sequences rows of examples are those of a space of one step.
  if (model_.spaces.empty()) model_.spaces.push_back({.kind = Space::Constant, .name = {}, .inside = {}});
}

const Source& Lowering::source_of(Place place) const {
  return place.source == Place::kOwnFile ? in_.own_source : in_.library_source;
}

void Lowering::not_built(Place place, const std::string& what) const {
  throw UserError(at_place(source_of(place), place, what + ": not built yet"));
}

void Lowering::set_origin(Place place, const Scope& scope) {
  const std::string label = scope.path.empty() ? scope.equation : scope.path + " " + scope.equation;
  g_->set_origin(model_.graph.add_origin({label, locate(source_of(place), place).line}));
}

/// A cell, layer or model by name; the file's own hides the library's.
const ast::Definition* Lowering::find(const std::string& name) const {
  for (const ast::File* file : {&in_.own, &in_.library}) {
    for (const ast::Item& item : file->items) {
      const auto* definition = std::get_if<ast::Definition>(&item);
      if (definition && definition->name == name) return definition;
    }
  }
  return nullptr;
}

/// `h.gru`; the second gru of one equation is `h.gru2`.
std::string Lowering::instance_path(const std::string& name, Scope& scope) {
  const int count = ++scope.used[name];
  const std::string front = scope.path.empty() ? scope.equation : scope.path + "." + scope.equation;
  return front + "." + name + (count > 1 ? std::to_string(count) : "");
}

std::vector<Dim> Lowering::dims_of(const ast::Type& type, Scope& scope) {
  std::vector<Dim> dims;
  for (const ast::Size& s : type.sizes) {
    dims.push_back(size(s.value, scope));
    dims.back().label = s.value.kind == ast::Expr::Kind::Name ? s.value.text : "";
  }
  return dims;
}

/// An input of the model, as the batch brings it.
Value Lowering::port(const ast::Port& port, Scope& scope, Rows rows) {
  Value v;
  v.vocabulary = port.type.vocabulary;
  v.dims = dims_of(port.type, scope);
  v.row = true;
  size_t k = 0;  // up to the last that is variable they lie in the rows
  for (size_t i = 0; i < v.dims.size(); ++i)
    if (v.dims[i].sequence >= 0) k = i + 1;
  if (k > 0) rows = rows_for(v.dims, k, false);
  const Shape shape{v.vocabulary.empty() ? Type::F32 : Type::I32, rows, flat(std::span(v.dims).subspan(k))};
  v.node = g_->input(port.name, shape);
  v.inner = inner_of(v.node, k);
  const int64_t categories = v.vocabulary.empty() ? 0 : in_.sizes.at(v.vocabulary);
  model_.inputs.push_back({port.name, shape, categories});
  return v;
}

void Lowering::parameters(const ast::Parameters& statement, Scope& scope) {
  const std::vector<Dim> dims = dims_of(statement.type, scope);
  Initial initial;
  if (statement.constant) {
    initial.amount = number(statement.first_value, scope);
  } else {
    const bool call = statement.first_value.kind == ast::Expr::Kind::Call;
    const std::string& how = call ? statement.first_value.operands[0].text : statement.first_value.text;
    static const std::map<std::string, Initial::Kind> kinds = {
        {"glorot", Initial::Glorot},     {"he", Initial::He},           {"orthogonal", Initial::Orthogonal},
        {"identity", Initial::Identity}, {"uniform", Initial::Uniform}, {"normal", Initial::Normal},
        {"file", Initial::File}};
    const auto kind = kinds.find(how);
    if (kind == kinds.end()) not_built(statement.first_value.place, fmt::format("`{}`", how));
    initial.kind = kind->second;
    if (initial.kind == Initial::File) {
      initial.file = statement.first_value.args.at(0).value.text;
      initial.vocabulary = dims.empty() ? "" : dims[0].vocabulary;
      initial.place = statement.first_value.place;
    } else if (call) {
      initial.amount = number(statement.first_value.args.at(0).value, scope);
    }
  }
  int64_t elements = 1;
  for (const Dim& d : dims) {
    if (d.sequence >= 0) not_built(statement.type.place, "a parameter along a sequence");
    elements *= d.n;
    if (elements > INT32_MAX)
      throw UserError(at_place(source_of(statement.place), statement.place, "this parameter is too large"));
  }
  for (const ast::Name& name : statement.names) {
    Value v;
    v.dims = dims;
    const int32_t cols = dims.empty() ? 1 : int32_t(dims.back().n);
    const int32_t rows = int32_t(elements / std::max(cols, 1));
    const std::string full = scope.path.empty() ? name.text : scope.path + "." + name.text;
    v.node = g_->variable(full, rows, cols);
    scope.values[name.text] = v;
    const auto same = [&](const Parameter& p) { return p.name == full; };
    if (std::any_of(model_.parameters.begin(), model_.parameters.end(), same)) continue;
    Parameter p{full, rows, cols, {}, initial, statement.frozen};
    for (const Dim& d : dims) p.dims.push_back(int32_t(d.n));
    model_.parameters.push_back(std::move(p));
  }
}

void Lowering::equation(const ast::Equation& statement, Scope& scope) {
  place_ = statement.place;
  scope.equation = statement.primed() ? statement.name.substr(0, statement.name.size() - 1) : statement.name;
  scope.used.clear();
  set_origin(statement.place, scope);
  const auto* s = std::get_if<ast::Scan>(&statement.value);
  scope.values[statement.name] = s ? scan(*s, scope) : expr(std::get<ast::Expr>(statement.value), scope);
}

void Lowering::statements(const ast::Definition& definition, Scope& scope) {
  for (const ast::Statement& statement : definition.body) {
    if (const auto* p = std::get_if<ast::Parameters>(&statement)) {
      parameters(*p, scope);
    } else if (const auto* let = std::get_if<ast::Let>(&statement)) {
      scope.instances[let->name] = {&let->value,
                                    scope.path.empty() ? let->name : scope.path + "." + let->name};
    } else {
      equation(std::get<ast::Equation>(statement), scope);
    }
  }
}

Lowered Lowering::run(std::string_view name, const ast::Train* train, const ast::DataBlock* data,
                      const ast::Use* predict) {
  Lowered out;
  const ast::Definition& definition = *find(std::string(name));
  model_.name = definition.name;
  Scope scope;
  for (const auto& [dim, n] : in_.sizes) scope.dims[dim] = {n, -1, dim, {}};
  for (size_t i = 0; i < in_.sequences.size(); ++i) scope.dims[in_.sequences[i]] = {0, int(i), {}, {}};
  for (const ast::Port& p : definition.inputs) scope.values[p.name] = port(p, scope, Rows::batch());
  statements(definition, scope);
  if (train) train_block(*train, *data, scope, out);
  if (predict) predict_block(*predict, scope, out);
  for (const ast::Port& result : definition.results) {
    const NodeId node = scope.values.at(result.name).node;
    model_.graph.roots.push_back({"result." + result.name, node});
  }
  for (ScanBody& body : model_.scans) body.body.origins = model_.graph.origins;
  model_.graph.set_origin(0);
  out.model = std::move(model_);
  return out;
}

}  // namespace lowering
}  // namespace rnnc
