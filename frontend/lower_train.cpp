// Lowering of what train and predict blocks compute: losses, metrics, watches, shown values.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

using ast::Expr;

bool is_loss(const std::string& f) {
  for (const char* name : {"cross_entropy", "nll", "binary_cross_entropy", "squared_error", "absolute_error",
                           "accuracy", "ctc"}) {
    if (f == name) return true;
  }
  return false;
}

const char* operator_name(ast::BinaryOp op) {
  return ast::spelling(op);
}

}  // namespace

/// Whether the value is one number for the whole batch because something in it takes in all rows.
bool Lowering::reduces(const Expr& e) const {
  if (e.kind == Expr::Kind::Call) {
    const std::string& f = e.operands[0].text;
    if (is_loss(f) || f == "f1_score" || f == "ngram" || f == "bleu") return true;
    const bool reduction = f == "sum" || f == "mean" || ((f == "max" || f == "min") && e.args.size() == 1);
    if (reduction) return true;
    return std::any_of(e.args.begin(), e.args.end(), [&](const ast::Arg& a) { return reduces(a.value); });
  }
  return std::any_of(e.operands.begin(), e.operands.end(), [&](const Expr& o) { return reduces(o); });
}

/// Scores and answers in the same rows: of categories one row for each answer.
void Lowering::meet_answers(Value& p, Value& y, Value& v, Place place) {
  if (y.vocabulary.empty() && plain(p, y)) return;
  if (p.weight != kNoNode || y.weight != kNoNode) not_built(place, "`next` of values of further dimensions");
  const size_t n = y.lead.size() + y.dims.size();
  if (y.vocabulary.empty()) {
    const std::array values{static_cast<const Value*>(&p), static_cast<const Value*>(&y)};
    const Joint j = joint(values);
    p.node = laid(p, j, 0);
    y.node = laid(y, j, 1);
    v.dims = j.dims;
    v.inner = in_rows_of(j, p.node).inner;
    return;
  }
  p = with_rows(p, n);
  y = with_rows(y, n);
  if (g_->shape(p.node).rows != g_->shape(y.node).rows) {
    std::vector<size_t> places(n);
    for (size_t i = 0; i < n; ++i) places[i] = i;
    y.node = laid_in(y, places, full(p), n, g_->shape(p.node).rows);
  }
  v.dims = y.dims;
  v.inner = p.inner;
}

/// What a loss or metric is the mean of; a Value without node if `f` is none.
Value Lowering::per_row_loss(const Expr& e, const std::string& f, Scope& scope) {
  if (!is_loss(f)) {
    for (const char* later : {"f1_score", "ngram"}) {
      if (f == later) not_built(e.place, fmt::format("`{}`", f));
    }
    return {};
  }
  Value p = expr(e.args.at(0).value, scope), y = expr(e.args.at(1).value, scope);
  if (f == "ctc") return ctc(p, y, e.place);
  Value v;
  v.row = true;
  v.dims = y.dims;
  v.lead = y.lead;
  v.inner = y.inner;
  if (!plain(p) || !plain(y) || g_->shape(y.node).cols > 1) meet_answers(p, y, v, e.place);
  v.weight = joined_weight(p.weight, y.weight);
  align(p.node, y.node);
  if (!y.vocabulary.empty()) {
    const NodeId hot = g_->one_hot(y.node, int32_t(p.dims.back().n));
    if (f == "cross_entropy") {  // log Σ e^s - s[y], with the largest score taken out
      const NodeId top = op(Op::Stop, {op(Op::MaxCols, {p.node})});
      const NodeId z = op(Op::Sub, {p.node, top});
      const NodeId log_sum = op(Op::Log, {op(Op::SumCols, {op(Op::Exp, {z})})});
      v.node = op(Op::Sub, {log_sum, op(Op::SumCols, {op(Op::Mul, {hot, z})})});
    } else if (f == "nll") {
      v.node = op(Op::Neg, {op(Op::SumCols, {op(Op::Mul, {hot, p.node})})});
    } else {  // accuracy
      v.node = op(Op::Equal, {op(Op::ArgMax, {p.node}), y.node});
    }
    return v;
  }
  if (f == "binary_cross_entropy") {  // -y log σ(p) - (1-y) log(1-σ(p)) = softplus(p) - p y
    v.node = op(Op::Sub, {op(Op::Softplus, {p.node}), op(Op::Mul, {p.node, y.node})});
  } else if (f == "accuracy") {
    const NodeId said = op(Op::Less, {constant(0), p.node}), is = op(Op::Less, {constant(0.5), y.node});
    v.node = op(Op::Equal, {said, is});
  } else {
    const NodeId d = op(Op::Sub, {p.node, y.node});
    v.node = f == "squared_error" ? op(Op::Mul, {d, d}) : op(Op::Abs, {d});
  }
  return v;
}

