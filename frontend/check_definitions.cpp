// Cells, layers and models where they are defined: heads, statements, states.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {
namespace {

using ast::Definition;
using ast::Expr;

const char* word(Definition::Kind kind) {
  switch (kind) {
    case Definition::Kind::Cell: return "cell";
    case Definition::Kind::Layer: return "layer";
    case Definition::Kind::Model: return "model";
  }
  return "";
}

Scope::Kind scope_kind(Definition::Kind kind) {
  switch (kind) {
    case Definition::Kind::Cell: return Scope::Kind::Cell;
    case Definition::Kind::Layer: return Scope::Kind::Layer;
    case Definition::Kind::Model: return Scope::Kind::Model;
  }
  return Scope::Kind::Model;
}

/// The names in a size, as written.
void add_size_names(const Expr& size, Scope& scope) {
  if (size.kind == Expr::Kind::Name) scope.add_dim(size.text);
  if (size.kind == Expr::Kind::Binary)
    for (const Expr& operand : size.operands) add_size_names(operand, scope);
}

void add_type_names(const ast::Type& type, Scope& scope) {
  if (!type.vocabulary.empty()) scope.add_dim(type.vocabulary);
  for (const ast::Size& size : type.sizes) add_size_names(size.value, scope);
}

void add_sizes(const std::vector<ast::Arg>& sizes, Scope& scope) {
  for (const ast::Arg& size : sizes) add_size_names(size.value, scope);
}

/// The sizes in [ ] after the cells and layers that an expression uses.
void add_used_sizes(const Expr& e, Scope& scope) {
  const bool sized = e.kind == Expr::Kind::Call && e.operands[0].kind == Expr::Kind::Index;
  if (sized) add_sizes(e.operands[0].args, scope);
  for (const Expr& operand : e.operands) add_used_sizes(operand, scope);
  for (const ast::Arg& arg : e.args) add_used_sizes(arg.value, scope);
  for (const ast::Arg& arg : e.states) add_used_sizes(arg.value, scope);
}

void add_used_sizes(const ast::CellRef& ref, Scope& scope) {
  add_sizes(ref.sizes, scope);
  for (const ast::CellRef& inner : ref.inner) add_used_sizes(inner, scope);
}

void add_used_sizes(const ast::Scan& scan, Scope& scope) {
  add_used_sizes(scan.cell, scope);
  for (const Expr& e : scan.over) add_used_sizes(e, scope);
  for (const ast::Binding& b : scan.constants) add_used_sizes(b.value, scope);
  for (const ast::Binding& b : scan.first) add_used_sizes(b.value, scope);
}

/// The names a statement defines.
std::vector<ast::Name> defined_names(const ast::Statement& statement) {
  if (const auto* p = std::get_if<ast::Parameters>(&statement)) return p->names;
  if (const auto* l = std::get_if<ast::Let>(&statement)) return {{l->name, l->place}};
  const auto& e = std::get<ast::Equation>(statement);
  return {{e.name, e.place}};
}

}  // namespace

std::vector<std::string> Defined::size_order(bool as_cell) const {
  Scope wanted, found;
  for (const ast::Port& port : as_cell ? syntax->states : syntax->results)
    for (const ast::Size& size : port.type.sizes) add_size_names(size.value, wanted);
  if (as_cell) return wanted.dims;
  for (const ast::Port& port : syntax->inputs) add_type_names(port.type, found);
  for (const ast::Port& port : syntax->constants) add_type_names(port.type, found);
  std::erase_if(wanted.dims, [&](const std::string& dim) { return found.has_dim(dim); });
  return wanted.dims;
}

void Checker::definition(const Definition& syntax) {
  const std::string& name = syntax.name;
  if (!in_library_) {
    const bool usable = guarded(syntax.place, [&] {
      if (is_language_function(name))
        fail(Code::FunctionName, syntax.place,
             fmt::format("`{}` is a function of the language and cannot be a name", name));
      if (!own_.insert(name).second) fail(syntax.place, fmt::format("`{}` is already defined", name));
    });
    if (!usable) return;
    cells_.erase(name);  // the library's is hidden, in this very definition too
    layers_.erase(name);
  }
  Defined defined = define(syntax);
  if (!in_library_ && !defined.wrong) {
    CheckedDefinition checked;
    checked.syntax = &syntax;
    checked.dimensions =
        syntax.kind == Definition::Kind::Model ? std::vector<std::string>() : defined.scope.dims;
    const auto add = [&](const std::vector<Declared>& ports, Role role) {
      for (const Declared& d : ports) checked.names.push_back({d.name, role, d.type, d.place});
    };
    add(defined.inputs, Role::Input);
    add(defined.states, Role::State);
    add(defined.constants, Role::Constant);
    for (const std::string& n : defined.scope.order) {
      const Value& value = defined.scope.values.at(n);
      if (value.role >= Role::Parameter) checked.names.push_back({n, value.role, value.type, value.place});
    }
    checked_.push_back(std::move(checked));
  }
  auto& table = syntax.kind == Definition::Kind::Cell    ? cells_
                : syntax.kind == Definition::Kind::Layer ? layers_
                                                         : models_;
  table.insert_or_assign(name, std::move(defined));
}

