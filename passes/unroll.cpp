// Time made explicit: see passes.h.
#include <cctype>

#include "passes/passes.h"
#include "passes/rebuild.h"

namespace rnnc {
namespace {

class Unroll {
 public:
  Unroll(const Model& model, std::span<const int32_t> time_steps)
      : model_(model), time_steps_(time_steps), r_(model.graph), results_(model.graph.size()) {}

  Graph run() {
    const Graph& from = model_.graph;
    const std::vector<bool> live = live_nodes(from);
    for (NodeId id = 0; id < from.size(); ++id) {
      if (!live[id]) continue;
      const Node& node = from[id];
      if (node.op == Op::Scan) {
        expand(id);
      } else if (node.op == Op::ScanResult) {
        r_.map[id] = results_[from.arg(id, 0)][node.attr.offset];
      } else {
        r_.origin_of(id);
        r_.map[id] = r_.to.add(node.op, r_.mapped_args(id), node.attr, with_steps(node.shape, 0));
      }
    }
    return r_.finish();
  }

 private:
  /// All steps of a dimension are 0 .. T; the step at hand is t.
  Shape with_steps(Shape shape, int32_t t) const {
    Rows& rows = shape.rows;
    if (rows.kind != Rows::Steps) return shape;
    if (rows.begin == Rows::kHere) rows = Rows::step(rows.dim, t);
    else if (rows.end == Rows::kAll) rows.end = time_steps_[rows.dim];
    return shape;
  }

  NodeId add(Op op, std::initializer_list<NodeId> args, const Shape& wanted) {
    return add_simplified(r_.to, op, args, {}, wanted);
  }

  /// The state before step t, from the state after the step done before it (kNoNode at the first).
  NodeId state_before(const ScanBody& scan, NodeId first, NodeId previous, int32_t t) {
    Graph& g = r_.to;
    const Rows rows = Rows::step(g.shape(first).rows.dim, t);
    const Shape want{g.shape(first).type, rows, g.shape(first).cols};
    const NodeId begin = add(Op::TakeRows, {first}, want);
    if (previous == kNoNode) return begin;
    if (!scan.reverse) return add(Op::TakeRows, {previous}, want);
    // In a reverse scan more rows run at step t than at t+1; those that begin here bring their first state.
    const NodeId going_on = add(Op::PadRows, {previous}, want);
    if (g.is_constant(begin, 0)) return going_on;
    return g.binary(Op::Add, going_on, g.tail_rows(begin, t + 1));
  }

  /// The rows of each port of a body; of one that it does not read: those of one number.
  static std::vector<Rows> rows_of_ports(const ScanBody& scan) {
    const Graph& body = scan.body;
    std::vector<Rows> rows(size_t(scan.sequences + scan.constants + scan.states * (scan.tree ? 2 : 1)));
    for (NodeId id = 0; id < body.size(); ++id) {
      if (is_port(body, id)) rows[size_t(port_of(body, id))] = body.shape(id).rows;
    }
    return rows;
  }
  static bool is_port(const Graph& body, NodeId id) {
    return body[id].op == Op::Input && body.name(id)[0] == '%' &&
           std::isdigit(static_cast<unsigned char>(body.name(id)[1])) != 0;
  }
  static int port_of(const Graph& body, NodeId id) { return std::stoi(body.name(id).substr(1)); }

  void expand(NodeId id) {
    const ScanBody& scan = model_.scans[model_.graph[id].attr.offset];
    const std::vector<NodeId> operands = r_.mapped_args(id);
    const int32_t T = time_steps_[scan.dim];
    const std::vector<Rows> port_rows = rows_of_ports(scan);
    std::vector<NodeId> state(scan.states, kNoNode);
    std::vector<std::vector<NodeId>> steps(scan.results.size(), std::vector<NodeId>(T));
    for (int32_t i = 0; i < T; ++i) {
      const int32_t t = scan.reverse ? T - 1 - i : i;
      std::vector<NodeId> ports;
      for (int k = 0; k < scan.sequences; ++k) ports.push_back(at_step(operands[k], t));
      for (int k = 0; k < scan.constants; ++k) {
        const NodeId constant = operands[scan.sequences + k];
        const Shape shape = r_.to.shape(constant);
        const bool whole = port_rows[scan.sequences + k].begin != Rows::kHere;
        ports.push_back(
            whole ? constant
                  : add(Op::TakeRows, {constant}, {shape.type, Rows::step(shape.rows.dim, t), shape.cols}));
      }
      const std::span after = std::span(operands).subspan(scan.sequences + scan.constants);
      for (int k = 0; k < scan.states && !scan.tree; ++k)
        ports.push_back(state_before(scan, after[k], state[k], t));
      for (int side = 0; side < 2 && scan.tree; ++side) {
        for (int k = 0; k < scan.states; ++k) ports.push_back(child_state(scan, k, after[side], state[k], t));
      }
      const std::vector<NodeId> map = copy_step(scan.body, ports, t);
      for (int k = 0; k < scan.states; ++k) state[k] = map[scan.next[k]];
      for (size_t k = 0; k < scan.results.size(); ++k) steps[k][t] = map[scan.results[k]];
    }
    for (const auto& result : steps)
      results_[id].push_back(add_simplified(r_.to, Op::ConcatRows, result, {}, {}));
  }

  NodeId at_step(NodeId stack, int32_t t) {
    const Shape all = r_.to.shape(stack);
    return add(Op::SliceRows, {stack}, {all.type, Rows::step(all.rows.dim, t), all.cols});
  }

  /// A state of the children of the nodes of level t, found among those of the level below.
  NodeId child_state(const ScanBody& scan, int k, NodeId index, NodeId below, int32_t t) {
    const int32_t cols = scan.body.shape(scan.next[k]).cols;
    if (below == kNoNode) return r_.to.constant(0, Rows::step(scan.dim, t), cols);
    return r_.to.gather(below, at_step(index, t));
  }

  /// An input of the program that a body reads by name: at step t, if it has steps.
  NodeId input_of_all(const std::string& name, Shape shape, int32_t t) {
    const Rows rows = shape.rows;
    if (rows.begin != Rows::kHere) return r_.to.input(name, with_steps(shape, t));
    shape.rows = Rows::all(rows.dim);
    const NodeId all = r_.to.input(name, with_steps(shape, t));
    shape.rows = rows;
    return add(Op::SliceRows, {all}, with_steps(shape, t));
  }

  /// The body once more, at step t. Origins of the body are those of the model's graph.
  std::vector<NodeId> copy_step(const Graph& body, const std::vector<NodeId>& ports, int32_t t) {
    std::vector<NodeId> map(body.size(), kNoNode), args;
    for (NodeId id = 0; id < body.size(); ++id) {
      const Node& node = body[id];
      if (node.op == Op::Input) {
        map[id] =
            is_port(body, id) ? ports[size_t(port_of(body, id))] : input_of_all(body.name(id), node.shape, t);
        continue;
      }
      args.clear();
      for (NodeId a : body.args(id)) args.push_back(map[a]);
      Attr attr = node.attr;
      if (attr.name >= 0) attr.name = r_.to.name_id(body.name(id));
      r_.to.set_origin(node.origin);
      map[id] = r_.to.add(node.op, args, attr, with_steps(node.shape, t));
    }
    return map;
  }

  const Model& model_;
  std::span<const int32_t> time_steps_;
  Rebuild r_;
  std::vector<std::vector<NodeId>> results_;  // of each scan node: its results as stacks
};

}  // namespace

Graph unroll(const Model& model, std::span<const int32_t> time_steps) {
  return Unroll(model, time_steps).run();
}

}  // namespace rnnc
