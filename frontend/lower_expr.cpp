// Lowering of expressions: names, operators, indices and functions.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

const std::map<std::string, Op>& unary_functions() {
  static const std::map<std::string, Op> table = {
      {"sigmoid", Op::Sigmoid}, {"tanh", Op::Tanh}, {"relu", Op::Relu},         {"softplus", Op::Softplus},
      {"exp", Op::Exp},         {"log", Op::Log},   {"sqrt", Op::Sqrt},         {"abs", Op::Abs},
      {"sin", Op::Sin},         {"cos", Op::Cos},   {"stop_gradient", Op::Stop}};
  return table;
}

}  // namespace

/// A size: names, whole numbers, + - *, and division rounded up. A bare name keeps what it is.
Dim Lowering::size(const Expr& e, Scope& scope) {
  if (e.kind == Expr::Kind::Name) return scope.dims.at(e.text);
  if (e.kind == Expr::Kind::Number) return {int64_t(e.number), -1, {}, {}};
  const Dim a = size(e.operands.at(0), scope), b = size(e.operands.at(1), scope);
  if (a.sequence >= 0 || b.sequence >= 0)
    not_built(e.place, "arithmetic with the length of a sequence as a size");
  switch (e.op) {
    case ast::BinaryOp::Add: return {a.n + b.n, -1, {}, {}};
    case ast::BinaryOp::Subtract: return {a.n - b.n, -1, {}, {}};
    case ast::BinaryOp::Multiply: return {a.n * b.n, -1, {}, {}};
    default: return {(a.n + b.n - 1) / b.n, -1, {}, {}};
  }
}

/// A number that is known now: literals, dimensions and arithmetic of them.
double Lowering::number(const Expr& e, Scope& scope) {
  switch (e.kind) {
    case Expr::Kind::Number: return e.number;
    case Expr::Kind::Negate: return -number(e.operands[0], scope);
    case Expr::Kind::Name: {
      const auto dim = scope.dims.find(e.text);
      if (dim != scope.dims.end() && !is_variable(dim->second)) return double(dim->second.n);
      break;
    }
    case Expr::Kind::Binary: {
      const double a = number(e.operands[0], scope), b = number(e.operands[1], scope);
      if (e.op == ast::BinaryOp::Add) return a + b;
      if (e.op == ast::BinaryOp::Subtract) return a - b;
      if (e.op == ast::BinaryOp::Multiply) return a * b;
      if (e.op == ast::BinaryOp::Divide) return a / b;
      if (e.op == ast::BinaryOp::Power) return std::pow(a, b);
      break;
    }
    default: break;
  }
  throw UserError(
      at_place(source_of(e.place), e.place, "a number that is known before the run is needed here"));
}

Value Lowering::expr(const Expr& e, Scope& scope) {
  switch (e.kind) {
    case Expr::Kind::Number: {
      Value v;
      v.node = constant(e.number);
      return v;
    }
    case Expr::Kind::Text: not_built(e.place, "a text as a value");
    case Expr::Kind::Name: return name(e, scope);
    case Expr::Kind::Negate: {
      Value v = expr(e.operands[0], scope);
      v.node = op(Op::Neg, {v.node});
      v.ends.clear();
      return v;
    }
    case Expr::Kind::Binary: return binary(e, scope);
    case Expr::Kind::Call: return call(e, scope);
    case Expr::Kind::Index: return index(e, scope);
    case Expr::Kind::Part: {
      const Expr& whole = e.operands[0];
      if (whole.kind == Expr::Kind::Name && scope.instances.count(whole.text)) {
        const Instance& instance = scope.instances.at(whole.text);
        const std::string full = instance.path + "." + e.text;
        for (const Parameter& p : model_.parameters) {
          if (p.name != full) continue;
          Value v;
          v.node = g_->variable(full, p.rows, p.cols);
          for (int32_t n : p.dims) v.dims.push_back({n, -1, {}, {}});
          return v;
        }
        not_built(e.place, "a parameter of an instance that is not used before");
      }
      return expr(whole, scope).parts.at(e.text);
    }
    case Expr::Kind::Over: return function(e, e.text, scope);
  }
  throw GraphError("lowering: unknown kind of expression");
}

