// The functions of the language: how many values, which shapes, what comes out.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {

using ast::Arg;
using ast::Expr;

/// A call of a function, its values computed.
struct Checker::Call {
  std::string name;
  FunctionClass kind;
  Place place;
  const std::vector<Arg>& sizes;
  const std::vector<Arg>& args;
  const std::vector<ast::Name>& over;
  std::vector<const Expr*> written;  ///< the values without a name
  std::vector<Value> values;

  const Value& first() const { return values[0]; }
  Dim over_dim(size_t i = 0) const { return Dim::named(over[i].text); }
  /// The position of the dimension the call runs along: the one named, else the first.
  size_t axis() const {
    if (over.empty()) return 0;
    const auto& sizes = first().type.sizes;
    return static_cast<size_t>(std::find(sizes.begin(), sizes.end(), over_dim()) - sizes.begin());
  }
  bool is_on(const std::string& option) const {
    for (const Arg& arg : args)
      if (arg.name == option) return arg.value.text == "yes";
    return false;
  }
};

namespace {

/// What changes along time if the call runs along it, i.e. along the first dimension.
Reaches along(const Value& value, size_t axis, bool all_steps) {
  return axis == 0 && all_steps ? value.reaches.everything() : value.reaches;
}

}  // namespace

Value Checker::function(const std::string& name, const std::vector<Arg>& sizes, const std::vector<Arg>& args,
                        const std::vector<ast::Name>& over, Scope& scope, Place place) {
  const Function* known = find_function(name);
  if (!known)
    fail(Code::UnknownFunction, place, fmt::format("there is no function `{}`", name), {},
         suggest(name, function_names()));
  Call call{name, known->kind, place, sizes, args, over, {}, {}};
  const bool training = scope.kind == Scope::Kind::Train;
  if (belongs_to_train(known->kind) && !training) {
    const bool next = known->kind == FunctionClass::Next;
    const char* why = next ? ": in a model it would look into the future" : "";
    fail(Code::NextInModel, place, fmt::format("`{}` belongs to `train`{}", name, why), {},
         next ? "`delay` looks back" : "");
  }
  if (known->kind == FunctionClass::Top && scope.kind != Scope::Kind::Predict)
    fail(place, fmt::format("`{}` belongs to `predict`", name));
  for (const Arg& arg : args)
    if (arg.name.empty()) call.written.push_back(&arg.value);
  if (name == "max" || name == "min") {
    if (call.written.size() == 2 && over.empty()) {
      options(name, args, place);
      return elementwise(name, place, *call.written[0], *call.written[1], scope);
    }
  }
  for (const Expr* e : call.written) call.values.push_back(expression(*e, scope));
  options(name, args, place);
  const size_t count = call.values.size(), least = static_cast<size_t>(known->least);
  if (count < least) fail(place, fmt::format("`{}` needs {} value{}", name, least, least == 1 ? "" : "s"));
  if (known->most > 0 && count > static_cast<size_t>(known->most))
    fail(place, fmt::format("`{}` takes {} value{}, here are {}", name, known->most,
                            known->most == 1 ? "" : "s", count));
  if (!sizes.empty() && known->kind != FunctionClass::Coin)
    fail(place, fmt::format("`{}` takes no sizes", name));
  if (!over.empty()) {
    const bool many = known->kind == FunctionClass::Reduction;
    if (!many && known->kind != FunctionClass::Rows && known->kind != FunctionClass::Time)
      fail(over[0].place, fmt::format("`{}` does not run over a dimension", name));
    if (!many && over.size() > 1) fail(over[1].place, fmt::format("`{}` runs over one dimension", name));
    const auto& dims = call.first().type.sizes;
    for (const ast::Name& dim : over)
      if (std::find(dims.begin(), dims.end(), Dim::named(dim.text)) == dims.end())
        fail(Code::Reduction, dim.place,
             fmt::format("`{0} over {1}`: there is no dimension {1} in {2}", name, dim.text,
                         call.first().type.str()));
  }
  using enum FunctionClass;
  const bool takes_numbers = known->kind == Elementwise || known->kind == StopGradient ||
                             known->kind == Rows || known->kind == Reduction || known->kind == Dropout ||
                             name == "window" || known->kind == Transpose || known->kind == Flatten ||
                             known->kind == ArgMax || known->kind == Gradient || known->kind == Top;
  if (takes_numbers && call.first().type.is_category())
    fail(place, fmt::format("`{}` needs numbers, this is {}", name, call.first().type.str()), {},
         "an embedding makes numbers of a category: `embed[64](...)`");
  return shape_function(call, scope);
}

