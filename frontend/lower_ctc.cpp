// Lowering of `ctc`: connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber 2006,
// "Connectionist Temporal Classification", equations 6 to 8, in logarithms).
//
// The answer y1 .. yS with a blank before, between and behind its labels is read along the steps of the
// scores. The forward variables are three states of a scan over the steps:
//
//   b[s]  all paths that end in the blank before label s
//   l[s]  all paths that end in label s
//   e     all paths that end in the last blank
//
//   b'[s] = log p(blank) + logadd(b[s], l[s-1])
//   l'[s] = log p(y[s])  + logadd(l[s], b[s], l[s-1] if y[s] != y[s-1])
//   e'    = log p(blank) + logadd(e, l[S-1])
//
// The loss of a row is -logadd(l[S-1], e) after its last step.
#include <array>

#include "frontend/lower_values.h"

namespace rnnc::lowering {
namespace {

constexpr double kNever = -1e30;  // the logarithm of 0

/// log(e^a + e^b)
NodeId logadd(Graph& g, NodeId a, NodeId b) {
  const NodeId top = g.unary(Op::Stop, g.binary(Op::Max, a, b));
  const NodeId sum = g.binary(Op::Add, g.unary(Op::Exp, g.binary(Op::Sub, a, top)),
                              g.unary(Op::Exp, g.binary(Op::Sub, b, top)));
  return g.binary(Op::Add, top, g.unary(Op::Log, sum));
}

/// `a` where `where` is 1, else the logarithm of 0.
NodeId if_else_never(Graph& g, NodeId where, NodeId a) {
  const NodeId off = g.binary(Op::Mul, g.binary(Op::Sub, g.constant(1), where), g.constant(kNever));
  return g.binary(Op::Add, g.binary(Op::Mul, where, a), off);
}

}  // namespace

Value Lowering::ctc(const Value& scores, const Value& y, Place place) {
  if (!plain(scores) || !lies(scores).steps || scores.dims.size() != 2)
    not_built(place, "`ctc` of scores of more than a sequence");
  if (!plain(y) || !lies(y).steps || y.dims.size() != 1)
    not_built(place, "`ctc` of an answer that is no sequence");
  if (scores.weight != kNoNode || y.weight != kNoNode) not_built(place, "`ctc` of what comes after `next`");
  const int64_t blank = in_.entry ? in_.entry(y.vocabulary, "<blank>") : -1;
  if (blank < 0)
    throw UserError(
        at_place(source_of(place), place, "`ctc` needs `<blank>` in the vocabulary of the answer"));
  const Dim steps = scores.dims[0], labels = y.dims[0];
  const int dim = steps.sequence, inside = inner_space(dim, std::array{labels});
  const int32_t classes = int32_t(scores.dims[1].n);
  Graph& g = *g_;

  // log p of the blank, and of each label at each step: element y[s] of the scores of step t
  const NodeId top = op(Op::Stop, {op(Op::MaxCols, {scores.node})});
  const NodeId z = op(Op::Sub, {scores.node, top});
  const NodeId log_p = op(Op::Sub, {z, op(Op::Log, {op(Op::SumCols, {op(Op::Exp, {z})})})});
  const NodeId log_blank = g.slice_cols(log_p, int32_t(blank), 1);
  const std::array both{steps, labels};
  const Rows all = Rows::all(inside);
  const NodeId step_row = row_index(all, Rows::all(dim), both, {{0, 1, 0, extent(steps)}});
  const NodeId label =
      g.gather(y.node, row_index(all, Rows::all(labels.sequence), both, {{1, 1, 0, extent(labels)}}));
  const NodeId element = g.add(Op::PairIndex, std::array{step_row, label}, {.offset = classes});
  const Dim column{classes, -1, {}, {}};
  const NodeId elements = g.split_cols(log_p, Rows::all(inner_space(dim, std::array{column})), 1);
  const NodeId log_label = g.gather(elements, element);

  // of each label, whether it may follow the one before without a blank
  const Rows example = Rows::batch(inside), own = Rows::batch(dim);
  const std::array label_dims{labels};
  auto answer = [&](int32_t offset) {
    const Rows from = Rows::all(labels.sequence);
    return g.gather(y.node, row_index(example, from, label_dims, {{0, 1, offset, extent(labels)}}), -1);
  };
  const NodeId differs = op(Op::Sub, {constant(1), op(Op::Equal, {answer(0), answer(-1)})});
  auto first_or = [&](double first, double later) {  // by label
    const NodeId ones = g.constant(1, example, 1);
    const NodeId before = row_index(example, example, label_dims, {{0, 1, -1, extent(labels)}});
    return op(Op::Add, {g.constant(first), op(Op::Mul, {g.constant(later - first), g.gather(ones, before)})});
  };
  const NodeId length = g.input(length_input(labels.sequence), {Type::F32, Rows::batch(labels.sequence), 1});
  const NodeId none = op(Op::Less, {in_order(in_order(length, labels.sequence, 0), 0, dim), g.constant(0.5)});
  const NodeId empty = if_else_never(g, none, g.constant(0, own, 1));

  ScanBody body;
  body.dim = dim;
  body.sequences = 2;
  body.constants = 3;
  body.states = 3;
  Graph& b = body.body;
  const Rows here = Rows::here(inside), now = Rows::here(dim);
  auto port = [&](int k, Rows rows, Type type = Type::F32) {
    return b.input("%" + std::to_string(k), {type, rows, 1});
  };
  const NodeId p_label = port(0, here), p_blank = port(1, now);
  const NodeId may = port(2, here), before = port(3, here, Type::I32), last_label = port(4, now, Type::I32);
  const NodeId blanks = port(5, here), ends = port(6, here), end = port(7, now);
  RowMap map{.to = example, .from = own, .dims = {extent(labels)}, .sources = {}};
  const NodeId step_of = b.take_rows(b.input(to_string(map), {Type::I32, example, 1}), here);
  const NodeId earlier = b.gather(ends, before, kNever);
  const NodeId new_blank = b.binary(Op::Add, b.gather(p_blank, step_of), logadd(b, blanks, earlier));
  const NodeId stay = logadd(b, logadd(b, ends, blanks), if_else_never(b, may, earlier));
  const NodeId new_label = b.binary(Op::Add, p_label, stay);
  const NodeId new_end = b.binary(Op::Add, p_blank, logadd(b, end, b.gather(ends, last_label, kNever)));
  body.next = {new_blank, new_label, new_end};
  body.results = {logadd(b, new_end, b.gather(new_label, last_label, kNever))};
  const NodeId index_before = row_index(example, example, label_dims, {{0, 1, -1, extent(labels)}});
  const NodeId index_last = row_index(own, example, {}, {{RowMap::kLast, 1, 0, extent(labels)}});
  const std::array operands{log_label,
                            log_blank,
                            differs,
                            index_before,
                            index_last,
                            first_or(0, kNever),
                            g.constant(kNever, example, 1),
                            empty};
  const NodeId result = scan_result(add_scan(std::move(body), operands), 0, Type::F32, dim, 1);
  Value v;
  v.row = true;
  // Of an answer that no path can give the loss is infinite; of a row without any step it is 0.
  const NodeId log_sum = last(result, dim);
  const NodeId some = op(Op::Less, {constant(kNever / 2), log_sum});
  v.node = op(Op::Neg, {op(Op::Add, {log_sum, op(Op::Log, {some})})});
  return v;
}

}  // namespace rnnc::lowering
