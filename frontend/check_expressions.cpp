// Expressions: names, parts, operators, indices, and which kind of call a call is.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {

using ast::Expr;

constexpr const char* kEmbed = "an embedding makes numbers of a category: `embed[64](...)`";

Value Checker::expression(const Expr& e, Scope& scope) {
  switch (e.kind) {
    case Expr::Kind::Number: {
      Value value;
      value.per_row = false;
      return value;
    }
    case Expr::Kind::Text: fail(e.place, "a text is no value here");
    case Expr::Kind::Name: return name(e, scope);
    case Expr::Kind::Negate: {
      const Value value = expression(e.operands[0], scope);
      if (value.type.is_category())
        fail(e.place, fmt::format("`-` needs numbers, this is {}", value.type.str()), {}, kEmbed);
      return value.derived();
    }
    case Expr::Kind::Binary: return binary(e, scope);
    case Expr::Kind::Call: return call(e, scope);
    case Expr::Kind::Index: return index(e, scope);
    case Expr::Kind::Part: return part(e, scope);
    case Expr::Kind::Over: return function(e.text, {}, e.args, e.dimensions, scope, e.place);
  }
  return {};
}

Value Checker::name(const Expr& e, Scope& scope) {
  const std::string& n = e.text;
  if (scope.wrong.contains(n)) throw AlreadyWrong();
  if (const Value* value = scope.find(n)) {
    scope.used.insert(n);
    if (value->reference) fail(e.place, fmt::format("`{}` is a cell or layer, not a value", n));
    return *value;
  }
  if (scope.has_dim(n)) {
    Value size;
    size.per_row = false;
    return size;
  }
  if (scope.tree && scope.state(n))
    fail(Code::TreeState, e.place,
         fmt::format("in a tree cell a state belongs to a child: `left.{0}` or `right.{0}`", n));
  if (find_layer(n) || find_cell(n) || find_function(n))
    fail(e.place, fmt::format("`{}` needs its values in `( )`", n));
  fail(Code::UnknownName, e.place, fmt::format("`{}` is not defined", n), {},
       suggest(n, scope.value_names()));
}

std::optional<Value> Checker::parameter_of_instance(const Expr& e, Scope& scope) {
  const std::string& let = e.operands[0].text;
  const Value* instance = scope.find(let);
  if (!instance || !instance->reference || instance->reference->is_combinator()) return std::nullopt;
  scope.used.insert(let);
  const std::string& used = instance->reference->name;
  const Defined* defined = find_layer(used) ? find_layer(used) : find_cell(used);
  if (defined->wrong) throw AlreadyWrong();
  const Value* parameter = defined->scope.find(e.text);
  if (!parameter || parameter->role != Role::Parameter) {
    std::vector<std::string> known;
    for (const std::string& n : defined->scope.order)
      if (defined->scope.values.at(n).role == Role::Parameter) known.push_back(n);
    fail(e.place, fmt::format("`{}` has no parameter `{}`", used, e.text), {}, suggest(e.text, known));
  }
  const auto bound = scope.instances.find(let);
  if (bound == scope.instances.end())
    fail(e.place, fmt::format("the shape of `{0}.{1}` is not known before `{0}` is used", let, e.text));
  Value value;
  value.per_row = false;
  for (const Dim& dim : parameter->type.sizes) value.type.sizes.push_back(dim.substitute(bound->second));
  return value;
}

Value Checker::part(const Expr& e, Scope& scope) {
  const Expr& whole = e.operands[0];
  if (whole.kind == Expr::Kind::Name) {
    if (scope.tree && (whole.text == "left" || whole.text == "right")) {
      const Declared* state = scope.state(e.text);
      if (!state) {
        std::vector<std::string> states;
        for (const Declared& s : scope.states) states.push_back(s.name);
        fail(e.place, fmt::format("`{}.{}`: this cell has no state `{}`", whole.text, e.text, e.text), {},
             "its states are: " + join(states));
      }
      Value value;
      value.type = state->type;
      return value;
    }
    if (auto parameter = parameter_of_instance(e, scope)) return *parameter;
  }
  const Value value = expression(whole, scope);
  for (const auto& [name, type] : value.parts) {
    if (name != e.text) continue;
    Value result = value.derived(type);
    result.backwards = value.backwards;
    result.is_scan = value.is_scan;
    return result;
  }
  std::string known;
  for (const auto& [name, type] : value.parts) known += (known.empty() ? "there are: " : ", ") + name;
  fail(e.place, fmt::format("there is no `{}` in this value", e.text), {},
       known.empty() ? "only the result of a scan, or of a layer with several results, has parts" : known);
}