Value Checker::shape_function(const Call& call, Scope& scope) {
  using enum FunctionClass;
  const auto& name = call.name;
  switch (call.kind) {
    case Elementwise:
    case StopGradient:
    case Gradient:
    case Top: return call.first().derived();
    case Dropout:
    case Coin: {
      const Value& chance = call.values.back();
      if (!chance.type.is_number())
        fail(call.place,
             fmt::format("the probability of `{}` is one number, this is {}", name, chance.type.str()));
      if (call.kind == Dropout) return call.first().derived();
      Value coin;
      for (const Arg& size : call.sizes) coin.type.sizes.push_back(whole_size(size.value, &scope));
      return coin;
    }
    case Rows: return rows(call);
    case Reduction: return reduction(call, scope);
    case Time: return time(call, scope);
    case End: return end(call);
    case Concat: return concat(call);
    case Flatten: {
      Dim all(1);
      for (const Dim& dim : call.first().type.sizes) all = all * dim;
      Value result = call.first().derived({"", {all}});
      result.reaches = result.reaches.everything();
      return result;
    }
    case Transpose: {
      ValueType type = call.first().type;
      if (type.sizes.size() != 2)
        fail(call.place, fmt::format("`transpose` needs two dimensions, this is {}", type.str()));
      std::swap(type.sizes[0], type.sizes[1]);
      Value result = call.first().derived(type);
      result.reaches = result.reaches.everything();  // time is no longer the first dimension
      return result;
    }
    case OneHot: {
      const ValueType& type = call.first().type;
      if (!type.is_category())
        fail(call.place, fmt::format("`one_hot` needs a category, this is {}", type.str()));
      Value result = call.first().derived({"", type.sizes});
      result.type.sizes.push_back(Dim::named(type.vocabulary));
      return result;
    }
    case ArgMax: {
      const ValueType& type = call.first().type;
      const auto vocabulary = type.sizes.empty() ? std::nullopt : type.sizes.back().single_name();
      if (!vocabulary)
        fail(call.place, fmt::format("`argmax` needs scores over a vocabulary, this is {}", type.str()));
      return call.first().derived({*vocabulary, {type.sizes.begin(), type.sizes.end() - 1}});
    }
    case Next: {
      if (call.first().type.sizes.empty())
        fail(call.place, fmt::format("`next` needs a sequence, this is {}", call.first().type.str()));
      if (call.written.size() > 1) number_of(*call.written[1], "how far `next` looks", 1, true);
      return call.first().derived();
    }
    case CategoryLoss:
    case NumberLoss:
    case Ctc:
    case Accuracy:
    case F1Score:
    case Bleu:
    case Ngram: return loss(call, scope);
  }
  return {};
}

Value Checker::rows(const Call& call) const {
  const Value& a = call.first();
  const size_t last = a.type.sizes.empty() ? 0 : a.type.sizes.size() - 1;
  Value result = a.derived();
  result.reaches = along(a, call.over.empty() ? last : call.axis(), true);
  return result;
}