Value Lowering::name(const Expr& e, Scope& scope) {
  const auto value = scope.values.find(e.text);
  if (value != scope.values.end()) return value->second;
  const Dim dim = scope.dims.at(e.text);
  Value v;
  if (!is_variable(dim)) {
    v.node = constant(double(dim.n));
    return v;
  }
  if (around(dim) >= 0) not_built(e.place, "the length of a sequence within another one");
  v.node = length(dim.sequence);
  v.row = true;
  return v;
}

/// Element by element: [1, C] and [1, 1] stretch over rows, [R, 1] over columns; a value of each row meets a
/// sequence at every step.
Value Lowering::elementwise(Op o, Value a, Value b) {
  if (!plain(a, b)) {
    if (a.weight != kNoNode || b.weight != kNoNode)
      not_built(place_, "what comes after `next`, together with a value of further dimensions");
    return elementwise_rows(o, a, b);
  }
  const bool a_longer = a.dims.size() >= b.dims.size();
  Value v;
  v.dims = a_longer ? a.dims : b.dims;
  v.lead = a.lead.empty() ? b.lead : a.lead;
  v.row = a.row || b.row;
  v.weight = joined_weight(a.weight, b.weight);
  align(a.node, b.node);
  v.node = op(o, {a.node, b.node});
  return v;
}

Value Lowering::binary(const Expr& e, Scope& scope) {
  Value a = expr(e.operands[0], scope);
  Value b = expr(e.operands[1], scope);
  if (e.op == ast::BinaryOp::MatMul) return product(e, a, b);
  switch (e.op) {
    case ast::BinaryOp::Add: return elementwise(Op::Add, a, b);
    case ast::BinaryOp::Subtract: return elementwise(Op::Sub, a, b);
    case ast::BinaryOp::Multiply: return elementwise(Op::Mul, a, b);
    case ast::BinaryOp::Divide: return elementwise(Op::Div, a, b);
    case ast::BinaryOp::Power: return elementwise(Op::Pow, a, b);
    case ast::BinaryOp::Less: return elementwise(Op::Less, a, b);
    case ast::BinaryOp::Greater: return elementwise(Op::Less, b, a);
    case ast::BinaryOp::LessEqual: return elementwise(Op::LessEqual, a, b);
    case ast::BinaryOp::GreaterEqual: return elementwise(Op::LessEqual, b, a);
    case ast::BinaryOp::Equal: return elementwise(Op::Equal, a, b);
    case ast::BinaryOp::NotEqual: {
      Value v = elementwise(Op::Equal, a, b);
      v.node = op(Op::Sub, {constant(1), v.node});
      return v;
    }
    case ast::BinaryOp::MatMul: break;
  }
  throw GraphError("lowering: unknown operator");
}

/// `@`: the last dimension of the left meets the first of the right.
Value Lowering::product(const Expr& e, Value a, Value b) {
  Value v;
  v.row = a.row || b.row;
  v.weight = joined_weight(a.weight, b.weight);
  v.dims.assign(a.dims.begin(), a.dims.end() - 1);
  v.dims.insert(v.dims.end(), b.dims.begin() + 1, b.dims.end());
  v.lead = a.lead.empty() ? b.lead : a.lead;
  const size_t own = a.dims.size() - a.is_sequence();  // dimensions of the left that lie in its columns
  const bool shared = !b.row && lies(b).shared;
  if (shared && b.dims.size() <= 2 && (!a.row || (own == 1 && plain(a)))) {
    const bool vector = b.dims.size() == 1;  // a vector is a row in the graph
    if ((*g_)[b.node].op == Op::Transpose)   // A (Bᵀ) = A Bᵀ: the gradient of B needs no transpose either
      v.node = g_->matmul(a.node, g_->arg(b.node, 0), kTransposeRight);
    else v.node = g_->matmul(a.node, b.node, vector ? kTransposeRight : 0);
    return v;
  }
  if (shared && a.row) {
    const NodeId weight = v.weight;
    v = product_by_parameter(a, b);
    v.weight = weight;
    return v;
  }
  if (!a.row && a.dims.size() == 2 && b.dims.size() == 1 && plain(b) &&
      !b.is_sequence()) {  // [M, K] @ [K] of each row: bᵀ Aᵀ
    v.node = g_->matmul(b.node, a.node, kTransposeRight);
    return v;
  }
  if (own == 1 && b.dims.size() == 1 && !b.is_sequence() && plain(a, b)) {  // a dot product in every row
    align(a.node, b.node);
    v.node = op(Op::SumCols, {op(Op::Mul, {a.node, b.node})});
    return v;
  }
  if (v.weight != kNoNode) not_built(e.place, "a product of what comes after `next`");
  return product_rows(a, b);
}

