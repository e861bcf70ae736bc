// See gradient_culprits.h.
#include "driver/gradient_culprits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>

#include "runtime/random.h"

namespace rnnc {
namespace {

constexpr double kWide = 1e-4,
                 kNarrow = 2e-5;  // steps of two differences that must agree, or there is a corner
constexpr double kAgrees = 1e-6;

/// One operation with its operands as inputs.
struct Alone {
  Graph graph;
  Tensors values;
  std::vector<NodeId> wrt;  // operands that are numbers, each once
  NodeId y = kNoNode;
};

Alone alone(const Graph& from, NodeId id, const std::vector<Tensor>& values) {
  Alone a;
  std::vector<NodeId> args;
  for (NodeId arg : from.args(id)) {
    if (from[arg].op == Op::Constant) {
      args.push_back(a.graph.constant(from[arg].attr.value, from.shape(arg).rows, from.shape(arg).cols));
      continue;
    }
    const std::string name = fmt::format("operand {}", arg);
    args.push_back(a.graph.input(name, from.shape(arg)));  // the same node for the same operand
    a.values[name] = values[arg];
    if (from.shape(arg).type == Type::F32 &&
        std::find(a.wrt.begin(), a.wrt.end(), args.back()) == a.wrt.end())
      a.wrt.push_back(args.back());
  }
  a.y = a.graph.add(from[id].op, args, from[id].attr, from.shape(id));
  return a;
}

/// Whether the derivative is that of the op itself, not one by decree.
bool has_true_derivative(const Graph& graph, NodeId id) {
  const Op op = graph[id].op;
  return info(op).cls != OpClass::Leaf && op != Op::Stop && op != Op::ClipGradient &&
         graph.shape(id).type == Type::F32;
}

Tensor random_like(const Tensor& t, const Random& random) {
  Tensor result = t;
  for (size_t i = 0; i < result.data.size(); ++i) result.data[i] = random.normal(i);
  return result;
}

double dot(const Tensor& a, const Tensor& b) {
  double s = 0;
  for (size_t i = 0; i < a.data.size(); ++i) s += a.data[i] * b.data[i];
  return s;
}

/// Compares Σ weight · y along one random direction of all operands; nothing if that agrees.
std::optional<Culprit> check_alone(const Graph& from, NodeId id, const std::vector<Tensor>& values,
                                   const RowTable& table, const Differentiate& differentiate) {
  Alone a = alone(from, id, values);
  if (a.wrt.empty() || values[id].data.empty()) return {};
  const NodeId weight = a.graph.input("weight", from.shape(id));
  a.values["weight"] = random_like(values[id], Random(1, id, 1));
  const NodeId loss =
      a.graph.unary(Op::SumRows, a.graph.unary(Op::SumCols, a.graph.binary(Op::Mul, a.y, weight)));
  a.graph.roots = {{"loss", loss}};
  const Graph forward = a.graph;
  const std::vector<NodeId> gradients = differentiate(a.graph, loss, a.wrt);
  a.graph.roots.clear();
  for (size_t i = 0; i < a.wrt.size(); ++i) a.graph.roots.push_back({a.graph.name(a.wrt[i]), gradients[i]});
  const Tensors exact = interpret_roots(a.graph, a.values, table).outputs;

  double along = 0, size = 1e-12;
  Tensors direction;
  for (size_t i = 0; i < a.wrt.size(); ++i) {
    const std::string& name = a.graph.name(a.wrt[i]);
    direction[name] = random_like(a.values.at(name), Random(2, id, i));
    along += dot(exact.at(name), direction[name]);
    size += dot(exact.at(name), exact.at(name));
  }
  auto loss_at = [&](double by) {
    Tensors moved = a.values;
    for (const auto& [name, d] : direction)
      for (size_t i = 0; i < d.data.size(); ++i) moved[name].data[i] += by * d.data[i];
    return interpret_roots(forward, moved, table).outputs.at("loss").data.at(0);
  };
  auto slope = [&](double h) {
    return (8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h);
  };
  const double wide = slope(kWide), narrow = slope(kNarrow);
  const double scale = std::max({std::sqrt(size), std::abs(narrow), 1e-6});
  const double error = std::abs(along - narrow) / scale;
  if (error < kAgrees) return {};
  // Left and right of a corner the slopes differ; so they do where the two differences disagree.
  const double right = (loss_at(kNarrow) - loss_at(0)) / kNarrow,
               left = (loss_at(0) - loss_at(-kNarrow)) / kNarrow;
  const bool corner = std::abs(wide - narrow) > kAgrees * scale || std::abs(right - left) > 1e-2 * scale;
  const Origin& origin = from.origins[from[id].origin];
  return Culprit{origin.equation, origin.line, from[id].op, corner, error};
}

}  // namespace

std::vector<Culprit> find_culprits(const Graph& forward, const Tensors& given, const RowTable& table,
                                   const Differentiate& differentiate) {
  const std::vector<Tensor> values = interpret(forward, given, table);
  const std::vector<bool> live = live_nodes(forward);
  std::vector<Culprit> found;
  std::set<std::tuple<uint32_t, Op, bool>> seen;
  for (NodeId id = 0; id < forward.size(); ++id) {
    if (!live[id] || !has_true_derivative(forward, id)) continue;
    const auto culprit = check_alone(forward, id, values, table, differentiate);
    if (culprit && seen.insert({forward[id].origin, culprit->op, culprit->corner}).second)
      found.push_back(*culprit);
  }
  return found;
}

std::string to_string(const Culprit& culprit) {
  std::string where = culprit.equation.empty() ? "no equation" : fmt::format("`{}`", culprit.equation);
  if (culprit.line) where += fmt::format(" (line {})", culprit.line);
  const std::string_view op = info(culprit.op).name;
  return culprit.corner ? fmt::format("{}: `{}` has a corner here and no derivative", where, op)
                        : fmt::format("{}: the derivative of `{}` disagrees with differences by {:.1e}",
                                      where, op, culprit.error);
}

}  // namespace rnnc