Value Checker::reduction(const Call& call, const Scope& scope) const {
  const Value& a = call.first();
  if (call.over.empty()) {
    Value result = a.derived({});
    if (!a.type.sizes.empty()) result.reaches = result.reaches.everything();
    if (scope.kind == Scope::Kind::Train) result.per_row = false;  // over all rows too
    return result;
  }
  Value result = a.derived({});
  for (size_t i = 0; i < a.type.sizes.size(); ++i) {
    const Dim& dim = a.type.sizes[i];
    const bool named = std::any_of(call.over.begin(), call.over.end(),
                                   [&](const ast::Name& n) { return Dim::named(n.text) == dim; });
    if (!named) result.type.sizes.push_back(dim);
    if (named && i == 0) result.reaches = a.reaches.everything();
  }
  return result;
}

Value Checker::end(const Call& call) {
  const Value& a = call.first();
  if (a.type.sizes.empty())
    fail(call.place, fmt::format("`{}` needs a sequence, this is {}", call.name, a.type.str()));
  if (call.name == "final" && !a.is_scan)
    fail(Code::Final, call.place, "`final` needs the result of a scan itself", {},
         "`last` takes any sequence");
  if (call.name == "last" && a.backwards && a.is_scan)
    warn(Code::LastOfBoth, call.place,
         "`last` of a bidirectional scan: its backward half has read one element only",
         "`final(...)` takes the last state of each direction");
  Value result = a.derived({a.type.vocabulary, {a.type.sizes.begin() + 1, a.type.sizes.end()}});
  result.reaches = result.reaches.everything();
  return result;
}

Value Checker::time(const Call& call, const Scope& scope) const {
  const ValueType& type = call.first().type;
  if (type.sizes.empty() && (scope.kind != Scope::Kind::Cell || call.name == "every"))
    fail(call.place, fmt::format("`{}` needs a sequence, this is {}", call.name, type.str()));
  if (call.name == "delay") return delay(call, scope);
  return call.name == "window" ? window(call, scope) : every(call, scope);
}

Value Checker::delay(const Call& call, const Scope& scope) const {
  const Expr* steps = call.written.size() > 1 ? call.written[1] : nullptr;
  const bool ahead = steps && steps->kind == Expr::Kind::Negate;
  if (ahead && scope.kind == Scope::Kind::Cell && call.over.empty())
    fail(call.place, "a cell cannot look ahead");
  const Dim distance = steps ? size(ahead ? steps->operands[0] : *steps, &scope) : Dim(1);
  const Value& a = call.first();
  Value result = a.derived();
  if (call.axis() == 0 && distance.number() != 0)
    result.reaches = ahead ? a.reaches.everything() : a.reaches.before();
  return result;
}

Value Checker::window(const Call& call, const Scope& scope) const {
  const Value& a = call.first();
  const Dim width = whole_size(*call.written[1], &scope);
  const bool cell = scope.kind == Scope::Kind::Cell, over_steps = cell && call.over.empty();
  Value result = a.derived();
  std::vector<Dim>& sizes = result.type.sizes;
  const size_t axis = call.axis();
  const bool adds_dimension = over_steps ? sizes.empty() : axis + 1 == sizes.size();
  if (over_steps && call.is_on("center")) fail(call.place, "a cell cannot look ahead");
  if (call.is_on("full")) {
    if (over_steps) fail(call.place, "`full` belongs to a window along a dimension, not along the scan");
    sizes[axis] = sizes[axis] - width + Dim(1);
    const auto places = sizes[axis].number();
    if (places && *places < 1)
      fail(call.place,
           fmt::format("a window of {} does not fit into {}", width.str(), a.type.sizes[axis].str()));
  }
  if (adds_dimension) {
    sizes.push_back(width);
  } else {
    sizes.back() = sizes.back() * width;
  }
  result.reaches = along(a, axis, call.is_on("center") || call.is_on("full"));
  return result;
}

