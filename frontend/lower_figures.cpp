// Which positions count in losses, metrics and watches, and the figures that are formulas of several sums.
// `next` has no answer at the end of a row: the value it gives there carries the weight 0, and so does what
// is computed of it, until a figure sums up.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

Measure apply(const char* function, Measure a, Measure b) {
  Measure m;
  m.kind = Measure::Apply;
  m.function = function;
  m.args = {std::move(a), std::move(b)};
  return m;
}

Measure number_measure(double value) {
  Measure m;
  m.number = value;
  return m;
}

const Expr* option(const Expr& call, std::string_view name) {
  for (const ast::Arg& arg : call.args)
    if (arg.name == name) return &arg.value;
  return nullptr;
}

}  // namespace

/// The field of the data that an expression names, null if it is none.
const Value* Lowering::field(const Expr& e, const Scope& scope) const {
  const auto found = e.kind == Expr::Kind::Name ? scope.values.find(e.text) : scope.values.end();
  if (found == scope.values.end()) return nullptr;
  const NodeId node = found->second.node;
  return (*g_)[node].op == Op::Input && g_->name(node) == e.text ? &found->second : nullptr;
}

/// What the driver brings beside the fields.
NodeId Lowering::model_input(const std::string& name, const Shape& shape, int64_t categories) {
  const auto same = [&](const ModelInput& i) { return i.name == name; };
  if (std::none_of(model_.inputs.begin(), model_.inputs.end(), same))
    model_.inputs.push_back({name, shape, categories});
  return g_->input(name, shape);
}

/// Refuses values of sequences within a sequence, where only those of the example itself will do.
void Lowering::not_of_letters(const Value& v, Place place, const std::string& what) const {
  for (const Dim& d : v.dims)
    if (around(d) >= 0) not_built(place, what + " of a sequence within another one");
}

/// `next(FIELD, n)`: inputs that the driver fills. Where there is no answer a number is the element itself:
/// what is computed of it stays finite (`abs(p - next(y)) / next(y)`), and its weight is 0.
Value Lowering::next(const Expr& e, Scope& scope) {
  const Expr& of = e.args.at(0).value;
  const Value* found = field(of, scope);
  if (found == nullptr) not_built(of.place, "`next` of what is no field of the data");
  if (!found->is_sequence()) not_built(of.place, "`next` along a dimension of fixed size");
  const int64_t n = e.args.size() > 1 ? int64_t(number(e.args[1].value, scope)) : 1;

  Value v = *found;
  v.parts.clear();
  v.ends.clear();
  const NodeId here = v.node;
  const Shape shape = g_->shape(here);
  const int64_t categories = v.vocabulary.empty() ? 0 : in_.sizes.at(v.vocabulary);
  v.node = model_input(next_input(of.text, n), shape, categories);
  v.weight = model_input(has_next_input(of.text, n), {Type::F32, shape.rows, 1}, 0);
  if (shape.type == Type::F32) {
    const NodeId missing = op(Op::Sub, {constant(1), v.weight});
    v.node = op(Op::Add, {v.node, op(Op::Mul, {missing, here})});
  }
  return v;
}

/// A value of several counts where all of them count.
NodeId Lowering::joined_weight(NodeId a, NodeId b) {
  if (a == kNoNode || a == b) return b;
  if (b == kNoNode) return a;
  align(a, b);
  return op(Op::Mul, {a, b});
}

/// sum, mean, max, min of a value of which some positions do not count. Over time they are left out, and the
/// result counts again; over columns the weight stays.
Value Lowering::weighted_reduce(const Expr& e, const std::string& f, Value v, Over over) {
  NodeId weight = std::exchange(v.weight, kNoNode);
  if (!over.time || g_->shape(weight).rows.kind != Rows::Steps) {
    v = reduce(e, f, std::move(v), over);
    v.weight = weight;
    return v;
  }
  const int dim = v.dims[0].sequence;
  const double cols = over.columns ? g_->shape(v.node).cols : 1;
  const NodeId any = op(Op::Max, {reduce_time(Op::Add, weight, dim), constant(1)});
  if (f == "max" || f == "min") {  // what does not count is the least, and nothing at all is 0
    const NodeId least = op(Op::Mul, {op(Op::Sub, {constant(1), weight}), constant(kLowest)});
    v.node = op(f == "max" ? Op::Add : Op::Sub, {v.node, least});
    v = reduce(e, f, std::move(v), over);
    v.node = op(Op::Mul, {v.node, reduce_time(Op::Max, weight, dim)});
    return v;
  }
  v.node = op(Op::Mul, {v.node, weight});
  v = reduce(e, "sum", std::move(v), over);
  if (f == "mean") v.node = op(Op::Div, {v.node, op(Op::Mul, {any, constant(cols)})});
  return v;
}

/// Where it does not count a value is 0, or the least there is if the largest is looked for.
NodeId Lowering::weighted(NodeId n, NodeId weight, bool extreme) {
  if (!extreme) return op(Op::Mul, {n, weight});
  return op(Op::Add, {n, op(Op::Mul, {op(Op::Sub, {constant(1), weight}), constant(kLowest)})});
}

