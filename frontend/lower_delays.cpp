// Lowering of `delay` and `window`. An element that is some steps away is a state of a scan: inside a cell of
// the scan at hand, elsewhere of a scan of its own that does nothing but remember. So lengths, unrolling,
// differentiation and generation step by step need no case for it.
//
//   delay(x, 2)          states s1' = x, s2' = s1; the value is s2
//   window(x, 3)         [x s1 s2]
//   delay(x, -1)         the same from the end of each row to its beginning
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

bool is_yes(const Expr& call, std::string_view name) {
  return std::any_of(call.args.begin(), call.args.end(), [&](const ast::Arg& arg) {
    return arg.name == name && arg.value.kind == Expr::Kind::Name && arg.value.text == "yes";
  });
}

const Expr* second(const Expr& call) {
  const bool there = call.args.size() > 1 && call.args[1].name.empty();
  return there ? &call.args[1].value : nullptr;
}

}  // namespace

/// The number that stands where there is no element: 0, or the category `<bos>`.
double Lowering::missing_element(const Value& v, Place place) const {
  if (v.vocabulary.empty()) return 0;
  const int64_t bos = in_.entry ? in_.entry(v.vocabulary, "<bos>") : -1;
  if (bos < 0) not_built(place, fmt::format("a delay in a vocabulary without `<bos>` (`{}`)", v.vocabulary));
  return double(bos);
}

/// In a cell: what is the same for all rows, once for each.
NodeId Lowering::own_rows(NodeId value) {
  const Shape shape = g_->shape(value);
  if (shape.rows.kind != Rows::Fixed) return value;
  return op(Op::Add, {g_->constant(0, Rows::here(open_->dim), shape.cols), value});
}

/// The last `count` values of `value` in the scan being lowered, the latest first.
std::vector<NodeId> Lowering::remembered(NodeId value, int64_t count, double missing) {
  value = own_rows(value);
  const Shape shape = g_->shape(value);
  std::vector<NodeId> states;
  for (int64_t i = 0; i < count; ++i) {
    const NodeId state = g_->input("%" + std::to_string(open_->operands.size()), shape);
    open_->operands.push_back(model_.graph.add(Op::Constant, {}, {.value = missing},
                                               {shape.type, Rows::batch(shape.rows.dim), shape.cols}));
    open_->remembered.push_back(i == 0 ? value : states.back());
    states.push_back(state);
  }
  return states;
}

/// The elements 1 .. `count` steps before (`later`: after) each one of a sequence, as stacks.
std::vector<NodeId> Lowering::neighbours(NodeId stack, int dim, int64_t count, bool later, double missing) {
  if (count == 0) return {};
  ScanBody body;
  body.dim = dim;
  body.reverse = later;
  body.sequences = 1;
  body.states = int(count);
  Shape shape = g_->shape(stack);
  shape.rows = Rows::here(dim);
  NodeId next = body.body.input("%0", shape);
  std::vector<NodeId> operands = {stack};
  for (int64_t i = 0; i < count; ++i) {
    body.next.push_back(next);
    next = body.body.input("%" + std::to_string(i + 1), shape);
    body.results.push_back(next);
    operands.push_back(
        g_->add(Op::Constant, {}, {.value = missing}, {shape.type, Rows::batch(dim), shape.cols}));
  }
  const NodeId scan = add_scan(std::move(body), operands);
  std::vector<NodeId> stacks;
  for (int64_t i = 0; i < count; ++i)
    stacks.push_back(scan_result(scan, int(i), shape.type, dim, shape.cols));
  return stacks;
}

/// What a delay or window goes along: the scan that the cell is in, the steps of a sequence, or dimension
/// `at` in the rows.
Lowering::Along Lowering::goes_along(const Expr& e, const Value& v, const Scope& scope, size_t& at) {
  const std::string& f = e.kind == Expr::Kind::Over ? e.text : e.operands.at(0).text;
  if (v.weight != kNoNode) not_built(e.place, fmt::format("`{}` of what comes after `next`", f));
  if (open_ != nullptr && e.dimensions.empty()) return Along::Scan;
  at = e.dimensions.empty() ? v.lead.size() : dimension(e.dimensions[0], v, scope);
  const bool steps = plain(v) && lies(v).steps && at == 0 && v.lead.empty() && open_ == nullptr;
  return steps ? Along::Steps : Along::Rows;
}

