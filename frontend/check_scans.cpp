// `scan` and `fold`: sequences, constants, first values, combinators.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {
namespace {

const char* plural(size_t count) {
  return count == 1 ? "" : "s";
}

const Declared* find(const std::vector<Declared>& ports, const std::string& name) {
  for (const Declared& port : ports)
    if (port.name == name) return &port;
  return nullptr;
}

const Given* find(const GivenByName& given, const std::string& name) {
  for (const auto& [n, value] : given)
    if (n == name) return &value;
  return nullptr;
}

std::string list(const std::vector<Declared>& ports) {
  std::string out;
  for (const Declared& port : ports) out += (out.empty() ? "" : ", ") + port.name;
  return out.empty() ? "none" : out;
}

/// `h: [64], c: [64]`: the states or results of one step.
std::string list(const Parts& parts) {
  std::string out;
  for (const auto& [name, type] : parts) {
    const std::vector<Dim> sizes(type.sizes.begin() + 1, type.sizes.end());
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, ValueType{type.vocabulary, sizes}.str());
  }
  return out;
}

/// What one step of the sequence is: without its first dimension.
Value one_step(const Value& sequence) {
  const auto& sizes = sequence.type.sizes;
  return sequence.derived({sequence.type.vocabulary, {sizes.begin() + 1, sizes.end()}});
}

}  // namespace

Value Checker::scan(const ast::Scan& scan, Defined& defined) {
  Scope& scope = defined.scope;
  const std::string kind = scan.fold ? "fold" : "scan";
  if (scope.kind == Scope::Kind::Cell)
    fail(scan.place, fmt::format("a cell is one step; a {} belongs in a model or layer", kind));
  std::vector<Value> sequences;
  for (const ast::Expr& e : scan.over) sequences.push_back(expression(e, scope));
  ScanInputs with{&scan, {}, {}, Dim()};
  if (scan.count) {
    with.steps = whole_size(*scan.count, &scope);
  } else {
    for (const Value& v : sequences)
      if (v.type.sizes.empty())
        fail(scan.place, fmt::format("`{}` needs a sequence, this is {}", kind, v.type.str()));
    with.steps = sequences[0].type.sizes[0];
    for (const Value& v : sequences)
      if (!fit(v.type.sizes[0], with.steps))
        fail(scan.place, "the sequences of a scan have the same length",
             {sequences[0].type.str(), v.type.str()});
  }
  const auto name = with.steps.single_name();
  if (scan.fold && scope.kind == Scope::Kind::Model && !(name && trees_.contains(*name)))
    fail(scan.place, fmt::format("`fold` goes along a tree, and {} is not one", with.steps.str()), {},
         "a field such as `t: V[tree N]` makes one");

  const auto give = [&](const std::vector<ast::Binding>& bindings, GivenByName& given) {
    for (const ast::Binding& b : bindings) {
      if (find(given, b.name)) fail(b.place, fmt::format("`{}` is given twice", b.name));
      given.emplace_back(b.name, Given{expression(b.value, scope), b.place});
    }
  };
  give(scan.constants, with.constants);
  give(scan.first, with.first);
  const Value* before = nullptr;
  if (scan.from_scan) {
    const ast::Name& from = *scan.from_scan;
    if (scope.wrong.contains(from.text)) throw AlreadyWrong();
    before = scope.find(from.text);
    if (!before || !before->is_scan)
      fail(from.place, fmt::format("`from {}`: this is not the result of a scan", from.text), {},
           "`from h = ...` gives one state a first value");
    scope.used.insert(from.text);
  }

  std::vector<Value> steps;
  for (const Value& v : sequences) steps.push_back(one_step(v));
  Value result = scan_ref(scan.cell, steps, with, scope);
  result.is_scan = true;
  // What every step sees besides its own element is seen as a whole.
  for (const GivenByName* given : {&with.constants, &with.first}) {
    for (const auto& [n, value] : *given) {
      result.reaches.include(value.value.reaches.everything());
      result.per_row = result.per_row || value.value.per_row;
    }
  }
  if (before) result.reaches.include(before->reaches.everything());
  if (scan.fold) result.reaches = result.reaches.everything();
  if (scan.from_scan) begins_where(*scan.from_scan, result, scope);
  if (scan.carry) {
    if (result.backwards)
      fail(Code::CarryBackwards, scan.place, "`carry` cannot work backwards in time", {},
           "without `both` and `reverse`, or without `carry`");
    defined.carries = true;
  }
  return result;
}

void Checker::begins_where(const ast::Name& from, const Value& result, Scope& scope) const {
  const std::string before = list(scope.find(from.text)->parts), here = list(result.parts);
  if (before != here)
    fail(Code::FromOther, from.place, fmt::format("the states of `{}` are not those of this scan", from.text),
         {fmt::format("{} : {}", from.text, before), "here : " + here});
}

Value Checker::scan_ref(const ast::CellRef& ref, const std::vector<Value>& inputs, const ScanInputs& with,
                        Scope& scope) {
  return ref.is_combinator() ? scan_combinator(ref, inputs, with, scope)
                             : scan_cell(ref, inputs, with, scope);
}