Value Lowering::index(const Expr& e, Scope& scope) {
  Value table = expr(e.operands[0], scope);
  Value x = expr(e.args[0].value, scope);
  const size_t used = e.args.size();
  if (used == 2 && !table.row && table.dims.size() == 3) {  // W[a, b]: a row of the first two dimensions
    const Value y = expr(e.args[1].value, scope);
    if (table.dims[0].n * table.dims[1].n >= int64_t{1} << 24)
      not_built(e.place, "a table of more than 16 million pairs");
    x.weight = joined_weight(x.weight, y.weight);
    NodeId a = x.node, b = y.node;
    align(a, b);
    x.node = g_->add(Op::PairIndex, std::array{a, b}, {.offset = int32_t(table.dims[1].n)});
    if (y.dims.size() > x.dims.size()) x.dims = y.dims;
  } else if (used != 1) {
    not_built(e.place, "this index of several categories");
  }
  if (g_->shape(x.node).cols > 1) x = with_rows(x, x.lead.size() + x.dims.size());
  Value v;
  v.row = true;
  v.weight = joined_weight(table.weight, x.weight);
  v.lead = x.lead.empty() ? table.lead : x.lead;
  v.inner = x.inner;
  v.dims = x.dims;
  v.dims.insert(v.dims.end(), table.dims.begin() + long(used), table.dims.end());
  if (!table.row && table.dims.size() == used + 1) {
    v.node = op(Op::Gather, {table.node, x.node});
    return v;
  }
  if (table.dims.size() - (table.row && table.is_sequence()) != 1 || (table.row && !plain(table, x)))
    not_built(e.place, "an index into a matrix of each row");
  NodeId hot = g_->one_hot(x.node, int32_t(table.dims.back().n));
  align(table.node, hot);
  v.node = op(Op::SumCols, {op(Op::Mul, {table.node, hot})});
  return v;
}

Value Lowering::call(const Expr& e, Scope& scope) {
  const Expr& callee = e.operands[0];
  const bool sized = callee.kind == Expr::Kind::Index;
  const std::string& name = sized ? callee.operands[0].text : callee.text;
  static const std::vector<ast::Arg> none;
  const auto let = scope.instances.find(name);
  if (let != scope.instances.end()) {
    const ast::CellRef& ref = *let->second.ref;
    return call_definition(e, *find(ref.name), ref.sizes, let->second.path, scope);
  }
  if (const ast::Definition* d = find(name); d && d->kind != ast::Definition::Kind::Model) {
    return call_definition(e, *d, sized ? callee.args : none, instance_path(name, scope), scope);
  }
  return function(e, name, scope);
}

