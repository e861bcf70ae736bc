// The checker from the outside, and what all its parts share: items, errors, sizes.
#include "frontend/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

#include "frontend/checker.h"
#include "frontend/parser.h"
#include "frontend/suggest.h"

namespace rnnc {

Checked check(const Source& source, const DimValues& overrides) {
  Checked result;
  result.file = parse(source);
  result.library_source = {"std.rnn", kStandardLibrary};
  result.library = parse(result.library_source, Place::kLibrary);
  checking::Checker checker(source, overrides);
  checker.run(result.file, result.library);
  result.definitions = checker.take_definitions();
  result.dims = checker.dims();
  result.warnings = checker.take_warnings();
  return result;
}

}  // namespace rnnc

namespace rnnc::checking {

using ast::BinaryOp;
using ast::Expr;

constexpr double kLargestSize = 2147483647;

Checker::Checker(const Source& source, const DimValues& overrides) : source_(source), overrides_(overrides) {}

void Checker::run(const ast::File& file, const ast::File& library) {
  for (const ast::Item& it : library.items) item(it);
  in_library_ = false;
  try {
    for (const ast::Item& it : file.items) item(it);
    for (const auto& [name, value] : overrides_)
      if (!dim_names_.contains(name)) {
        const std::vector<std::string> known(dim_names_.begin(), dim_names_.end());
        const std::string near = suggest(name, known);
        const std::string there_are = "there are: " + (known.empty() ? "none" : join(known));
        errors_.push_back(with_code(
            Code::CommandLine, in_file(source_.name, 0, 0, fmt::format("no `dim` gives `{}` a value", name),
                                       {}, near.empty() ? there_are : near)));
      }
  } catch (const EnoughErrors&) {
  }
  if (errors_.empty()) return;
  std::sort(errors_.begin(), errors_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column, a.message) < std::tie(b.line, b.column, b.message);
  });
  throw UserError(std::move(errors_));
}

void Checker::item(const ast::Item& item) {
  if (const auto* d = std::get_if<ast::Dims>(&item)) dims(*d);
  if (const auto* d = std::get_if<ast::DataBlock>(&item)) data(*d);
  if (const auto* d = std::get_if<ast::Definition>(&item)) definition(*d);
  if (const auto* t = std::get_if<ast::Train>(&item)) guarded(t->model.place, [&] { train(*t); });
  if (const auto* u = std::get_if<ast::Use>(&item)) guarded(u->model.place, [&] { use(*u); });
}

void Checker::dims(const ast::Dims& dims) {
  for (const ast::Binding& dim : dims.bindings) {
    guarded(dim.place, [&] {
      const bool twice = !dim_names_.insert(dim.name).second;
      if (is_language_function(dim.name))
        fail(Code::FunctionName, dim.place,
             fmt::format("`{}` is a function of the language and cannot be a name", dim.name));
      std::optional<double> value = constant(dim.value);
      if (const auto it = overrides_.find(dim.name); it != overrides_.end())
        value = static_cast<double>(it->second);
      if (!value || *value != std::floor(*value) || *value < 1)
        fail(dim.place, "a dimension is a whole number above 0");
      if (*value > kLargestSize) fail(dim.place, "this size is too large");
      if (twice) fail(dim.place, fmt::format("`{}` is already defined", dim.name));
      dim_values_[dim.name] = static_cast<int64_t>(*value);
    });
  }
}

void Checker::fail(Code code, Place place, std::string message, std::vector<std::string> notes,
                   std::string help, const Related& related) const {
  if (in_library_) throw std::logic_error("std.rnn: " + message);
  Diagnostic error =
      with_code(code, at_place(source_, place, std::move(message), std::move(notes), std::move(help)));
  for (const auto& [where, text] : related)
    error.related.push_back(
        {source_.name, locate(source_, where), std::string(line_at(source_, where.offset)), text});
  throw UserError(std::move(error));
}

void Checker::warn(Code code, Place place, std::string message, std::string help) {
  constexpr size_t kMostWarnings = 100;
  if (in_library_ || warnings_.size() >= kMostWarnings) return;
  warnings_.push_back(with_code(code, at_place(source_, place, std::move(message), {}, std::move(help))));
  warnings_.back().severity = Severity::Warning;
}

bool Checker::guarded(Place place, const std::function<void()>& work) {
  constexpr size_t kMostErrors = 10;
  try {
    try {
      work();
      return true;
    } catch (const DimTooLarge& error) {
      fail(place, error.what());
    }
  } catch (const AlreadyWrong&) {
  } catch (const UserError& error) {
    errors_.insert(errors_.end(), error.diagnostics().begin(), error.diagnostics().end());
    if (errors_.size() >= kMostErrors) throw EnoughErrors();
  }
  return false;
}

