// Lowering of `gradient(v)` in `watch`: the derivative of a row's loss by v. The model has no derivatives
// yet, so an input in the shape of v stands for it; the roots `gradient.K`, which is v, and `row_loss` say
// what it is, and passes/watch_gradients.cpp puts it there.
#include <fmt/format.h>

#include "frontend/lower_values.h"

namespace rnnc::lowering {

Value Lowering::gradient_call(const ast::Expr& e, Scope& scope) {
  if (scope.equation != "watch") not_built(e.place, "`gradient` outside `watch`");
  Value v = expr(e.args.at(0).value, scope);
  const Shape shape = g_->shape(v.node);
  if (!v.row || shape.rows.kind == Rows::Fixed)
    not_built(e.place, "`gradient` by a value that all rows share");
  const std::string root = fmt::format("gradient.{}", gradients_++);
  model_.graph.roots.push_back({root, v.node});
  v.node = g_->input("%" + root, shape);
  v.parts.clear();
  v.ends.clear();
  return v;
}

/// A measure as it would be if each row were alone: a value a row, or one that all rows share.
NodeId Lowering::row_value(const Measure& m) {
  const auto leaf = leaves_.find(m.sum);
  if (m.kind == Measure::Number) return constant(m.number);
  if (m.kind == Measure::Apply) {
    Measure rows = m;
    for (Measure& arg : rows.args) {
      const NodeId value = row_value(arg);
      arg = {};
      arg.kind = Measure::Once;
      arg.sum = value;
    }
    return batch_value(rows);
  }
  if (m.kind == Measure::Once || leaf == leaves_.end()) return m.sum;
  const bool extreme = m.kind == Measure::Max || m.kind == Measure::Min;
  const Op join = extreme ? Op::Max : Op::Add;
  NodeId value = leaf->second.node, weight = leaf->second.weight;
  const Shape shape = g_->shape(value);
  if (m.kind == Measure::Min) value = op(Op::Neg, {value});
  if (weight != kNoNode) value = weighted(value, weight, extreme);
  if (shape.cols > 1) value = op(extreme ? Op::MaxCols : Op::SumCols, {value});
  NodeId count = weight;
  if (shape.rows.kind == Rows::Steps) {
    value = reduce_time(join, value, shape.rows.dim);
    count = weight == kNoNode ? length(shape.rows.dim) : reduce_time(Op::Add, weight, shape.rows.dim);
  }
  if (m.kind == Measure::Min) value = op(Op::Neg, {value});
  if (m.kind != Measure::Mean) return value;
  const NodeId cols = constant(shape.cols);
  // A row in which nothing counts has a mean of 0.
  return op(Op::Div,
            {value, count == kNoNode ? cols : op(Op::Mul, {op(Op::Max, {count, constant(1)}), cols})});
}

void Lowering::row_loss(const Measure& loss) {
  if (gradients_ == 0) return;
  NodeId value = row_value(loss);
  if (!g_->shape(value).rows.is_one()) value = op(Op::SumRows, {value});
  model_.graph.roots.push_back({"row_loss", value});
}

}  // namespace rnnc::lowering
