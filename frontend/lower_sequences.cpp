// Lowering along time: reductions over a sequence, softmax, the first, last and final element. A sum over
// time is a scan like any other, so unrolling, differentiation and lengths need no case for it.
#include <fmt/format.h>
#include <array>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
/// A value of each row, from the order of one dimension to that of another. Each sequence is sorted by its
/// own lengths; values of rows stand in the order of the first.
NodeId Lowering::in_order(NodeId per_row, int from, int to) {
  if (from == to) return per_row;
  const Node& node = (*g_)[per_row];
  if (node.op == Op::Constant) return g_->constant(node.attr.value, Rows::batch(to), node.shape.cols);
  return op(Op::Gather, {per_row, g_->input(order_input(from, to), {Type::I32, Rows::batch(to), 1})});
}

/// A value of each row, at every step of a sequence.
NodeId Lowering::expand(NodeId per_row, int dim) {
  per_row = in_order(per_row, 0, dim);
  ScanBody body;
  body.dim = dim;
  body.constants = 1;
  Shape shape = g_->shape(per_row);
  const int32_t cols = shape.cols;
  shape.rows = Rows::here(dim);
  body.results = {body.body.input("%0", shape)};
  return scan_result(add_scan(std::move(body), std::array{per_row}), 0, shape.type, dim, cols);
}

/// Makes the rows of two operands equal, where one has a value a row and the other one a row and step.
void Lowering::align(NodeId& a, NodeId& b) {
  const Rows ra = g_->shape(a).rows, rb = g_->shape(b).rows;
  if (ra.kind == Rows::Batch && rb.kind == Rows::Steps) a = expand(a, rb.dim);
  if (rb.kind == Rows::Batch && ra.kind == Rows::Steps) b = expand(b, ra.dim);
}

/// Joins the steps of a stack in every row: Add or Max. Rows without any step get 0.
NodeId Lowering::reduce_time(Op o, NodeId stack, int dim) {
  ScanBody body;
  body.dim = dim;
  body.sequences = body.states = 1;
  Shape shape = g_->shape(stack);
  shape.rows = Rows::here(dim);
  const NodeId x = body.body.input("%0", shape), so_far = body.body.input("%1", shape);
  body.next = body.results = {body.body.binary(o, so_far, x)};
  const NodeId begin = g_->constant(o == Op::Max ? kLowest : 0, Rows::batch(dim), shape.cols);
  const NodeId scan = add_scan(std::move(body), std::array{stack, begin});
  return last(scan_result(scan, 0, Type::F32, dim, shape.cols), dim);
}

NodeId Lowering::length(int dim) {
  return in_order(g_->input(length_input(dim), {Type::F32, Rows::batch(dim), 1}), dim, 0);
}

/// The element of each row at its own last step.
NodeId Lowering::last(NodeId stack, int dim) {
  const NodeId index = g_->input(last_index_input(dim), {Type::I32, Rows::batch(dim), 1});
  return in_order(op(Op::LastRows, {stack, index}), dim, 0);
}

/// The element of each row at step 0; rows without any step get 0.
NodeId Lowering::first(NodeId stack, int dim) {
  return in_order(g_->pad_rows(g_->slice_rows(stack, Rows::step(dim, 0)), Rows::batch(dim)), dim, 0);
}

/// The last states of a scan, those of each direction side by side.
Value Lowering::finals(const Value& v) {
  std::vector<Value> ends;
  for (auto [node, backwards] : v.ends) {
    Value one = v;
    one.node = node;
    if (v.ends.size() > 1) one.dims.back().n = g_->shape(node).cols;  // of `both`: one direction alone
    ends.push_back(end_rows(one, !backwards));
  }
  return ends.size() == 1 ? ends[0] : concat_rows_inside(ends);
}

Value Lowering::ends_of(const ast::Expr& e, const std::string& f, Value v) {
  const bool steps = plain(v) && lies(v).steps && v.lead.empty() && open_ == nullptr;
  if (!steps) {
    if (v.weight != kNoNode) not_built(e.place, fmt::format("`{}` of what comes after `next` here", f));
    if (f != "final") return end_rows(v, f == "last");
    return finals(v);
  }
  const int dim = v.dims[0].sequence;
  if (v.weight != kNoNode && g_->shape(v.weight).rows.kind == Rows::Steps)
    v.weight = f == "first" ? first(v.weight, dim) : last(v.weight, dim);
  if (f == "final") {
    std::vector<NodeId> finals;
    for (auto [node, backwards] : v.ends) finals.push_back(backwards ? first(node, dim) : last(node, dim));
    v.node = g_->concat_cols(finals);
  } else {
    v.node = f == "last" ? last(v.node, dim) : first(v.node, dim);
  }
  v.dims.erase(v.dims.begin());
  v.parts.clear();
  v.ends.clear();
  return v;
}