Value Checker::binary(const Expr& e, Scope& scope) {
  return elementwise(ast::spelling(e.op), e.place, e.operands[0], e.operands[1], scope);
}

/// The value of this definition that `e` names, or null.
const Value* Checker::value_named(const Expr& e, const Scope& scope) {
  const Value* value = e.kind == Expr::Kind::Name ? scope.find(e.text) : nullptr;
  return value && value->has_origin ? value : nullptr;
}

std::string Checker::origin(const Expr& e, const Scope& scope) const {
  const Value* value = value_named(e, scope);
  if (!value) return {};
  const char* role = "";
  switch (value->role) {
    case Role::Input: role = "input "; break;
    case Role::State: role = "state "; break;
    case Role::Constant: role = "constant "; break;
    case Role::Parameter: role = "parameter "; break;
    case Role::Instance:
    case Role::Equation: break;
  }
  return fmt::format("   ({}`{}`, line {})", role, e.text, locate(source_, value->place).line);
}

Value Checker::elementwise(const std::string& op, Place place, const Expr& left, const Expr& right,
                           Scope& scope) {
  for (const Expr* e : {&left, &right})
    if (e->kind == Expr::Kind::Text) fail(place, fmt::format("`{}` needs numbers, not text", op));
  const Value a = expression(left, scope), b = expression(right, scope);
  for (const Value* v : {&a, &b})
    if (v->type.is_category())
      fail(place, fmt::format("`{}` needs numbers, this is {}", op, v->type.str()), {}, kEmbed);
  const std::vector<Dim>&x = a.type.sizes, &y = b.type.sizes;
  const auto shapes = [&] {
    return std::vector<std::string>{"left  : " + a.type.str() + origin(left, scope),
                                    "right : " + b.type.str() + origin(right, scope)};
  };
  Related related;
  for (const Expr* e : {&left, &right})
    if (const Value* value = value_named(*e, scope))
      related.emplace_back(value->place, fmt::format("`{}` is {}", e->text, value->type.str()));
  Value result;
  result.per_row = a.per_row || b.per_row;

  if (op == "@") {
    if (x.empty() || y.empty() || !fit(x.back(), y.front())) {
      std::vector<std::string> notes = shapes();
      notes.push_back("`@` sums over the last dimension of the left and the first of the right");
      fail(Code::Product, place, "these shapes do not multiply", notes, {}, related);
    }
    result.type.sizes.assign(x.begin(), x.end() - 1);
    result.type.sizes.insert(result.type.sizes.end(), y.begin() + 1, y.end());
    // Time is the first dimension: the sum runs over that of the right, and that of a left vector.
    result.reaches = x.size() == 1 ? a.reaches.everything() : a.reaches;
    result.reaches.include(b.reaches.everything());
    return result;
  }

  const std::vector<Dim>&larger = x.size() >= y.size() ? x : y, &smaller = x.size() >= y.size() ? y : x;
  const auto tail = larger.end() - static_cast<std::ptrdiff_t>(smaller.size());
  if (fit({tail, larger.end()}, smaller)) {
    result.type.sizes = larger;
    // A value stretched along dimensions in front of it no longer has time first.
    const auto stretched = [&](const Value& v) {
      return v.type.sizes.size() < larger.size() ? v.reaches.everything() : v.reaches;
    };
    result.reaches = stretched(a);
    result.reaches.include(stretched(b));
    return result;
  }
  std::vector<std::string> notes = shapes();
  std::string help;
  if (x.size() == y.size()) {
    for (size_t i = 0; i < x.size(); ++i) {
      const auto value = x[i].value(dim_values_);
      if (!fit(x[i], y[i]) && value && value == y[i].value(dim_values_))
        notes.push_back(fmt::format("{} and {} are both {} here, but they are different dimensions",
                                    x[i].str(), y[i].str(), *value));
    }
  } else if (fit({larger.begin(), larger.begin() + static_cast<std::ptrdiff_t>(smaller.size())}, smaller)) {
    help = "one number for each row: `scale(a, m)`";
  }
  fail(x.size() == y.size() ? Code::SumOfNames : Code::Tail, place,
       fmt::format("`{}` needs equal shapes, or one that is the tail of the other", op), notes, help,
       related);
}