/// A figure from a value of every row: summed over rows and columns where it counts, and counted.
Measure Lowering::leaf(Measure::Kind kind, Value v) {
  Measure m;
  const Shape shape = g_->shape(v.node);
  m.kind = v.row ? kind : Measure::Once;
  const bool extreme = kind == Measure::Max || kind == Measure::Min;
  NodeId n = v.node, weight = v.weight;
  if (weight != kNoNode) align(weight, n);
  const Leaf of{n, weight};
  if (kind == Measure::Min) n = op(Op::Neg, {n});
  if (weight != kNoNode) n = weighted(n, weight, extreme);
  if (shape.cols > 1) n = op(extreme ? Op::MaxCols : Op::SumCols, {n});
  if (!shape.rows.is_one()) n = op(extreme ? Op::MaxRows : Op::SumRows, {n});
  m.sum = kind == Measure::Min ? op(Op::Neg, {n}) : n;
  if (v.row) leaves_[m.sum] = of;
  if (kind != Measure::Mean) return m;
  if (!v.row) {
    m.sum = op(Op::Div, {m.sum, constant(double(shape.cols) * shape.rows.begin)});
    return m;
  }
  const NodeId rows = weight != kNoNode ? op(Op::SumRows, {weight}) : op(Op::RowCount, {v.node});
  m.count = op(Op::Mul, {rows, constant(shape.cols)});
  m.may_count_none = weight != kNoNode;
  return m;
}

/// F1 = 2 tp / (2 tp + fp + fn), the sums over the whole part; 0 where nothing is positive or said to be.
/// What is said and what is are 0 or 1, so the sums are exact.
Measure Lowering::f1_score(const Expr& e, Scope& scope) {
  const Value p = expr(e.args.at(0).value, scope);
  Value y = expr(e.args.at(1).value, scope);
  const Expr* positive = option(e, "positive");
  const std::string entry = !positive ? "1" : positive->text;
  const int64_t index = in_.entry ? in_.entry(y.vocabulary, entry) : -1;
  if (index < 0) {
    const Place place = positive ? positive->place : e.place;
    throw UserError(at_place(source_of(place), place,
                             fmt::format("category `{}` has no entry \"{}\"", y.vocabulary, entry), {},
                             "`f1_score(scores, y, positive = \"...\")`"));
  }
  y.row = true;
  y.weight = joined_weight(p.weight, y.weight);
  auto is_positive = [&](NodeId category) { return op(Op::Equal, {category, constant(double(index))}); };
  const NodeId said = is_positive(op(Op::ArgMax, {p.node})), is = is_positive(y.node);
  auto count = [&](NodeId node) {
    Value v = y;
    v.vocabulary.clear();
    v.node = node;
    return leaf(Measure::Sum, std::move(v));
  };
  const Measure hits = apply("*", number_measure(2), count(op(Op::Mul, {said, is})));
  return apply("/", hits, apply("max", apply("+", count(said), count(is)), number_measure(1)));
}

/// Counted by the driver from the data: there is nothing to compute in the graph.
Measure Lowering::ngram(const Expr& e, Scope& scope) {
  const Expr& of = e.args.at(0).value;
  if (scope.equation == "loss")
    throw UserError(at_place(source_of(e.place), e.place, "`ngram` is no loss: it has no gradient", {},
                             "`metric ngram(...)`"));
  if (field(of, scope) == nullptr) not_built(of.place, "`ngram` of what is no field of the data");
  not_of_letters(*field(of, scope), of.place, "`ngram`");
  Measure m;
  m.kind = Measure::Ngram;
  m.field = of.text;
  m.length = int64_t(number(e.args.at(1).value, scope));
  if (const Expr* add = option(e, "add")) m.number = number(*add, scope);
  return m;
}

/// The driver writes texts with the model and compares: there is nothing to compute in the graph.
Measure Lowering::bleu(const Expr& e, Scope& scope) {
  if (scope.equation == "loss")
    throw UserError(at_place(source_of(e.place), e.place, "`bleu` is no loss: it has no gradient", {},
                             "`metric bleu(...)`"));
  Measure m;
  m.kind = Measure::Bleu;
  if (e.args.empty()) return m;
  const Expr& of = e.args[0].value;
  if (field(of, scope) == nullptr) not_built(of.place, "`bleu` of what is no field of the data");
  not_of_letters(*field(of, scope), of.place, "`bleu`");
  m.field = of.text;
  return m;
}

/// The mean over the rows of a value, one number for each element; of a sequence, for each element of every
/// step: the driver sums up the rows of a step, since how many steps there are is known later. What all rows
/// share is itself.
void Lowering::watch(const Expr& e, Scope& scope, Lowered& out) {
  const Value v = expr(e, scope);
  not_of_letters(v, e.place, "`watch`");
  Watch watch{text_of(e), "watch." + std::to_string(out.watches.size()), "", -1};
  NodeId value = v.node, weight = v.weight;
  const Rows rows = g_->shape(value).rows;
  if (rows.kind == Rows::Steps) watch.dim = rows.dim;
  if (weight != kNoNode) {
    align(weight, value);
    value = op(Op::Mul, {value, weight});
  }
  NodeId count = v.row ? weight : constant(1);
  if (v.row && watch.dim < 0) {
    count = weight != kNoNode ? op(Op::SumRows, {weight}) : op(Op::RowCount, {value});
    value = op(Op::SumRows, {value});
  }
  model_.graph.roots.push_back({watch.sum_root, value});
  if (count != kNoNode) {
    watch.count_root = watch.sum_root + ".count";
    model_.graph.roots.push_back({watch.count_root, count});
  }
  out.watches.push_back(std::move(watch));
}

}  // namespace rnnc::lowering