Measure Lowering::measure(const Expr& e, Scope& scope) {
  Measure m;
  if (!reduces(e)) {
    if (e.kind == Expr::Kind::Number) {
      m.number = e.number;
      return m;
    }
    return leaf(Measure::Mean, expr(e, scope));  // a value that is the same for all rows
  }
  m.kind = Measure::Apply;
  switch (e.kind) {
    case Expr::Kind::Negate:
      m.function = "neg";
      m.args = {measure(e.operands[0], scope)};
      return m;
    case Expr::Kind::Binary:
      m.function = operator_name(e.op);
      m.args = {measure(e.operands[0], scope), measure(e.operands[1], scope)};
      return m;
    case Expr::Kind::Call: {
      const std::string& f = e.operands[0].text;
      if (is_loss(f)) return leaf(Measure::Mean, per_row_loss(e, f, scope));
      if (f == "f1_score") return f1_score(e, scope);
      if (f == "ngram") return ngram(e, scope);
      if (f == "bleu") return bleu(e, scope);
      static const std::map<std::string, Measure::Kind> reductions = {
          {"mean", Measure::Mean}, {"sum", Measure::Sum}, {"max", Measure::Max}, {"min", Measure::Min}};
      const auto reduction = reductions.find(f);
      if (e.args.size() == 1 && reduction != reductions.end()) {
        const Expr& of = e.args[0].value;
        if (!reduces(of)) return leaf(reduction->second, expr(of, scope));
        if (of.kind == Expr::Kind::Call) return measure(of, scope);  // of one number: itself
        not_built(e.place, "a figure of all rows inside another one");
      }
      m.function = f;
      for (const ast::Arg& a : e.args) m.args.push_back(measure(a.value, scope));
      return m;
    }
    default: not_built(e.place, "this figure");
  }
}

/// The same figure over one batch, as a node: what training goes down.
NodeId Lowering::batch_value(const Measure& m) {
  std::vector<NodeId> args;
  for (const Measure& a : m.args) args.push_back(batch_value(a));
  switch (m.kind) {
    case Measure::Number: return constant(m.number);
    case Measure::Mean:  // a batch in which no answer counts has a mean of 0
      return op(Op::Div, {m.sum, m.may_count_none ? op(Op::Max, {m.count, constant(1)}) : m.count});
    case Measure::Sum:
    case Measure::Max:
    case Measure::Min:
    case Measure::Once: return m.sum;
    case Measure::Apply: break;
    case Measure::Ngram:
    case Measure::Bleu: throw GraphError("lowering: a figure without nodes");
  }
  static const std::map<std::string, Op> ops = {
      {"+", Op::Add},           {"-", Op::Sub},     {"*", Op::Mul},
      {"/", Op::Div},           {"^", Op::Pow},     {"neg", Op::Neg},
      {"max", Op::Max},         {"min", Op::Min},   {"exp", Op::Exp},
      {"log", Op::Log},         {"sqrt", Op::Sqrt}, {"abs", Op::Abs},
      {"sin", Op::Sin},         {"cos", Op::Cos},   {"tanh", Op::Tanh},
      {"sigmoid", Op::Sigmoid}, {"relu", Op::Relu}, {"softplus", Op::Softplus}};
  const auto it = ops.find(m.function);
  if (it == ops.end())
    throw UserError(
        in_file(in_.own_source.name, 0, 0, fmt::format("`{}` of a figure: not built yet", m.function)));
  return g_->add(it->second, args);
}