Value Checker::scan_combinator(const ast::CellRef& ref, const std::vector<Value>& inputs,
                               const ScanInputs& with, Scope& scope) {
  if (!is_combinator(ref.name))
    fail(ref.place, fmt::format("`{}` is no way to combine cells", ref.name), {},
         "there are `both`, `reverse` and `stack`");
  if (with.scan->fold && ref.name != "stack")
    fail(ref.place, fmt::format("`{}` is a direction in time, a tree has none", ref.name));
  Value result = scan_ref(ref.inner[0], inputs, with, scope);
  if (ref.name == "stack") {
    if (ref.options.empty() || !ref.options[0].name.empty())
      fail(ref.place, "`stack` needs a cell and a number of layers");
    options("stack", ref.options, ref.place);
    const double layers = number_of(ref.options[0].value, "the number of layers", 1, true);
    for (size_t i = 1; i < ref.options.size(); ++i)
      if (ref.options[i].name.empty())
        fail(ref.options[i].value.place, "`stack` takes a cell and one number");
    if (layers > 1) result = scan_ref(ref.inner[0], {one_step(result)}, with, scope);
    return result;
  }
  if (!ref.options.empty()) fail(ref.place, fmt::format("`{}` takes nothing but a cell", ref.name));
  result.backwards = true;
  result.reaches = result.reaches.everything();
  if (ref.name == "reverse") return result;
  const auto twice = [&](ValueType& type) {
    if (type.sizes.size() < 2 || type.is_category())
      fail(ref.place,
           fmt::format("`both` puts two vectors side by side, a step of this is {}",
                       ValueType{type.vocabulary, {type.sizes.begin() + 1, type.sizes.end()}}.str()));
    type.sizes.back() = type.sizes.back() * Dim(2);
  };
  twice(result.type);
  for (auto& [name, type] : result.parts) twice(type);
  return result;
}

Value Checker::scan_cell(const ast::CellRef& ref, const std::vector<Value>& inputs, const ScanInputs& with,
                         Scope& scope) {
  const ast::Scan& scan = *with.scan;
  const Value* instance = scope.find(ref.name);
  if (instance && instance->reference) {
    scope.used.insert(ref.name);
    if (!ref.sizes.empty())
      fail(ref.place, fmt::format("the sizes of `{}` stand where it is made", ref.name));
    return scan_ref(*instance->reference, inputs, with, scope);
  }
  const std::string& name = ref.name;
  if (find_layer(name))
    fail(Code::LayerNotCell, ref.place, fmt::format("`{}` is a layer, it has no state to scan", name), {},
         fmt::format("`{}(...)` goes along the sequence by itself", name));
  if (scope.wrong.contains(name)) throw AlreadyWrong();
  const Defined* cell = find_cell(name);
  if (!cell)
    fail(Code::UnknownCell, ref.place, fmt::format("there is no cell `{}`", name), {},
         suggest(name, names_of(true, false)));
  if (cell->wrong) throw AlreadyWrong();
  if (cell->scope.tree != scan.fold)
    fail(Code::Fold, scan.place,
         fmt::format("`{}` is a {}cell: use `{}`", name, cell->scope.tree ? "tree " : "",
                     cell->scope.tree ? "fold" : "scan"));

  DimBindings bound;
  const std::vector<std::string> order = cell->size_order(true);
  bind_sizes(ref.sizes, order, *cell, bound, scope);
  const size_t count = cell->inputs.size();
  if (inputs.size() != count)
    fail(ref.place,
         fmt::format("`{}` has {} input{}, here are {}", name, count, plural(count), inputs.size()));
  for (size_t i = 0; i < count; ++i)
    match(fmt::format("input `{}` of `{}`", cell->inputs[i].name, name), cell->inputs[i].type, inputs[i].type,
          bound, scan.place);
  for (const Declared& constant : cell->constants) {
    const Given* given = find(with.constants, constant.name);
    if (!given)
      fail(Code::MissingConstant, ref.place,
           fmt::format("cell `{}` needs `with {} = ...`", name, constant.name));
    match(fmt::format("`{}` of `{}`", constant.name, name), constant.type, given->value.type, bound,
          given->place);
  }
  for (const auto& [n, given] : with.constants)
    if (!find(cell->constants, n))
      fail(given.place, fmt::format("cell `{}` has no constant `{}`", name, n), {},
           fmt::format("`{}` has: {}", name, list(cell->constants)));
  for (const Declared& state : cell->states) {
    const Given* given = find(with.first, state.name);
    const bool fills =
        given && given->value.type.is_number() && !given->value.per_row;  // a number fills the state
    if (given && !fills)
      match(fmt::format("first value of `{}` of `{}`", state.name, name), state.type, given->value.type,
            bound, given->place);
  }
  for (const auto& [n, given] : with.first)
    if (!find(cell->states, n))
      fail(given.place, fmt::format("cell `{}` has no state `{}`", name, n), {},
           "its states are: " + list(cell->states));
  all_known(*cell, bound, order, ref.place);

  Value result = results_of(*cell, bound, {with.steps});
  for (const Value& input : inputs) result.reaches.include(input.reaches);
  return result;
}

}  // namespace rnnc::checking