Defined Checker::define(const Definition& syntax) {
  Defined defined;
  defined.syntax = &syntax;
  Scope& scope = defined.scope;
  scope.kind = scope_kind(syntax.kind);
  scope.name = syntax.name;
  scope.tree = syntax.tree;
  collect_dims(syntax, scope);
  defined.wrong = !guarded(syntax.place, [&] { head(syntax, defined); });
  if (defined.wrong) return defined;
  body(syntax, defined);
  results(syntax, defined);
  if (syntax.kind != Definition::Kind::Model) warn_unused(syntax, scope);
  return defined;
}

void Checker::collect_dims(const Definition& syntax, Scope& scope) const {
  if (syntax.kind == Definition::Kind::Model) {
    for (const std::string& dim : dim_names_) scope.add_dim(dim);
    for (const auto& [dim, maker] : vocabularies_) scope.add_dim(dim);
    return;
  }
  // In a cell or layer every name in a type, and in the sizes of what it uses, is a dimension of its own.
  for (const auto* ports : {&syntax.inputs, &syntax.states, &syntax.constants, &syntax.results})
    for (const ast::Port& port : *ports) add_type_names(port.type, scope);
  for (const ast::Statement& statement : syntax.body) {
    if (const auto* p = std::get_if<ast::Parameters>(&statement)) add_type_names(p->type, scope);
    if (const auto* l = std::get_if<ast::Let>(&statement)) add_used_sizes(l->value, scope);
    if (const auto* e = std::get_if<ast::Equation>(&statement))
      std::visit([&](const auto& value) { add_used_sizes(value, scope); }, e->value);
  }
}

void Checker::head(const Definition& syntax, Defined& defined) {
  Scope& scope = defined.scope;
  const bool model = syntax.kind == Definition::Kind::Model;
  const auto declare = [&](const std::vector<ast::Port>& ports) {
    std::vector<Declared> result;
    for (const ast::Port& port : ports)
      result.push_back({port.name, type(port.type, model ? &scope : nullptr, port.place), port.place});
    return result;
  };
  defined.inputs = declare(syntax.inputs);
  defined.states = declare(syntax.states);
  defined.constants = declare(syntax.constants);
  defined.results = declare(syntax.results);
  if (syntax.kind == Definition::Kind::Cell && defined.states.empty())
    fail(Code::NoState, syntax.place, fmt::format("cell `{}` has no state", syntax.name), {},
         "without a state it is a `layer`");
  if (model && !defined.constants.empty())
    fail(defined.constants[0].place, "a model has no constants", {},
         "what a model takes are fields of the data");
  if (syntax.kind != Definition::Kind::Cell && defined.results.empty())
    fail(syntax.place, fmt::format("{} `{}` does not say what it gives", word(syntax.kind), syntax.name), {},
         "`-> (y: [H])` after its inputs");

  size_t input = 0;
  const auto define = [&](const std::vector<Declared>& ports, Role role) {
    for (const Declared& port : ports) {
      must_be_fresh(port.name, scope, port.place);
      Value value;
      value.type = port.type;
      value.role = role;
      value.place = port.place;
      value.has_origin = true;
      if (syntax.kind != Definition::Kind::Cell) value.reaches = Reaches::of_input(input++);
      scope.define(port.name, std::move(value));
    }
  };
  define(defined.inputs, Role::Input);
  define(defined.states, Role::State);
  define(defined.constants, Role::Constant);
  scope.states = defined.states;
  if (!syntax.tree) return;
  for (const Declared& state : defined.states) {  // known only as `left.h` and `right.h`
    scope.values.erase(state.name);
    std::erase(scope.order, state.name);
  }
}