Value Lowering::delay(const Expr& e, Value v, Scope& scope) {
  size_t at = 0;
  const Along along = goes_along(e, v, scope, at);
  const int64_t n = second(e) ? int64_t(number(*second(e), scope)) : 1;
  v.parts.clear();
  v.ends.clear();
  if (n == 0) return v;
  const double missing = missing_element(v, e.place);
  if (along == Along::Rows) return delay_rows(v, at, n, missing);
  if (n < 0 && !v.vocabulary.empty()) not_built(e.place, "a look ahead of categories");
  if (along == Along::Steps) {
    v.node = neighbours(v.node, v.dims[0].sequence, std::abs(n), n < 0, missing).back();
    return v;
  }
  if (n < 0) not_built(e.place, "a look ahead in a cell");
  v.node = remembered(v.node, n, missing).back();
  v.row = true;
  return v;
}

Value Lowering::window(const Expr& e, Value v, Scope& scope) {
  size_t at = 0;
  const Along along = goes_along(e, v, scope, at);
  const int64_t size = int64_t(number(*second(e), scope));
  const bool whole = is_yes(e, "full");
  const int64_t ahead = is_yes(e, "center") ? (size - 1) / 2 : 0;
  if (along == Along::Rows || whole || v.dims.size() - v.is_sequence() > 1) {
    if (along == Along::Scan) not_built(e.place, "this `window` in a cell");
    if (at + 1 < v.lead.size() + v.dims.size() && is_variable(v.dims.back()))
      not_built(e.place, "a window of values whose last dimension is variable");
    return window_rows(v, at, size, ahead, whole);
  }
  std::vector<NodeId> parts, before;
  if (along == Along::Steps) {
    parts = neighbours(v.node, v.dims[0].sequence, ahead, true, 0);
    std::reverse(parts.begin(), parts.end());
    before = neighbours(v.node, v.dims[0].sequence, size - 1 - ahead, false, 0);
  } else {
    if (ahead > 0) not_built(e.place, "a look ahead in a cell");
    v.node = own_rows(v.node);
    before = remembered(v.node, size - 1, 0);
  }
  parts.push_back(v.node);
  parts.insert(parts.end(), before.begin(), before.end());
  const int64_t cols = g_->shape(v.node).cols;
  v.node = g_->concat_cols(parts);
  if (v.dims.size() == size_t(v.is_sequence())) v.dims.push_back({});
  v.dims.back() = {cols * size, -1, {}, {}};
  v.row = true;
  v.parts.clear();
  v.ends.clear();
  return v;
}

/// Elements 1, k+1, 2k+1, ...
Value Lowering::every(const Expr& e, Value v, Scope& scope) {
  size_t at = 0;
  if (goes_along(e, v, scope, at) == Along::Scan) not_built(e.place, "`every` along the steps of a cell");
  const int64_t k = int64_t(number(*second(e), scope));
  if (k < 1) throw UserError(at_place(source_of(e.place), e.place, "`every` takes a whole number from 1 on"));
  return every_rows(v, at, k);
}

/// `carry`: in the first piece of a pass the states have their first values, in the others those that the
/// piece before ended with; the driver brings these (`%carry.K`) and takes the new ones (`carry.K`).
NodeId Lowering::carried_first(NodeId first, int k, Place place) {
  const Shape shape = g_->shape(first);
  if (shape.type != Type::F32) not_built(place, "`carry` of a delayed category");
  const NodeId carried = model_input(carry_input(k), shape, 0);
  if (g_->is_constant(first, 0)) return carried;
  const NodeId fresh = model_input(kFreshInput, {}, 0);
  const NodeId old = op(Op::Mul, {op(Op::Sub, {constant(1), fresh}), carried});
  return op(Op::Add, {op(Op::Mul, {fresh, first}), old});
}

}  // namespace rnnc::lowering
