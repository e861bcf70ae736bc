// Cells and layers where they are used: sizes in [ ], matching of declared and given types, results.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "frontend/checker.h"

namespace rnnc::checking {
namespace {

using ast::Expr;

const char* plural(size_t count) {
  return count == 1 ? "" : "s";
}

const Given* find(const GivenByName& given, const std::string& name) {
  for (const auto& [n, value] : given)
    if (n == name) return &value;
  return nullptr;
}

std::vector<std::string> port_names(const std::vector<Declared>& ports) {
  std::vector<std::string> names;
  for (const Declared& port : ports) names.push_back(port.name);
  return names;
}

}  // namespace

void Checker::match(const std::string& what, const ValueType& declared, const ValueType& given,
                    DimBindings& bound, Place place) const {
  if (declared.is_category() && !given.is_category())
    fail(place, fmt::format("{} must be a category, this is {}", what, given.str()));
  if (given.is_category() && !declared.is_category())
    fail(Code::Category, place, fmt::format("{} must be numbers, this is {}", what, given.str()), {},
         "an embedding makes numbers of a category: `embed[64](...)`");
  if (declared.is_category()) {
    const Dim vocabulary = Dim::named(given.vocabulary);
    const Dim& expected = bound.try_emplace(declared.vocabulary, vocabulary).first->second;
    if (!(expected == vocabulary))
      fail(place,
           fmt::format("{}: `{}` is {} and {}", what, declared.vocabulary, expected.str(), given.vocabulary));
  }
  if (declared.sizes.size() != given.sizes.size())
    fail(place, fmt::format("{} has another number of dimensions", what),
         {"declared : " + declared.str(), "given    : " + given.str()});
  for (size_t i = 0; i < declared.sizes.size(); ++i) {
    const Dim& size = declared.sizes[i];
    if (const auto name = size.single_name()) {
      const Dim& expected = bound.try_emplace(*name, given.sizes[i]).first->second;
      if (!fit(expected, given.sizes[i]))
        fail(place, fmt::format("{} has another shape", what),
             {fmt::format("declared : {} with {} = {}", declared.str(), *name, expected.str()),
              "given    : " + given.str()});
      continue;
    }
    // A sum or product says nothing about its names; those must be known from elsewhere.
    const std::vector<std::string> names = size.names();
    const bool known =
        std::all_of(names.begin(), names.end(), [&](const std::string& n) { return bound.contains(n); });
    if (!known || !fit(size.substitute(bound), given.sizes[i]))
      fail(place, fmt::format("{} has another shape", what),
           {"declared : " + declared.str(), "given    : " + given.str()});
  }
}

void Checker::bind_sizes(const std::vector<ast::Arg>& args, const std::vector<std::string>& order,
                         const Defined& defined, DimBindings& bound, const Scope& scope) const {
  const std::string& name = defined.syntax->name;
  size_t next = 0;
  for (const ast::Arg& arg : args) {
    const Dim value = whole_size(arg.value, &scope);
    if (arg.name.empty()) {
      if (next >= order.size())
        fail(Code::TooManySizes, arg.value.place,
             fmt::format("`{}` takes {} size{} without a name, in this order: {}", name, order.size(),
                         plural(order.size()), order.empty() ? "none" : join(order)));
      bound.insert_or_assign(order[next++], value);
    } else {
      if (!defined.scope.has_dim(arg.name))
        fail(arg.value.place, fmt::format("`{}` has no dimension `{}`", name, arg.name), {},
             "its dimensions are: " + join(defined.scope.dims));
      bound.insert_or_assign(arg.name, value);
    }
  }
}

void Checker::all_known(const Defined& defined, const DimBindings& bound,
                        const std::vector<std::string>& order, Place place) const {
  const std::string& name = defined.syntax->name;
  for (const std::string& dim : defined.scope.dims) {
    if (bound.contains(dim)) continue;
    std::string help = fmt::format("write `{}[{} = ...]`", name, dim);
    if (contains(order, dim)) {
      std::string dots;
      for (size_t i = 0; i < order.size(); ++i) dots += i > 0 ? ", ..." : "...";
      help = fmt::format("write `{}[{}]` with the size of {}", name, dots, join(order));
    }
    fail(Code::SizeUnknown, place, fmt::format("dimension `{}` of `{}` is not known here", dim, name), {},
         help);
  }
}

Value Checker::results_of(const Defined& defined, const DimBindings& bound,
                          const std::vector<Dim>& lead) const {
  const auto used = [&](const ValueType& declared) {
    ValueType type{"", lead};
    if (declared.is_category()) {
      const auto it = bound.find(declared.vocabulary);
      type.vocabulary = it == bound.end() ? declared.vocabulary : it->second.str();
    }
    for (const Dim& dim : declared.sizes) type.sizes.push_back(dim.substitute(bound));
    return type;
  };
  Value result;
  result.type = used(defined.results.empty() ? defined.states[0].type : defined.results[0].type);
  for (const auto* group : {&defined.states, &defined.results})
    for (const Declared& d : *group) result.parts.emplace_back(d.name, used(d.type));
  return result;
}

void Checker::share(const std::string& let, const Defined& defined, const DimBindings& bound, Scope& scope,
                    Place place) const {
  const auto [it, first_use] = scope.instances.try_emplace(let, bound);
  if (first_use) return;
  for (const std::string& name : defined.scope.order) {
    const Value& parameter = defined.scope.values.at(name);
    if (parameter.role != Role::Parameter) continue;
    std::vector<Dim> before, now;
    for (const Dim& dim : parameter.type.sizes) {
      before.push_back(dim.substitute(it->second));
      now.push_back(dim.substitute(bound));
    }
    if (!fit(before, now))
      fail(place,
           fmt::format("every use of `{}` shares its parameters, but here `{}` has another shape", let, name),
           {fmt::format("first use : [{}]", join(before)), fmt::format("here      : [{}]", join(now))});
  }
}

GivenByName Checker::given_values(const Defined& defined, const std::string& name, const Expr& call,
                                  Scope& scope) {
  const Place place = call.place;
  std::vector<std::string> ports = port_names(defined.inputs);
  for (const Declared& constant : defined.constants) ports.push_back(constant.name);
  GivenByName given;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const ast::Arg& arg = call.args[i];
    if (arg.name.empty() && i >= ports.size())
      fail(place, fmt::format("`{}` takes {} value{}, here are {}", name, ports.size(), plural(ports.size()),
                              call.args.size()));
    const std::string port = arg.name.empty() ? ports[i] : arg.name;
    if (!contains(ports, port)) fail(arg.value.place, fmt::format("`{}` has no input `{}`", name, port));
    if (find(given, port)) fail(arg.value.place, fmt::format("`{}` of `{}` is given twice", port, name));
    given.emplace_back(port, Given{expression(arg.value, scope), arg.value.place});
  }
  for (const std::string& port : ports)
    if (!find(given, port)) fail(place, fmt::format("`{}` needs a value for `{}`", name, port));
  if (!call.has_states) return given;
  if (call.states.size() != defined.states.size())
    fail(place, fmt::format("`{}` has {} state{}, here are {}", name, defined.states.size(),
                            plural(defined.states.size()), call.states.size()));
  for (size_t i = 0; i < call.states.size(); ++i) {
    const ast::Arg& arg = call.states[i];
    if (!arg.name.empty() && arg.name != defined.states[i].name)
      fail(arg.value.place, fmt::format("state {} of `{}` is `{}`", i + 1, name, defined.states[i].name), {},
           "the states stand in their order, without names");
    given.emplace_back(defined.states[i].name, Given{expression(arg.value, scope), arg.value.place});
  }
  return given;
}