Value Checker::index(const Expr& e, Scope& scope) {
  const Expr& base = e.operands[0];
  if (base.kind == Expr::Kind::Name && !scope.find(base.text) &&
      (find_layer(base.text) || find_cell(base.text) || base.text == "coin"))
    fail(e.place, fmt::format("`{}[...]` needs its values in `( )`", base.text));
  const Value table = expression(base, scope);
  std::vector<Value> indices;
  for (const ast::Arg& arg : e.args) {
    if (!arg.name.empty()) fail(arg.place, "an index has no name");
    indices.push_back(expression(arg.value, scope));
  }
  for (const Value& i : indices) {
    if (!i.type.is_category())
      fail(Code::Index, e.place, fmt::format("an index must be a category, this is {}", i.type.str()), {},
           "`last(s)`, `first(s)` and `delay(s, n)` reach single elements of a sequence");
    if (!fit(i.type.sizes, indices[0].type.sizes)) {
      std::vector<std::string> notes;
      for (const Value& v : indices) notes.push_back(v.type.str());
      fail(e.place, "the indices have different shapes", notes);
    }
  }
  const std::vector<Dim>& sizes = table.type.sizes;
  if (table.type.is_category())
    fail(e.place, fmt::format("only numbers have an index, this is {}", table.type.str()));
  if (indices.empty() || indices.size() > sizes.size())
    fail(e.place, fmt::format("{} indices into {}", indices.size(), table.type.str()));
  for (size_t i = 0; i < indices.size(); ++i)
    if (!(Dim::named(indices[i].type.vocabulary) == sizes[i]))
      fail(e.place,
           fmt::format("`{}` cannot index a dimension {}", indices[i].type.vocabulary, sizes[i].str()),
           {"table : " + table.type.str(), "index : " + indices[i].type.str()});
  Value result;
  result.type.sizes = indices[0].type.sizes;
  const auto rest = sizes.begin() + static_cast<std::ptrdiff_t>(indices.size());
  result.type.sizes.insert(result.type.sizes.end(), rest, sizes.end());
  result.per_row = table.per_row;
  result.reaches = table.reaches.everything();
  for (const Value& i : indices) {
    result.per_row = result.per_row || i.per_row;
    result.reaches.include(i.reaches);
  }
  return result;
}

Value Checker::call(const Expr& e, Scope& scope) {
  const Expr& callee = e.operands[0];
  const bool sized = callee.kind == Expr::Kind::Index;
  const Expr& called = sized ? callee.operands[0] : callee;
  if (called.kind != Expr::Kind::Name) fail(e.place, "only a function, a layer or a cell can be called");
  const std::string& name = called.text;
  if (scope.wrong.contains(name)) throw AlreadyWrong();
  const Value* value = scope.find(name);
  if (value && !value->reference)
    fail(called.place, fmt::format("`{}` is a value and cannot be called", name));
  if (value || find_cell(name) || find_layer(name)) return apply(name, e, scope);
  if (is_combinator(name))
    fail(called.place, fmt::format("`{0}` makes a cell of a cell: `scan {0}(...) over ...`", name));
  if (e.has_states)
    fail(Code::UnknownCell, called.place, fmt::format("there is no cell `{}`", name), {},
         suggest(name, names_of(true, false)));
  if (!find_function(name)) {
    std::vector<std::string> known = function_names();
    for (std::string& layer : names_of(false, true)) known.push_back(std::move(layer));
    fail(Code::UnknownFunction, called.place, fmt::format("there is no function or layer `{}`", name), {},
         suggest(name, known));
  }
  return function(name, sized ? callee.args : std::vector<ast::Arg>(), e.args, {}, scope, called.place);
}

}  // namespace rnnc::checking