Value Lowering::function(const Expr& e, const std::string& f, Scope& scope) {
  if (scope.train) {
    if (f == "next") return next(e, scope);
    Value loss = per_row_loss(e, f, scope);
    if (loss.node != kNoNode) return loss;
  }
  if (f == "gradient") return gradient_call(e, scope);
  if (f == "coin") return coin_call(e, scope);
  if (f == "dropout") return dropout_call(e, scope);
  std::vector<Value> args;
  for (const ast::Arg& arg : e.args) {
    if (arg.name.empty()) args.push_back(expr(arg.value, scope));
  }
  if (const auto op_of = unary_functions().find(f); op_of != unary_functions().end()) {
    Value v = args.at(0);
    v.node = op(op_of->second, {v.node});
    v.parts.clear();
    v.ends.clear();
    return v;
  }
  if (f == "elu") {  // max(x, 0) + e^min(x, 0) - 1
    Value v = args.at(0);
    const NodeId below = op(Op::Exp, {op(Op::Min, {v.node, constant(0)})});
    v.node = op(Op::Add, {op(Op::Relu, {v.node}), op(Op::Sub, {below, constant(1)})});
    v.parts.clear();
    v.ends.clear();
    return v;
  }
  if ((f == "max" || f == "min") && args.size() == 2)
    return elementwise(f == "max" ? Op::Max : Op::Min, args[0], args[1]);
  if (f == "sum" || f == "mean" || f == "max" || f == "min") {
    if (const auto simple = over(e, args.at(0), scope)) return reduce(e, f, args.at(0), *simple);
    return reduce_rows(f, args.at(0), taken_in(e, args.at(0), scope, false), e.place);
  }
  if (f == "softmax" || f == "log_softmax") return softmax(e, f == "log_softmax", args.at(0), scope);
  if (f == "delay") return delay(e, args.at(0), scope);
  if (f == "window") return window(e, args.at(0), scope);
  if (f == "every") return every(e, args.at(0), scope);
  if (f == "last" || f == "first" || f == "final") return ends_of(e, f, args.at(0));
  if (f == "one_hot") {
    Value v = args.at(0);
    if (g_->shape(v.node).cols > 1) v = with_rows(v, v.lead.size() + v.dims.size());
    const int64_t n = in_.sizes.at(v.vocabulary);
    v.node = g_->one_hot(v.node, int32_t(n));
    v.dims.push_back({n, -1, v.vocabulary, {}});
    v.vocabulary.clear();
    return v;
  }
  if (f == "argmax") {
    Value v = by_last(args.at(0));
    if (lies(v).in_rows == v.lead.size() + v.dims.size())
      not_built(e.place, "`argmax` over a variable dimension");
    v.node = op(Op::ArgMax, {v.node});
    v.vocabulary = v.dims.back().vocabulary;
    v.dims.pop_back();
    return v;
  }
  if (f == "flatten") {
    for (const Dim& d : args.at(0).dims)
      if (is_variable(d)) not_built(e.place, "`flatten` of a variable dimension");
    Value v = with_rows(args.at(0), args.at(0).lead.size());
    v.dims.assign(1, {flat(v.dims), -1, {}, {}});
    return v;
  }
  if (f == "transpose" && args.at(0).row) return transpose_rows(args.at(0));
  if (f == "transpose" && !args.at(0).row && args.at(0).dims.size() == 2) {
    Value v = args.at(0);
    v.node = op(Op::Transpose, {v.node});
    std::swap(v.dims[0], v.dims[1]);
    return v;
  }
  if (f == "concat") {
    Value v = *std::max_element(args.begin(), args.end(),
                                [](const Value& a, const Value& b) { return a.dims.size() < b.dims.size(); });
    const auto together = [&](const Value& a) { return plain(v, a); };
    if (v.dims.size() - v.is_sequence() > 1 || !std::all_of(args.begin(), args.end(), together))
      return concat_rows_inside(args);
    std::vector<NodeId> nodes;
    int64_t n = 0;
    for (Value& a : args) {
      // Parts that all rows share are repeated: concat joins equal numbers of rows.
      NodeId model_row = v.node, part = a.node;
      align(model_row, part);
      const Shape want = g_->shape(model_row), have = g_->shape(part);
      if (have.rows != want.rows) part = op(Op::Add, {g_->constant(0, want.rows, have.cols), part});
      nodes.push_back(part);
      n += have.cols;
      v.row = v.row || a.row;
      v.weight = joined_weight(v.weight, a.weight);
    }
    if (v.dims.empty()) v.dims.push_back({});
    v.dims.back() = {n, -1, {}, {}};
    v.node = g_->concat_cols(nodes);
    v.parts.clear();
    v.ends.clear();
    return v;
  }
  not_built(e.place, fmt::format("`{}`", f));
}

}  // namespace rnnc::lowering