std::optional<double> Checker::constant(const Expr& e) const {
  if (e.kind == Expr::Kind::Number) return e.number;
  if (e.kind == Expr::Kind::Name) {
    const auto it = dim_values_.find(e.text);
    if (it == dim_values_.end()) {
      if (dim_names_.contains(e.text)) throw AlreadyWrong();
      return std::nullopt;
    }
    return static_cast<double>(it->second);
  }
  if (e.kind == Expr::Kind::Negate) {
    const auto value = constant(e.operands[0]);
    return value ? std::optional(-*value) : std::nullopt;
  }
  if (e.kind != Expr::Kind::Binary) return std::nullopt;
  const auto a = constant(e.operands[0]), b = constant(e.operands[1]);
  if (!a || !b) return std::nullopt;
  if (e.op == BinaryOp::Add) return *a + *b;
  if (e.op == BinaryOp::Subtract) return *a - *b;
  if (e.op == BinaryOp::Multiply) return *a * *b;
  if (e.op == BinaryOp::Divide && *b != 0) return *a / *b;
  return std::nullopt;
}

Dim Checker::size(const Expr& e, const Scope* scope) const {
  if (e.kind == Expr::Kind::Number) {
    if (e.number != std::floor(e.number))
      fail(e.place, fmt::format("a size is a whole number, not {}", e.number));
    if (e.number > kLargestSize) throw DimTooLarge();
    return Dim(static_cast<int64_t>(e.number));
  }
  if (e.kind == Expr::Kind::Name) {
    if (scope && !scope->has_dim(e.text)) {
      if (scope->wrong.contains(e.text)) throw AlreadyWrong();
      std::vector<std::string> known = scope->dims;
      std::sort(known.begin(), known.end());
      const std::string near = suggest(e.text, known);
      fail(Code::UnknownDim, e.place, fmt::format("there is no dimension `{}` here", e.text), {},
           near.empty() ? "there are: " + (known.empty() ? "none" : join(known)) : near);
    }
    return Dim::named(e.text);
  }
  if (e.kind == Expr::Kind::Binary) {
    const Expr& right = e.operands[1];
    if (e.op == BinaryOp::Add) return size(e.operands[0], scope) + size(right, scope);
    if (e.op == BinaryOp::Subtract) return size(e.operands[0], scope) - size(right, scope);
    if (e.op == BinaryOp::Multiply) return size(e.operands[0], scope) * size(right, scope);
    if (e.op == BinaryOp::Divide && right.kind == Expr::Kind::Number) {
      if (right.number != std::floor(right.number) || right.number < 1)
        fail(right.place, "a size is divided by a whole number above 0");
      if (right.number > kLargestSize) throw DimTooLarge();
      return size(e.operands[0], scope).divided_up(static_cast<int64_t>(right.number));
    }
  }
  fail(e.place, "a size is made of names, whole numbers, `+`, `-`, `*` and `/ number`");
}

Dim Checker::whole_size(const Expr& e, const Scope* scope) const {
  Dim result = size(e, scope);
  const auto number = result.number();
  if (number && *number < 1)
    fail(e.place, fmt::format("a size is a whole number above 0, this is {}", *number));
  if (number && *number > static_cast<int64_t>(kLargestSize)) throw DimTooLarge();
  return result;
}

ValueType Checker::type(const ast::Type& type, const Scope* scope, Place place) const {
  if (!type.vocabulary.empty() && scope && !scope->has_dim(type.vocabulary))
    fail(place, fmt::format("there is no vocabulary `{}` here", type.vocabulary), {},
         suggest(type.vocabulary, scope->dims));
  ValueType result{type.vocabulary, {}};
  for (const ast::Size& s : type.sizes) result.sizes.push_back(whole_size(s.value, scope));
  return result;
}

const Defined* Checker::find_cell(const std::string& name) const {
  const auto it = cells_.find(name);
  return it == cells_.end() ? nullptr : &it->second;
}

const Defined* Checker::find_layer(const std::string& name) const {
  const auto it = layers_.find(name);
  return it == layers_.end() ? nullptr : &it->second;
}

std::vector<std::string> Checker::names_of(bool cells, bool layers) const {
  std::vector<std::string> names;
  if (cells)
    for (const auto& [name, defined] : cells_) names.push_back(name);
  if (layers)
    for (const auto& [name, defined] : layers_) names.push_back(name);
  return names;
}

}  // namespace rnnc::checking
