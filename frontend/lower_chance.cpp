// Lowering of chance: coins and dropout. Coins stay in the model's graph; programs that do not train put
// their probability in their place (passes/settle_coins.cpp).
#include <fmt/format.h>

#include <array>

#include "frontend/lower_values.h"
#include "ir/chance.h"

namespace rnnc::lowering {

/// One coin for each row and column of `rows` x `cols`.
NodeId Lowering::coin(double probability, const std::string& path, Rows rows, int32_t cols) {
  NodeId row;
  if (rows.kind == Rows::Steps) row = g_->input(row_input(rows.dim), {Type::I32, rows, 2});
  else if (rows == Rows::batch()) row = g_->input(kRowInput, {Type::I32, rows, 1});
  else row = g_->input(inner_row_input(rows.dim), {Type::I32, rows, 2});
  const NodeId key = g_->input(kChanceInput, {Type::I32, Rows::fixed(1), 2});
  return g_->coin(probability, coin_place(path), row, key, cols);
}

double Lowering::probability(const ast::Expr& e, const std::string& of, bool below_one, Scope& scope) {
  const double p = number(e, scope);
  if (p >= 0 && (below_one ? p < 1 : p <= 1)) return p;
  throw UserError(at_place(
      source_of(e.place), e.place,
      fmt::format("the probability of `{}` is a number from 0 to {}1", of, below_one ? "below " : "")));
}

/// `coin[H](p)`: at every step of a scan, once a row in a model.
Value Lowering::coin_call(const ast::Expr& e, Scope& scope) {
  Value v;
  v.row = true;
  int64_t cols = 1;
  if (e.operands[0].kind == ast::Expr::Kind::Index) {
    for (const ast::Arg& arg : e.operands[0].args) {
      v.dims.push_back(size(arg.value, scope));
      if (v.dims.back().sequence >= 0) not_built(e.place, "a coin along a sequence");
      cols *= v.dims.back().n;
    }
  }
  const double p = probability(e.args.at(0).value, "coin", false, scope);
  const Rows rows = open_ != nullptr ? Rows::here(open_->dim) : Rows::batch();
  v.node = coin(p, instance_path("coin", scope), rows, int32_t(cols));
  return v;
}

/// x · (1 - coin) / (1 - p): in use, where the coin is p, x itself.
Value Lowering::dropout(Value x, double p, const std::string& path, Place place) {
  x.parts.clear();
  x.ends.clear();
  if (p == 0) return x;
  const Shape shape = g_->shape(x.node);
  if (shape.rows.kind == Rows::Fixed) not_built(place, "`dropout` of a value that all rows share");
  const NodeId kept = op(Op::Sub, {constant(1), coin(p, path, shape.rows, shape.cols)});
  x.node = op(Op::Mul, {x.node, op(Op::Div, {kept, constant(1 - p)})});
  return x;
}

Value Lowering::dropout_call(const ast::Expr& e, Scope& scope) {
  const Value x = expr(e.args.at(0).value, scope);
  const double p = probability(e.args.at(1).value, "dropout", true, scope);
  return dropout(x, p, instance_path("dropout", scope), e.place);
}

}  // namespace rnnc::lowering
