// Values in a data block: see data_values.h.
#include "driver/data_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace rnnc {
namespace {

using ast::Expr;
using Kind = ast::Expr::Kind;

struct Function {
  std::string_view name;
  EncodeOp op;
};
constexpr std::array<Function, 14> kFunctions = {{{"chars", EncodeOp::Chars},
                                                  {"words", EncodeOp::Words},
                                                  {"bytes", EncodeOp::Bytes},
                                                  {"category", EncodeOp::Category},
                                                  {"number", EncodeOp::ToNumber},
                                                  {"numbers", EncodeOp::Numbers},
                                                  {"standardize", EncodeOp::Standardize},
                                                  {"equals", EncodeOp::Equals},
                                                  {"lower", EncodeOp::Lower},
                                                  {"sin", EncodeOp::Sin},
                                                  {"cos", EncodeOp::Cos},
                                                  {"log", EncodeOp::Log},
                                                  {"sqrt", EncodeOp::Sqrt},
                                                  {"abs", EncodeOp::Abs}}};

std::optional<EncodeOp> function(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &Function::name);
  if (found == kFunctions.end()) return std::nullopt;
  return found->op;
}

}  // namespace

void DataValues::refuse(Place where, std::string message, std::string help) const {
  throw UserError(at_place(source_, where, std::move(message), {}, std::move(help)));
}

SpecPlace DataValues::place(Place where) const {
  const LineColumn at = locate(source_, where);
  return {.line = static_cast<int>(at.line), .column = static_cast<int>(at.column)};
}

bool DataValues::yes(const Expr& expr) const {
  if (expr.kind == Kind::Name && (expr.text == "yes" || expr.text == "no")) return expr.text == "yes";
  refuse(expr.place, "`yes` or `no` is needed here");
}

// A number written in the file, or the value of a `dim`.
double DataValues::constant(const Expr& expr) const {
  if (expr.kind == Kind::Number) return expr.number;
  if (expr.kind == Kind::Negate) return -constant(expr.operands[0]);
  if (expr.kind == Kind::Name)
    if (const auto found = dims_.find(expr.text); found != dims_.end())
      return static_cast<double>(found->second);
  if (expr.kind == Kind::Binary) {
    const double a = constant(expr.operands[0]), b = constant(expr.operands[1]);
    if (expr.op == ast::BinaryOp::Add) return a + b;
    if (expr.op == ast::BinaryOp::Subtract) return a - b;
    if (expr.op == ast::BinaryOp::Multiply) return a * b;
    if (expr.op == ast::BinaryOp::Divide) return a / b;
  }
  refuse(expr.place, "a number is needed here");
}

int64_t DataValues::count(const Expr& expr) const {
  constexpr double kMost = 1e15;
  const double value = constant(expr);
  if (!(value >= 0 && value <= kMost) || value != std::floor(value))
    refuse(expr.place, fmt::format("a whole number is needed here, not {}", value));
  return static_cast<int64_t>(value);
}

// A fixed dimension, if its value is known without data.
std::optional<int64_t> DataValues::known_size(const Expr& size) const {
  if (size.kind == Kind::Number) return count(size);
  if (size.kind != Kind::Name) return std::nullopt;
  const auto found = dims_.find(size.text);
  if (found == dims_.end()) return std::nullopt;
  return found->second;
}

std::optional<EncodeOp> DataValues::called(const Expr& expr) {
  if (expr.kind != Kind::Call || expr.operands[0].kind != Kind::Name) return std::nullopt;
  return function(expr.operands[0].text);
}

EncodeExpr DataValues::node(const Expr& expr, EncodeOp op) const {
  EncodeExpr result;
  result.op = op;
  result.place = place(expr.place);
  return result;
}

const Expr& DataValues::unnamed(const ast::Arg& arg) const {
  if (!arg.name.empty()) refuse(arg.place, fmt::format("there is no option `{}` here", arg.name));
  return arg.value;
}

// The one argument without a name.
const Expr& DataValues::only_argument(const Expr& call) const {
  const Expr* found = nullptr;
  for (const ast::Arg& arg : call.args) {
    if (!arg.name.empty()) continue;
    if (found != nullptr) refuse(arg.place, fmt::format("`{}` takes one value", call.operands[0].text));
    found = &arg.value;
  }
  if (found == nullptr) refuse(call.place, fmt::format("`{}` of what?", call.operands[0].text));
  return *found;
}

// col(1), col("name"), rest(2)
EncodeExpr DataValues::column(const Expr& expr, EncodeOp op) const {
  EncodeExpr result = node(expr, op);
  const Expr& which = only_argument(expr);
  if (which.kind == Kind::Text && op == EncodeOp::Column) result.text = which.text;
  else result.number = static_cast<double>(count(which));
  if (result.number == 0 && result.text.empty()) refuse(which.place, "columns count from 1");
  return result;
}

