// The derivative of each op, one line an op where one line will do: y = op(a, b), dy = d loss / d y is given;
// each line is its own proof. A new op without a line here does not compile.
#include "passes/differentiate.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// A node with arithmetic: what makes the rules below read like algebra.
struct V {
  Graph* g;
  NodeId id;
};
V make(Graph* g, Op op, std::initializer_list<NodeId> args) {
  return {g, add_simplified(*g, op, args, {}, {})};
}
V number(Graph* g, double v) {
  return {g, g->constant(v)};
}
V operator-(V a, V b) {
  return make(a.g, Op::Sub, {a.id, b.id});
}
V operator*(V a, V b) {
  return make(a.g, Op::Mul, {a.id, b.id});
}
V operator/(V a, V b) {
  return make(a.g, Op::Div, {a.id, b.id});
}
V operator-(V a) {
  return make(a.g, Op::Neg, {a.id});
}
V operator-(double c, V a) {
  return number(a.g, c) - a;
}
V operator*(double c, V a) {
  return number(a.g, c) * a;
}
V f(Op op, V a) {
  return make(a.g, op, {a.id});
}
V f(Op op, V a, V b) {
  return make(a.g, op, {a.id, b.id});
}

V matmul(V a, V b, uint8_t flags) {
  return {a.g, add_simplified(*a.g, Op::MatMul, std::array{a.id, b.id}, {.flags = flags}, {})};
}
/// `a` stretched to `shape`, as a value of that shape.
V stretch(V a, const Shape& shape) {
  return {a.g,
          add_simplified(*a.g, Op::Mul, std::array{a.id, a.g->constant(1, shape.rows, shape.cols)}, {}, {})};
}

}  // namespace