/// What a reduction takes in, if it is the steps, the columns, or both.
std::optional<Over> Lowering::over(const ast::Expr& e, const Value& v, const Scope& scope) {
  if (!plain(v) || (open_ != nullptr && lies(v).steps)) return std::nullopt;
  if (!v.row && lies(v).shared && e.dimensions.empty()) return Over{false, true, false};
  const std::vector<bool> out = taken_in(e, v, scope, false);
  Over over{v.is_sequence() && out[v.lead.size()], false, !e.dimensions.empty()};
  const auto first = out.begin() + long(v.lead.size()) + v.is_sequence();
  const auto taken = std::count(first, out.end(), true);
  if (taken != 0 && taken != out.end() - first) return std::nullopt;
  over.columns = taken != 0;
  return over;
}

/// sum, mean, max, min: over all dimensions, or those named.
Value Lowering::reduce(const ast::Expr& e, const std::string& f, Value v, Over over) {
  if (v.weight != kNoNode) return weighted_reduce(e, f, v, over);
  v.parts.clear();
  v.ends.clear();
  const auto [time, columns, named] = over;
  const size_t own = v.dims.size() - v.is_sequence();
  const bool extreme = f == "max" || f == "min";
  if (f == "min") v.node = op(Op::Neg, {v.node});  // min a = -max -a
  const Shape before = g_->shape(v.node);
  double cols = 1;
  if (columns) {
    if (before.cols > 1) v.node = op(extreme ? Op::MaxCols : Op::SumCols, {v.node});
    cols = before.cols;
    v.dims.resize(v.is_sequence() && !time ? 1 : v.dims.size() - own);
    if (!v.row && before.rows.kind == Rows::Fixed && before.rows.begin > 1) {  // a parameter: its rows too
      if (extreme) v.node = op(Op::MaxCols, {op(Op::Transpose, {v.node})});
      else v.node = op(Op::SumRows, {v.node});
      cols *= before.rows.begin;
    }
  }
  NodeId count = constant(cols);
  if (time) {
    const int dim = v.dims[0].sequence;
    v.node = reduce_time(extreme ? Op::Max : Op::Add, v.node, dim);
    v.dims.erase(v.dims.begin());
    count = op(Op::Mul, {op(Op::Max, {length(dim), constant(1)}), constant(cols)});
  }
  if (f == "mean") v.node = op(Op::Div, {v.node, count});
  if (f == "min") v.node = op(Op::Neg, {v.node});
  return v;
}

/// Along the last dimension, or over time: e^(x - max) / sum, the maximum without gradient.
Value Lowering::softmax(const ast::Expr& e, bool log, Value v, Scope& scope) {
  v.parts.clear();
  v.ends.clear();
  const std::vector<bool> out = taken_in(e, v, scope, true);
  const size_t own = v.dims.size() - v.is_sequence(),
               taken = size_t(std::count(out.begin(), out.end(), true));
  const bool time = v.is_sequence() && out[v.lead.size()];
  if (!plain(v) || taken != 1 || (!time && own > 1) || (open_ != nullptr && lies(v).steps)) {
    if (v.weight != kNoNode) not_built(e.place, "`softmax` of what comes after `next` here");
    return softmax_rows(log, v, out);
  }
  if (time && v.weight != kNoNode) not_built(e.place, "`softmax` over time of what comes after `next`");
  const int dim = time ? v.dims[0].sequence : 0;
  auto spread = [&](NodeId n) { return time ? expand(n, dim) : n; };
  auto join = [&](Op time_op, Op column_op, NodeId n) {
    return time ? reduce_time(time_op, n, dim) : op(column_op, {n});
  };
  const NodeId top = op(Op::Stop, {join(Op::Max, Op::MaxCols, v.node)});
  const NodeId z = op(Op::Sub, {v.node, spread(top)});
  const NodeId ez = op(Op::Exp, {z});
  const NodeId total = join(Op::Add, Op::SumCols, ez);
  v.node = log ? op(Op::Sub, {z, spread(op(Op::Log, {total}))}) : op(Op::Div, {ez, spread(total)});
  return v;
}

}  // namespace rnnc::lowering
