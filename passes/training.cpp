// Gradients, clipping, updates: see training.h.
#include "passes/training.h"

#include <algorithm>

#include "passes/differentiate.h"
#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// What the updates are written in.
struct Builder {
  Graph& g;
  NodeId op(Op o, NodeId a) { return add_simplified(g, o, std::array{a}, {}, {}); }
  NodeId op(Op o, NodeId a, NodeId b) { return add_simplified(g, o, std::array{a, b}, {}, {}); }
  NodeId c(double v) { return g.constant(v); }
  NodeId add(NodeId a, NodeId b) { return op(Op::Add, a, b); }
  NodeId sub(NodeId a, NodeId b) { return op(Op::Sub, a, b); }
  NodeId mul(NodeId a, NodeId b) { return op(Op::Mul, a, b); }
  NodeId div(NodeId a, NodeId b) { return op(Op::Div, a, b); }
  NodeId square_sum(NodeId a) {
    const NodeId rows = op(Op::SumCols, mul(a, a));
    return op(Op::SumRows, rows);
  }
  NodeId scalar_input(const char* name) { return g.input(name, {}); }
};

NodeId norm_of(Builder& b, const std::vector<NodeId>& gradients) {
  std::vector<NodeId> squares;
  for (NodeId d : gradients) squares.push_back(b.square_sum(d));
  return b.op(Op::Sqrt, b.g.sum(squares));
}

/// Gradients of all parameters after clipping; gives their norm before it.
NodeId clip(Builder& b, std::vector<NodeId>& gradients, const Optimizer& optimizer) {
  const NodeId before = norm_of(b, gradients);
  NodeId norm = before;
  if (optimizer.clip_value > 0) {
    const NodeId most = b.c(optimizer.clip_value), least = b.c(-optimizer.clip_value);
    for (NodeId& d : gradients) d = b.op(Op::Max, b.op(Op::Min, d, most), least);
    if (optimizer.clip_norm > 0) norm = norm_of(b, gradients);
  }
  if (optimizer.clip_norm > 0) {
    // g · min(1, c / |g|)                                                      Pascanu et al. 2013
    const NodeId ratio = b.div(b.c(optimizer.clip_norm), b.op(Op::Max, norm, b.c(1e-12)));
    const NodeId scale = b.op(Op::Min, ratio, b.c(1));
    for (NodeId& d : gradients) d = b.mul(d, scale);
  }
  return before;
}

class Updates {
 public:
  Updates(Builder b, const Optimizer& optimizer) : b_(b), o_(optimizer), rate_(b.scalar_input(kRateInput)) {}

  void update(const Parameter& p, NodeId w, NodeId d) {
    const Shape shape = b_.g.shape(w);
    auto state = [&](const char* suffix) {
      return b_.g.variable(p.name + suffix, shape.rows.begin, shape.cols);
    };
    auto assign = [&](const std::string& name, NodeId value) { b_.g.roots.push_back({name, value, true}); };
    NodeId step = d;  // w -= η · step
    switch (o_.kind) {
      case Optimizer::Sgd:
        if (o_.momentum != 0) {
          const NodeId v = b_.add(b_.mul(b_.c(o_.momentum), state("%v")), d);
          assign(p.name + "%v", v);
          step = o_.nesterov ? b_.add(d, b_.mul(b_.c(o_.momentum), v)) : v;
        }
        break;
      case Optimizer::AdaGrad: {
        const NodeId s = b_.add(state("%s"), b_.mul(d, d));
        assign(p.name + "%s", s);
        step = b_.div(d, b_.add(b_.op(Op::Sqrt, s), b_.c(o_.eps)));
        break;
      }
      case Optimizer::RmsProp: {
        const NodeId s = b_.add(b_.mul(b_.c(o_.rho), state("%s")), b_.mul(b_.c(1 - o_.rho), b_.mul(d, d)));
        assign(p.name + "%s", s);
        step = b_.div(d, b_.add(b_.op(Op::Sqrt, s), b_.c(o_.eps)));
        break;
      }
      case Optimizer::Adam: {
        const NodeId m = b_.add(b_.mul(b_.c(o_.beta1), state("%m")), b_.mul(b_.c(1 - o_.beta1), d));
        const NodeId v =
            b_.add(b_.mul(b_.c(o_.beta2), state("%v")), b_.mul(b_.c(1 - o_.beta2), b_.mul(d, d)));
        assign(p.name + "%m", m);
        assign(p.name + "%v", v);
        const NodeId mean = b_.div(m, b_.scalar_input(kCorrection1Input));
        const NodeId square = b_.div(v, b_.scalar_input(kCorrection2Input));
        step = b_.div(mean, b_.add(b_.op(Op::Sqrt, square), b_.c(o_.eps)));
        break;
      }
    }
    if (o_.decay != 0) step = b_.add(step, b_.mul(b_.c(o_.decay), w));
    assign(p.name, b_.sub(w, b_.mul(rate_, step)));
  }

 private:
  Builder b_;
  const Optimizer& o_;
  NodeId rate_;
};

}  // namespace

std::vector<std::string> state_names(const Optimizer& optimizer, const std::string& name) {
  switch (optimizer.kind) {
    case Optimizer::Sgd:
      return optimizer.momentum != 0 ? std::vector{name + "%v"} : std::vector<std::string>{};
    case Optimizer::AdaGrad:
    case Optimizer::RmsProp: return {name + "%s"};
    case Optimizer::Adam: return {name + "%m", name + "%v"};
  }
  return {};
}

Graph add_training(const Graph& graph, const std::vector<Parameter>& parameters, const Optimizer& optimizer) {
  Graph g = graph;
  const auto root =
      std::find_if(g.roots.begin(), g.roots.end(), [](const Root& r) { return r.name == "loss"; });
  if (root == g.roots.end()) throw GraphError("add_training: the graph has no root `loss`");
  const NodeId loss = root->node;
  std::erase_if(g.roots,
                [](const Root& r) { return r.name != "loss" && !r.name.starts_with(kCarryOutputPrefix); });

  std::vector<const Parameter*> trained;
  std::vector<NodeId> weights;
  for (const Parameter& p : parameters) {
    if (p.frozen) continue;
    trained.push_back(&p);
    weights.push_back(g.variable(p.name, p.rows, p.cols));
  }
  std::vector<NodeId> gradients = differentiate(g, loss, weights);
  if (trained.empty()) return drop_clips(g);
  g.set_backward(true);
  g.set_origin(g.add_origin({"optimizer", 0}));
  Builder b{g};
  g.roots.push_back({"gradient_norm", clip(b, gradients, optimizer)});
  Updates updates(b, optimizer);
  for (size_t i = 0; i < trained.size(); ++i) updates.update(*trained[i], weights[i], gradients[i]);
  g.set_origin(0);
  g.set_backward(false);
  return drop_clips(g);
}

}  // namespace rnnc