Value Checker::every(const Call& call, const Scope& scope) const {
  const auto step = size(*call.written[1], &scope).value(dim_values_);
  if (!step || *step < 1) fail(call.written[1]->place, "`every` needs a whole number above 0");
  const size_t axis = call.axis();
  Value result = call.first().derived();
  result.type.sizes[axis] = result.type.sizes[axis].divided_up(*step);
  result.reaches = along(call.first(), axis, true);  // element t of the result is element t * step
  return result;
}

Value Checker::concat(const Call& call) const {
  Value result;
  result.per_row = false;
  std::vector<Dim> front;
  std::vector<std::string> shapes;
  for (const Value& v : call.values) {
    shapes.push_back(v.type.str());
    if (v.type.is_category())
      fail(call.place, fmt::format("`concat` needs numbers, this is {}", v.type.str()));
    if (v.type.sizes.size() > front.size() + 1) front.assign(v.type.sizes.begin(), v.type.sizes.end() - 1);
  }
  Dim joined;
  for (const Value& v : call.values) {
    const auto& sizes = v.type.sizes;
    const std::vector<Dim> before(sizes.begin(), sizes.empty() ? sizes.end() : sizes.end() - 1);
    if (!sizes.empty() && !fit(before, front))  // a number counts as one, everywhere
      fail(call.place, "`concat` joins the last dimension; what stands before it must agree", shapes);
    joined = joined + (sizes.empty() ? Dim(1) : sizes.back());
    result.per_row = result.per_row || v.per_row;
    result.reaches.include(sizes.size() == 1 ? v.reaches.everything() : v.reaches);
  }
  result.type.sizes = front;
  result.type.sizes.push_back(joined);
  return result;
}

Value Checker::loss(const Call& call, const Scope& scope) const {
  using enum FunctionClass;
  Value number;
  number.per_row = false;
  if (call.kind == Bleu) return number;
  const ValueType& given = call.first().type;
  if (call.kind == Ngram) {
    if (!given.is_category() || given.sizes.empty())
      fail(call.place, fmt::format("`ngram` counts a sequence of categories, this is {}", given.str()));
    number_of(*call.written[1], "the length of an n-gram", 1, true);
    return number;
  }
  const ValueType& answer = call.values[1].type;
  if (call.kind == Ctc) {
    const bool right = !given.is_category() && given.sizes.size() == 2 && answer.is_category() &&
                       answer.sizes.size() == 1 && given.sizes[1] == Dim::named(answer.vocabulary);
    if (!right)
      fail(Code::LossShape, call.place, "`ctc` compares a sequence of scores with a sequence of categories",
           {"scores : " + given.str(), "answer : " + answer.str()});
    return number;
  }
  if (call.kind == CategoryLoss || call.kind == F1Score || (call.kind == Accuracy && answer.is_category())) {
    std::vector<Dim> wanted = answer.sizes;
    if (answer.is_category()) wanted.push_back(Dim::named(answer.vocabulary));
    if (answer.is_category() && !given.is_category() && fit(given.sizes, wanted)) return number;
    std::string help = "for answers that are numbers: `binary_cross_entropy` or `squared_error`";
    if (answer.is_category()) {
      help = fmt::format("the scores should be [{}]", join(wanted));
      for (const std::string& name : scope.order) {
        const Value& value = scope.values.at(name);
        if (value.role != Role::Equation || value.type.is_category() || !fit(value.type.sizes, wanted))
          continue;
        help += fmt::format("; `{}` is", name);
        break;
      }
    }
    fail(Code::LossShape, call.place, fmt::format("`{}` compares scores with a category", call.name),
         {"scores : " + given.str(), "answer : " + answer.str()}, help);
  }
  if (given.is_category() || answer.is_category() || !fit(given.sizes, answer.sizes))
    fail(Code::LossShape, call.place, fmt::format("`{}` compares numbers of equal shape", call.name),
         {"given  : " + given.str(), "answer : " + answer.str()},
         answer.is_category() ? "for a category: `cross_entropy`" : "");
  return number;
}

}  // namespace rnnc::checking