/// How the result of a layer, or of one step of a cell, depends on steps of the inputs. Along the
/// dimensions in front every element is by itself; what the head names is seen as a whole.
Reaches Checker::layer_reaches(const Defined& defined, const GivenByName& given, bool has_lead,
                               bool step) const {
  Reaches result;
  size_t port = 0;
  for (const auto* group : {&defined.inputs, &defined.constants}) {
    for (const Declared& declared : *group) {
      const Value& value = find(given, declared.name)->value;
      const bool along = value.type.sizes.size() > declared.type.sizes.size() && group == &defined.inputs;
      Reach inner = step ? Reach::Later : Reach::Nothing;
      for (const Reaches& r : defined.result_reaches) inner = std::max(inner, r[port]);
      result.include(along      ? value.reaches
                     : has_lead ? value.reaches.everything()
                                : value.reaches.through(inner));
      ++port;
    }
  }
  if (!step) return result;
  for (const Declared& state : defined.states) {
    const Value& value = find(given, state.name)->value;
    const bool along = value.type.sizes.size() > state.type.sizes.size();
    result.include(along ? value.reaches : value.reaches.everything());
  }
  return result;
}

Value Checker::apply(const std::string& name, const Expr& call, Scope& scope) {
  const Expr& callee = call.operands[0];
  const Place place = call.place;
  std::string used = name;
  const std::vector<ast::Arg>* sizes = callee.kind == Expr::Kind::Index ? &callee.args : nullptr;
  const Value* instance = scope.find(name);
  if (instance) {
    scope.used.insert(name);
    const ast::CellRef& ref = *instance->reference;
    if (ref.is_combinator()) fail(place, fmt::format("`{0}` is a scan cell: `scan {0} over ...`", name));
    if (sizes) fail(place, fmt::format("the sizes of `{}` stand where it is made", name));
    used = ref.name;
    sizes = &ref.sizes;
  }
  const bool step = find_cell(used) != nullptr;
  const Defined& defined = step ? *find_cell(used) : *find_layer(used);
  if (defined.wrong) throw AlreadyWrong();
  if (step && !call.has_states)
    fail(Code::CellNotLayer, place,
         fmt::format("`{0}` is a cell: `scan {0} over ...`, or one step: `{0}(x; {1})`", used,
                     join(port_names(defined.states))));
  if (step && defined.scope.tree)
    fail(Code::Fold, place, fmt::format("`{}` is a tree cell: use `fold`", used));
  if (!step && call.has_states) fail(place, fmt::format("`{}` is a layer, it has no states", used));

  const std::vector<std::string> order = defined.size_order(step);
  DimBindings bound;
  if (sizes) bind_sizes(*sizes, order, defined, bound, scope);
  const GivenByName given = given_values(defined, used, call, scope);

  std::vector<Dim> lead;
  bool per_row = false;
  for (const auto& [port, value] : given) per_row = per_row || value.value.per_row;
  const auto match_along = [&](const Declared& port, const char* what) {
    const Value& value = find(given, port.name)->value;
    const std::vector<Dim>& sizes = value.type.sizes;
    if (sizes.size() < port.type.sizes.size())
      fail(place, fmt::format("{} `{}` of `{}` is {}, this is {}", what, port.name, used, port.type.str(),
                              value.type.str()));
    const auto split = sizes.end() - static_cast<std::ptrdiff_t>(port.type.sizes.size());
    const std::vector<Dim> front(sizes.begin(), split);
    if (!front.empty() && !lead.empty() && !fit(front, lead))
      fail(place, fmt::format("the values of `{}` have different dimensions in front", used),
           {fmt::format("[{}] and [{}]", join(lead), join(front))});
    if (!front.empty()) lead = front;
    match(fmt::format("{} `{}` of `{}`", what, port.name, used), port.type,
          {value.type.vocabulary, std::vector<Dim>(split, sizes.end())}, bound, place);
  };
  for (const Declared& port : defined.inputs) match_along(port, "input");
  if (step)
    for (const Declared& port : defined.states) match_along(port, "state");
  for (const Declared& port : defined.constants)
    match(fmt::format("`{}` of `{}`", port.name, used), port.type, find(given, port.name)->value.type, bound,
          place);
  all_known(defined, bound, order, place);
  if (instance) share(name, defined, bound, scope, place);
  Value result = results_of(defined, bound, lead);
  result.per_row = per_row;
  result.reaches = layer_reaches(defined, given, !lead.empty(), step);
  return result;
}

}  // namespace rnnc::checking