void apply_adjoint(Graph& graph, NodeId y_id, NodeId dy_id, Adjoints& adjoints) {
  Graph* g = &graph;
  const Node node = graph[y_id];
  const std::vector<NodeId> args(graph.args(y_id).begin(), graph.args(y_id).end());
  const V y{g, y_id}, dy{g, dy_id};
  const V a{g, args.empty() ? kNoNode : args[0]}, b{g, args.size() > 1 ? args[1] : kNoNode};
  auto give = [&](V operand, V d) { adjoints.give(operand.id, d.id); };
  auto wants = [&](V operand) { return adjoints.active(operand.id); };
  auto reshaped = [&](Op op, V v, const Shape& shape) {
    return V{g, add_simplified(graph, op, std::array{v.id}, {}, shape)};
  };
  constexpr uint8_t L = kTransposeLeft, R = kTransposeRight;

  switch (node.op) {
    case Op::Variable:
    case Op::Input:
    case Op::Constant: return;

    case Op::Neg: return give(a, -dy);     // (-a)' = -1
    case Op::Exp: return give(a, dy * y);  // exp' = exp
    case Op::Log: return give(a, dy / a);  // log' = 1/a
    case Op::Sqrt:
      return give(a, dy * (0.5 * f(Op::Sign, y) / f(Op::Max, y, number(g, 1e-30))));  // √' = 1/2√a, 0 at 0
    case Op::Abs: return give(a, dy * f(Op::Sign, a));                                // |a|' = sign a
    case Op::Sin: return give(a, dy * f(Op::Cos, a));                                 // sin' = cos
    case Op::Cos: return give(a, -(dy * f(Op::Sin, a)));                              // cos' = -sin
    case Op::Sigmoid: return give(a, dy * (y * (1 - y)));                             // σ' = σ(1-σ)
    case Op::Tanh: return give(a, dy * (1 - y * y));                                  // tanh' = 1 - tanh²
    case Op::Relu: return give(a, dy * f(Op::Less, number(g, 0), a));                 // 1 where a > 0
    case Op::Softplus: return give(a, dy * f(Op::Sigmoid, a));                        // log(1+eᵃ)' = σ
    case Op::Copy:
    case Op::Keep: return give(a, dy);
    case Op::ClipGradient: {  // by decree: dy within -c .. c
      const V c = number(g, node.attr.value);
      return give(a, f(Op::Max, f(Op::Min, dy, c), -c));
    }
    case Op::Sign:
    case Op::Stop:
    case Op::Less:
    case Op::LessEqual:
    case Op::Equal:
    case Op::OneHot:
    case Op::Coin:
    case Op::RowCount:
    case Op::ArgMax: return;  // constant, or meant as one

    case Op::Onto:
    case Op::Add: give(a, dy); return give(b, dy);   // d(a+b) = da + db
    case Op::Sub: give(a, dy); return give(b, -dy);  // d(a-b) = da - db
    case Op::Mul:                                    // d(ab) = b da + a db
      if (wants(a)) give(a, dy * b);
      if (wants(b)) give(b, dy * a);
      return;
    case Op::Div:  // d(a/b) = da/b - y db/b
      if (wants(a)) give(a, dy / b);
      if (wants(b)) give(b, -(dy * y / b));
      return;
    case Op::Pow:  // d(aᵇ) = b aᵇ⁻¹ da + y log a db
      if (wants(a)) give(a, dy * (b * f(Op::Pow, a, b - number(g, 1))));
      if (wants(b)) give(b, dy * (y * f(Op::Log, a)));
      return;
    case Op::Max:  // to the larger; equal: to a
      if (wants(a)) give(a, dy * f(Op::LessEqual, b, a));
      if (wants(b)) give(b, dy * f(Op::Less, a, b));
      return;
    case Op::Min:
      if (wants(a)) give(a, dy * f(Op::LessEqual, a, b));
      if (wants(b)) give(b, dy * f(Op::Less, b, a));
      return;
    case Op::Sum:
      for (NodeId term : args) adjoints.give(term, dy_id);
      return;

    case Op::SumCols:
    case Op::SumRows: return give(a, stretch(dy, graph.shape(a.id)));  // every summand alike
    case Op::MaxCols: {                                                // shared by the largest
      const V largest = f(Op::Equal, a, y);
      return give(a, dy * (largest / f(Op::SumCols, largest)));
    }
    case Op::MaxRows: {  // shared by the largest
      const V largest = f(Op::Equal, a, y);
      return give(a, dy * (largest / f(Op::SumRows, largest)));
    }
    case Op::MatMul:
      switch (node.attr.flags) {
        case 0:  // d(AB) = dA B + A dB
          if (wants(a)) give(a, matmul(dy, b, R));
          if (wants(b)) give(b, matmul(a, dy, L));
          return;
        case R:  // d(ABᵀ) = dA Bᵀ + A dBᵀ
          if (wants(a)) give(a, matmul(dy, b, 0));
          if (wants(b)) give(b, matmul(dy, a, L));
          return;
        case L:  // d(AᵀB) = dAᵀ B + Aᵀ dB
          if (wants(a)) give(a, matmul(b, dy, R));
          if (wants(b)) give(b, matmul(a, dy, 0));
          return;
        default:  // d(AᵀBᵀ) = dAᵀ Bᵀ + Aᵀ dBᵀ
          if (wants(a)) give(a, matmul(b, dy, L | R));
          if (wants(b)) give(b, matmul(dy, a, L | R));
          return;
      }

    case Op::SliceCols: {  // zeros left and right
      const Shape whole = graph.shape(a.id);
      const int32_t left = node.attr.offset, right = whole.cols - left - node.shape.cols;
      std::vector<NodeId> parts;
      if (left) parts.push_back(graph.constant(0, whole.rows, left));
      parts.push_back(dy_id);
      if (right) parts.push_back(graph.constant(0, whole.rows, right));
      return give(a, {g, graph.concat_cols(parts)});
    }
    case Op::ConcatCols: {  // to each its columns
      int32_t at = 0;
      for (NodeId part : args) {
        const Shape s = graph.shape(part);
        adjoints.give(part, add_simplified(graph, Op::SliceCols, std::array{dy_id}, {.offset = at}, s));
        at += s.cols;
      }
      return;
    }
    case Op::SliceRows: return adjoints.give_rows(a.id, node.shape.rows, node.attr.offset, dy_id);
    case Op::ConcatRows: {  // to each its rows
      int32_t at = 0;
      for (NodeId part : args) {
        const Shape s = graph.shape(part);
        adjoints.give(part, add_simplified(graph, Op::SliceRows, std::array{dy_id}, {.offset = at}, s));
        at += s.rows.kind == Rows::Fixed ? s.rows.begin : 0;
      }
      return;
    }
    case Op::TakeRows: return give(a, reshaped(Op::PadRows, dy, graph.shape(a.id)));
    case Op::PadRows: return give(a, reshaped(Op::TakeRows, dy, graph.shape(a.id)));
    case Op::TailRows:
      return give(
          a, {g, add_simplified(graph, Op::TailRows, std::array{dy_id}, {.offset = node.attr.offset}, {})});
    case Op::Gather:
      if (wants(a)) give(a, {g, graph.scatter(Op::ScatterAdd, dy_id, b.id, graph.shape(a.id).rows)});
      return;
    case Op::ScatterAdd: return give(a, f(Op::Gather, dy, b));
    case Op::ScatterMax: {  // shared by the largest
      const V largest = f(Op::Equal, a, f(Op::Gather, y, b));
      const V count =
          f(Op::Max, V{g, graph.scatter(Op::ScatterAdd, largest.id, b.id, node.shape.rows)}, number(g, 1));
      return give(a, f(Op::Gather, dy / count, b) * largest);
    }
    case Op::SplitCols: return give(a, reshaped(Op::JoinRows, dy, graph.shape(a.id)));
    case Op::JoinRows: return give(a, reshaped(Op::SplitCols, dy, graph.shape(a.id)));
    case Op::PairIndex: return;
    case Op::LastRows: {  // the rows that end at step t get theirs, the others nothing
      const Rows rows = graph.shape(a.id).rows;
      for (int32_t t = rows.end; t-- > rows.begin;) {
        const Shape step{Type::F32, Rows::step(rows.dim, t), node.shape.cols};
        V d = reshaped(Op::TakeRows, dy, step);
        if (t + 1 < rows.end) d = {g, graph.tail_rows(d.id, t + 1)};
        adjoints.give_rows(a.id, step.rows, 0, d.id);
      }
      return;
    }
    case Op::Transpose: return give(a, f(Op::Transpose, dy));
    case Op::Scan:
    case Op::ScanResult: throw GraphError("differentiate: a scan must be unrolled first");
  }
}

}  // namespace rnnc