// A source value, or text made of one; nothing if it is none.
std::optional<EncodeExpr> DataValues::maybe_text(const Expr& expr) const {
  if (expr.kind == Kind::Text) {
    EncodeExpr result = node(expr, EncodeOp::Text);
    result.text = expr.text;
    return result;
  }
  if (expr.kind == Kind::Name && expr.text == "line") return node(expr, EncodeOp::Line);
  if (expr.kind == Kind::Name && expr.text == "file") return node(expr, EncodeOp::File);
  if (expr.kind == Kind::Name && expr.text == "text") return node(expr, EncodeOp::WholeText);
  if (expr.kind == Kind::Name && expr.text == "leaf") return node(expr, EncodeOp::Leaf);
  if (expr.kind == Kind::Name && expr.text == "label") return node(expr, EncodeOp::Label);
  if (expr.kind != Kind::Call || expr.operands[0].kind != Kind::Name) return std::nullopt;
  const std::string& name = expr.operands[0].text;
  if (name == "col") return column(expr, EncodeOp::Column);
  if (name == "rest") return column(expr, EncodeOp::Rest);
  if (name != "lower") return std::nullopt;
  EncodeExpr result = node(expr, EncodeOp::Lower);
  result.operands = {text(only_argument(expr))};
  return result;
}

EncodeExpr DataValues::text(const Expr& expr) const {
  if (std::optional<EncodeExpr> found = maybe_text(expr)) return std::move(*found);
  if (called(expr) == EncodeOp::Words)
    refuse(expr.place, "symbols of words have two dimensions", "a type like `C[S, T]`");
  refuse(expr.place, "text is needed here", "`line`, `col(1)` or `lower(...)` of one");
}

EncodeExpr DataValues::value(const Expr& expr) const {
  if (std::optional<EncodeExpr> found = maybe_text(expr)) return std::move(*found);
  return number(expr);
}

EncodeExpr DataValues::number(const Expr& expr) const {
  if (maybe_text(expr)) refuse(expr.place, "this is text, a number is needed", "`number(...)`");
  switch (expr.kind) {
    case Kind::Number: {
      EncodeExpr result = node(expr, EncodeOp::Number);
      result.number = expr.number;
      return result;
    }
    case Kind::Negate: {
      EncodeExpr result = node(expr, EncodeOp::Negate);
      result.operands = {number(expr.operands[0])};
      return result;
    }
    case Kind::Name:
      if (expr.text == "row") return node(expr, EncodeOp::Row);
      if (dims_.contains(expr.text)) {
        EncodeExpr result = node(expr, EncodeOp::Number);
        result.number = static_cast<double>(dims_.at(expr.text));
        return result;
      }
      break;
    case Kind::Binary: return arithmetic(expr);
    case Kind::Call: return call(expr);
    case Kind::Text:
    case Kind::Index:
    case Kind::Part:
    case Kind::Over: break;
  }
  refuse(expr.place, "a number made of the row's values is needed here");
}

EncodeExpr DataValues::arithmetic(const Expr& expr) const {
  std::optional<EncodeOp> op;
  if (expr.op == ast::BinaryOp::Add) op = EncodeOp::Add;
  if (expr.op == ast::BinaryOp::Subtract) op = EncodeOp::Subtract;
  if (expr.op == ast::BinaryOp::Multiply) op = EncodeOp::Multiply;
  if (expr.op == ast::BinaryOp::Divide) op = EncodeOp::Divide;
  if (expr.op == ast::BinaryOp::Power) op = EncodeOp::Power;
  if (!op) refuse(expr.place, "in a data block numbers have `+ - * / ^` only");
  EncodeExpr result = node(expr, *op);
  result.operands = {number(expr.operands[0]), number(expr.operands[1])};
  return result;
}

EncodeExpr DataValues::call(const Expr& expr) const {
  const std::optional<EncodeOp> op = called(expr);
  if (!op) refuse(expr.place, "no function of data blocks");
  EncodeExpr result = node(expr, *op);
  switch (*op) {
    case EncodeOp::ToNumber: result.operands = {value(only_argument(expr))}; return result;
    case EncodeOp::Equals:
      for (const ast::Arg& arg : expr.args) result.operands.push_back(value(unnamed(arg)));
      if (result.operands.size() < 2) refuse(expr.place, "`equals` of a value and what it may be");
      return result;
    case EncodeOp::Sin:
    case EncodeOp::Cos:
    case EncodeOp::Log:
    case EncodeOp::Sqrt:
    case EncodeOp::Abs: result.operands = {number(only_argument(expr))}; return result;
    default:
      refuse(expr.place, fmt::format("`{}` stands alone, after the `=` of a field", expr.operands[0].text));
  }
}

}  // namespace rnnc