void Lowering::add_roots(Measure& m) {
  auto root = [&](NodeId node, std::string& name) {
    if (node == kNoNode) return;
    name = "figure." + std::to_string(roots_++);
    model_.graph.roots.push_back({name, node});
  };
  root(m.sum, m.sum_root);
  root(m.count, m.count_root);
  for (Measure& a : m.args) add_roots(a);
}

/// An expression as it stands in the file, without the blanks at its ends.
std::string Lowering::text_of(const Expr& e) const {
  const Source& source = source_of(e.place);
  // The place is the sign of an operator; the text runs from the leftmost to the rightmost word of the tree.
  uint32_t begin = e.place.offset, end = e.place.offset + e.place.length;
  std::vector<const Expr*> stack{&e};
  while (!stack.empty()) {
    const Expr* top = stack.back();
    stack.pop_back();
    begin = std::min(begin, top->place.offset);
    end = std::max(end, top->place.offset + top->place.length);
    for (const Expr& o : top->operands) stack.push_back(&o);
    for (const ast::Arg& a : top->args) stack.push_back(&a.value);
  }
  std::string text = source.text.substr(begin, end - begin);
  int open = 0;
  for (char c : text) open += (c == '(' || c == '[') - (c == ')' || c == ']');
  for (; open > 0 && end < source.text.size(); ++end) {
    const char c = source.text[end];
    open += (c == '(' || c == '[') - (c == ')' || c == ']');
    text += c;
  }
  return text;
}

void Lowering::train_block(const ast::Train& train, const ast::DataBlock& data, Scope& model_scope,
                           Lowered& out) {
  Scope scope = model_scope;
  scope.train = true;
  scope.path.clear();
  for (const ast::Field& field : data.fields) {
    if (scope.values.count(field.name)) continue;
    scope.values[field.name] = port({field.name, field.place, field.type}, scope, Rows::batch());
  }
  for (const ast::Setting& setting : train.settings) {
    for (const ast::Arg& arg : setting.args) {
      if (setting.name != "loss" && setting.name != "metric" && setting.name != "watch") continue;
      scope.equation = setting.name;
      scope.used.clear();
      set_origin(arg.value.place, scope);
      if (setting.name == "watch") {
        watch(arg.value, scope, out);
        continue;
      }
      Measure m = measure(arg.value, scope);
      if (setting.name == "loss") model_.graph.roots.push_back({"loss", batch_value(m)});
      add_roots(m);
      if (setting.name == "loss") out.loss = m;
      else out.metrics.push_back({arg.name.empty() ? text_of(arg.value) : arg.name, m});
    }
  }
  row_loss(out.loss);
}

void Lowering::predict_block(const ast::Use& predict, Scope& model_scope, Lowered& out) {
  Scope scope = model_scope;
  scope.path.clear();
  for (const ast::Setting& setting : predict.settings) {
    for (const ast::Arg& arg : setting.args) {
      scope.equation = "show";
      scope.used.clear();
      const Expr* e = &arg.value;
      Show show;
      show.label = text_of(*e);
      if (e->kind == Expr::Kind::Call && e->operands[0].text == "top") {
        show.top = e->args.size() > 1 ? int32_t(number(e->args[1].value, scope)) : 1;
        e = &e->args.at(0).value;
      }
      const Value v = expr(*e, scope);
      not_of_letters(v, e->place, "`show`");
      if (show.top > 0 && is_variable(v.dims.back())) not_built(e->place, "`top` of a variable dimension");
      if (v.is_sequence()) show.sequence = v.dims[0].sequence;
      show.vocabulary = show.top ? v.dims.back().vocabulary : v.vocabulary;
      show.root = "show." + std::to_string(out.shows.size());
      NodeId node = v.node;
      if (!v.row) node = op(Op::Add, {g_->constant(0, Rows::batch(), g_->shape(node).cols), node});
      model_.graph.roots.push_back({show.root, node});
      out.shows.push_back(show);
    }
  }
}

}  // namespace rnnc::lowering