void Checker::body(const Definition& syntax, Defined& defined) {
  Scope& scope = defined.scope;
  bool all_right = true;
  for (const ast::Statement& statement : syntax.body) {
    const std::vector<ast::Name> names = defined_names(statement);
    if (guarded(names[0].place, [&] { this->statement(statement, defined); })) continue;
    all_right = false;
    for (const ast::Name& name : names)
      if (!scope.find(name.text)) scope.wrong.insert(name.text);
  }
  if (!all_right) {  // what is missing now may be what was meant there
    for (const Declared& result : defined.results)
      if (!scope.find(result.name)) scope.wrong.insert(result.name);
    return;
  }
  for (const Declared& state : defined.states) {
    if (scope.find(state.name + "'")) continue;
    guarded(syntax.place, [&] {
      fail(Code::NoEquation, syntax.place,
           fmt::format("cell `{0}` has the state `{1}` but no equation for `{1}'`", syntax.name, state.name));
    });
  }
}

void Checker::results(const Definition& syntax, Defined& defined) {
  Scope& scope = defined.scope;
  for (const Declared& result : defined.results) {
    defined.result_reaches.emplace_back();
    if (scope.wrong.contains(result.name)) continue;
    guarded(result.place, [&] {
      const Value* value = scope.find(result.name);
      if (!value)
        fail(result.place, fmt::format("{} `{}` promises `{}` but never defines it", word(syntax.kind),
                                       syntax.name, result.name));
      scope.used.insert(result.name);
      defined.result_reaches.back() = value->reaches;
      const ValueType& given = value->type;
      if (given.vocabulary == result.type.vocabulary && fit(given.sizes, result.type.sizes)) return;
      std::vector<Dim> extra;
      for (const Dim& dim : given.sizes)
        if (std::none_of(result.type.sizes.begin(), result.type.sizes.end(),
                         [&](const Dim& d) { return fit(dim, d); }))
          extra.push_back(dim);
      const bool one_more = extra.size() == 1 && given.sizes.size() == result.type.sizes.size() + 1;
      fail(Code::Head, value->role == Role::Equation ? value->place : result.place,
           fmt::format("`{}` is {} but the head of `{}` says {}", result.name, given.str(), syntax.name,
                       result.type.str()),
           {},
           one_more
               ? fmt::format("`last(...)` is the last step, `mean over {} (...)` the average", extra[0].str())
               : "");
    });
  }
}

void Checker::warn_unused(const Definition& syntax, const Scope& scope) {
  for (const ast::Statement& statement : syntax.body) {
    const bool parameter = std::holds_alternative<ast::Parameters>(statement);
    for (const ast::Name& name : defined_names(statement)) {
      if (scope.used.contains(name.text) || name.text.ends_with('\'')) continue;
      warn(parameter ? Code::UnusedParam : Code::Unused, name.place,
           parameter ? fmt::format("parameter `{}` is never used", name.text)
                     : fmt::format("`{}` is defined and never used", name.text));
    }
  }
}

void Checker::must_be_fresh(const std::string& name, const Scope& scope, Place place) const {
  const std::string base = name.ends_with('\'') ? name.substr(0, name.size() - 1) : name;
  if (is_language_function(base))
    fail(Code::FunctionName, place,
         fmt::format("`{}` is a function of the language and cannot be a name", name));
  if (find_cell(name) || find_layer(name))
    fail(place, fmt::format("`{}` is a {} and cannot be a name", name, find_cell(name) ? "cell" : "layer"));
  if (scope.tree && (name == "left" || name == "right"))
    fail(place, fmt::format("`{}` is a child in a tree cell and cannot be a name", name));
  const Value* first = scope.find(name);
  if (first || (scope.tree && scope.state(name)))
    fail(Code::Twice, place, fmt::format("`{}` is already defined; every name has one equation", name), {},
         {}, first ? Related{{first->place, fmt::format("`{}` is defined here", name)}} : Related{});
  if (scope.has_dim(name))
    fail(Code::DimAndValue, place, fmt::format("`{}` is a dimension here and cannot also be a value", name),
         {}, "rename one of the two");
}

void Checker::statement(const ast::Statement& statement, Defined& defined) {
  if (const auto* p = std::get_if<ast::Parameters>(&statement)) return parameters(*p, defined.scope);
  if (const auto* l = std::get_if<ast::Let>(&statement)) return let(*l, defined.scope);
  equation(std::get<ast::Equation>(statement), defined);
}

void Checker::parameters(const ast::Parameters& statement, Scope& scope) {
  Value value;
  value.type = type(statement.type, scope.kind == Scope::Kind::Model ? &scope : nullptr, statement.place);
  value.per_row = false;
  value.role = Role::Parameter;
  value.has_origin = true;
  for (const ast::Name& name : statement.names) {
    must_be_fresh(name.text, scope, name.place);
    value.place = name.place;
    scope.define(name.text, value);
  }
  if (value.type.is_category())
    fail(statement.type.place, fmt::format("a parameter is made of numbers, this is {}", value.type.str()));
  first_value(statement);
}

