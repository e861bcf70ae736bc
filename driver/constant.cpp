// Numbers in settings: see constant.h.
#include "driver/constant.h"

#include <cmath>

namespace rnnc {

std::optional<double> constant_value(const ast::Expr& e, const DimValues& dims) {
  using Kind = ast::Expr::Kind;
  if (e.kind == Kind::Number) return e.number;
  if (e.kind == Kind::Name) {
    const auto dim = dims.find(e.text);
    if (dim == dims.end()) return std::nullopt;
    return static_cast<double>(dim->second);
  }
  if (e.kind == Kind::Negate) {
    const auto value = constant_value(e.operands[0], dims);
    return value ? std::optional(-*value) : std::nullopt;
  }
  if (e.kind != Kind::Binary) return std::nullopt;
  const auto a = constant_value(e.operands[0], dims), b = constant_value(e.operands[1], dims);
  if (!a || !b) return std::nullopt;
  switch (e.op) {
    case ast::BinaryOp::Add: return *a + *b;
    case ast::BinaryOp::Subtract: return *a - *b;
    case ast::BinaryOp::Multiply: return *a * *b;
    case ast::BinaryOp::Divide: return *a / *b;
    case ast::BinaryOp::Power: return std::pow(*a, *b);
    case ast::BinaryOp::MatMul:
    case ast::BinaryOp::Less:
    case ast::BinaryOp::Greater:
    case ast::BinaryOp::LessEqual:
    case ast::BinaryOp::GreaterEqual:
    case ast::BinaryOp::Equal:
    case ast::BinaryOp::NotEqual: break;
  }
  return std::nullopt;
}

}  // namespace rnnc