void Checker::first_value(const ast::Parameters& statement) const {
  const Expr& e = statement.first_value;
  if (statement.constant) {
    if (!constant(e))
      fail(e.place, "the first value after `=` is a number", {}, "a random one is written `~ glorot`");
    return;
  }
  const bool call = e.kind == Expr::Kind::Call;
  const Expr& how = call ? e.operands[0] : e;
  if (how.kind != Expr::Kind::Name || !contains(initializers(), how.text)) {
    const std::string text = how.kind == Expr::Kind::Name     ? how.text
                             : how.kind == Expr::Kind::Number ? fmt::format("{}", how.number)
                                                              : "this";
    const std::string near = suggest(text, initializers());
    fail(how.place, fmt::format("`{}` is no way to start a parameter", text), {},
         near.empty() ? "a constant is written `= 0`" : near);
  }
  const bool file = how.text == "file";
  const bool takes_value = file || how.text == "uniform" || how.text == "normal";
  const bool right_count = call ? takes_value && e.args.size() == 1 && !e.has_states : !takes_value;
  if (!right_count)
    fail(how.place, fmt::format("`{}` needs {}", how.text,
                                file          ? "a file: `file(\"w.npy\")`"
                                : takes_value ? fmt::format("a number: `{}(0.1)`", how.text)
                                              : "no value"));
  if (!takes_value) return;
  options(how.text, e.args, how.place);
  const Expr& value = e.args[0].value;
  const bool right = file ? value.kind == Expr::Kind::Text : constant(value).has_value();
  if (!right)
    fail(value.place, fmt::format("`{}` needs {}", how.text, file ? "a text in quotes" : "a number"));
}

void Checker::let(const ast::Let& statement, Scope& scope) {
  must_be_fresh(statement.name, scope, statement.place);
  const ast::CellRef* innermost = &statement.value;
  while (innermost->is_combinator()) {
    if (!is_combinator(innermost->name))
      fail(innermost->place, fmt::format("`{}` is no way to combine cells", innermost->name), {},
           "there are `both`, `reverse` and `stack`");
    innermost = &innermost->inner[0];
  }
  if (!find_cell(innermost->name) && !find_layer(innermost->name))
    fail(Code::UnknownCell, innermost->place, fmt::format("there is no cell or layer `{}`", innermost->name),
         {}, suggest(innermost->name, names_of(true, true)));
  Value value;
  value.role = Role::Instance;
  value.place = statement.place;
  value.reference = &statement.value;
  scope.define(statement.name, std::move(value));
}

void Checker::equation(const ast::Equation& statement, Defined& defined) {
  Scope& scope = defined.scope;
  const std::string& name = statement.name;
  const auto* scanned = std::get_if<ast::Scan>(&statement.value);
  Value value = scanned ? scan(*scanned, defined) : expression(std::get<Expr>(statement.value), scope);
  value.role = Role::Equation;
  value.place = statement.place;
  value.has_origin = true;
  value.reference = nullptr;
  if (!statement.primed()) {
    must_be_fresh(name, scope, statement.place);
    scope.define(name, std::move(value));
    return;
  }
  const std::string base = name.substr(0, name.size() - 1);
  if (scope.kind != Scope::Kind::Cell)
    fail(Code::PrimeOutside, statement.place, fmt::format("`{}`: only a cell has states", name));
  const Declared* state = scope.state(base);
  if (!state) {
    std::vector<std::string> states;
    for (const Declared& s : scope.states) states.push_back(s.name);
    fail(Code::NoSuchState, statement.place,
         fmt::format("`{}` gives the next value of a state, but this cell has no state `{}`", name, base), {},
         "the states are: " + join(states));
  }
  if (scope.find(name)) fail(statement.place, fmt::format("`{}` already has an equation", name));
  if (value.type.vocabulary != state->type.vocabulary || !fit(value.type.sizes, state->type.sizes))
    fail(Code::StateShape, statement.place,
         fmt::format("the next value of `{0}` has another shape than `{0}`", base),
         {fmt::format("{}  : {}", base, state->type.str()), fmt::format("{} : {}", name, value.type.str())},
         {}, {{state->place, fmt::format("state `{}`", base)}});
  scope.define(name, value.derived());
  Value& next = scope.values.at(name);
  next.place = statement.place;
  next.has_origin = true;
}

}  // namespace rnnc::checking
