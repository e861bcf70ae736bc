// One step of a model: see stepwise.h.
#include "passes/stepwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "passes/rebuild.h"

namespace rnnc {
namespace {

/// Whether an op only moves numbers: of parameters, it is done in every step rather than kept.
bool moves(Op op) {
  return info(op).cls == OpClass::Structure || info(op).cls == OpClass::Leaf;
}

class Cut {
 public:
  Cut(const Model& model, int dim)
      : model_(model), from_(model.graph), dim_(dim), results_(from_.size()), step_(from_.size(), kNoNode) {}

  Stepwise run() {
    live_ = live_nodes(from_);
    classify();
    start(out_.prefix);
    start(out_.step);
    for (const Root& root : from_.roots) {
      if (!along(from_.shape(root.node).rows))
        throw GraphError("stepwise: `" + root.name + "` is no value along the dimension");
    }
    for (NodeId id = 0; id < from_.size(); ++id) {
      if (live_[id] && stepped_[id]) copy_to_step(id);
    }
    for (const Root& root : from_.roots) graph().roots.push_back({root.name, step_[root.node]});
    finish_states();
    finish_prefix();
    finish_inputs();
    return std::move(out_);
  }

 private:
  Graph& graph() { return out_.step.graph; }
  /// Rows of the dimension's steps, or inside them.
  bool along(Rows rows) const {
    if (rows.kind != Rows::Steps || rows.dim == dim_) return rows.kind == Rows::Steps;
    if (rows.dim >= model_.spaces.size()) return false;
    const Space& s = model_.spaces[rows.dim];
    return s.kind == Space::Inner && s.base == dim_ && std::ranges::count(s.inside.of, dim_) == 0;
  }
  bool scans_along(const Node& node) const {
    return node.op == Op::Scan && model_.scans[node.attr.offset].dim == dim_;
  }

  [[noreturn]] void refuse(NodeId id) const {
    const Node& node = from_[id];
    const Origin& origin = from_.origins[node.origin];
    throw GraphError(fmt::format("stepwise: `{}` ({}, line {}) needs more than one step of dimension {}",
                                 info(node.op).name, origin.equation, origin.line, dim_));
  }

  /// What belongs to the step: everything along the dimension and what is made of it. What is known of
  /// parameters alone: `pure_`.
  void classify() {
    stepped_.assign(from_.size(), false);
    pure_.assign(from_.size(), false);
    for (NodeId id = 0; id < from_.size(); ++id) {
      const Node& node = from_[id];
      pure_[id] = node.op != Op::Input;
      if (node.op == Op::Input && along(node.shape.rows)) fields_.insert(from_.name(id));
      stepped_[id] = along(node.shape.rows) || scans_along(node);
      for (NodeId a : from_.args(id)) {
        pure_[id] = pure_[id] && pure_[a];
        stepped_[id] = stepped_[id] || stepped_[a];
      }
    }
  }

  void start(Model& model) const {
    model.name = model_.name;
    model.dims = model_.dims;
    model.parameters = model_.parameters;
    model.scans = model_.scans;
    model.spaces = model_.spaces;
    model.graph = from_.empty_copy();
  }

  /// Rows in the step: a value along the dimension has those of the batch.
  Shape at_step(NodeId id, Shape shape) const {
    if (!along(shape.rows)) return shape;
    const int space = shape.rows.dim;
    const bool whole = shape.rows == Rows::all(space) || shape.rows == Rows::here(space);
    if (!whole) refuse(id);
    shape.rows = Rows::batch(space == dim_ ? 0 : space);
    return shape;
  }

  void copy_to_step(NodeId id) {
    const Node& node = from_[id];
    graph().set_origin(node.origin);
    if (scans_along(node)) {
      inline_scan(id);
      return;
    }
    if (node.op == Op::ScanResult && scans_along(from_[from_.arg(id, 0)])) {
      step_[id] = results_[from_.arg(id, 0)][node.attr.offset];
      return;
    }
    // What is made of values along the dimension but does not run along it has taken in several steps.
    if (!along(node.shape.rows) || looks_elsewhere(id)) refuse(id);
    std::vector<NodeId> args;
    for (NodeId a : from_.args(id)) args.push_back(in_step(a));
    if (node.op == Op::MatMul && stepped_[from_.arg(id, 1)]) refuse(id);
    step_[id] = add_node(node.op, args, node.attr, at_step(id, node.shape));
  }

  /// Whether a map of rows leads from one step to another.
  bool looks_elsewhere(NodeId id) const {
    if (from_[id].op != Op::Input || !is_row_map(from_.name(id))) return false;
    const RowMap map = parse_row_map(from_.name(id));
    return along(map.from) && (map.sources.empty() || map.sources[0].dim != 0 || map.sources[0].step != 1 ||
                               map.sources[0].offset != 0);
  }

  NodeId add_node(Op op, std::span<const NodeId> args, const Attr& attr, const Shape& shape) {
    const bool rows_only = op == Op::TakeRows || op == Op::SliceRows;
    return rows_only ? add_simplified(graph(), op, args, attr, shape) : graph().add(op, args, attr, shape);
  }

  /// A node as an operand in the step. What does not belong there is an input by its own name, a parameter,
  /// or a value that the prefix computes.
  NodeId in_step(NodeId id) {
    if (step_[id] != kNoNode) return step_[id];
    const Node& node = from_[id];
    if (node.op == Op::Input || (pure_[id] && moves(node.op))) {
      std::vector<NodeId> args;
      for (NodeId a : from_.args(id)) args.push_back(in_step(a));
      return step_[id] = graph().add(node.op, args, node.attr, node.shape);
    }
    const std::string name = fmt::format("cut.{}", out_.cuts.size());
    out_.cuts.push_back(name);
    prefix_roots_.push_back({name, id});
    return step_[id] = graph().input(name, node.shape);
  }

  /// The body once. Its states are inputs; the values after the step become roots at the end.
  void inline_scan(NodeId id) {
    const ScanBody& scan = model_.scans[from_[id].attr.offset];
    if (scan.reverse || scan.tree) refuse(id);
    std::vector<NodeId> ports;
    for (int k = 0; k < scan.sequences + scan.constants; ++k) {
      const NodeId operand = from_.arg(id, k);
      if (k >= scan.sequences && stepped_[operand]) refuse(id);
      ports.push_back(in_step(operand));
    }
    const size_t first_state = states_.size();
    for (int k = 0; k < scan.states; ++k) {
      const NodeId first = from_.arg(id, scan.sequences + scan.constants + k);
      if (stepped_[first] || from_.shape(first).rows != Rows::batch()) refuse(id);
      ports.push_back(add_state(from_.shape(first), first));
    }
    const std::vector<NodeId> map = copy_body(id, scan.body, ports);
    for (int k = 0; k < scan.states; ++k) states_[first_state + size_t(k)] = map[scan.next[k]];
    for (const NodeId result : scan.results) results_[id].push_back(map[result]);
  }

  std::vector<NodeId> copy_body(NodeId scan, const Graph& body, const std::vector<NodeId>& ports) {
    std::vector<NodeId> map(body.size(), kNoNode), args;
    for (NodeId id = 0; id < body.size(); ++id) {
      const Node& node = body[id];
      if (node.op == Op::Input) {
        const std::string& name = body.name(id);
        const bool port = std::isdigit(static_cast<unsigned char>(name[1])) != 0;
        map[id] = port ? ports.at(std::stoul(name.substr(1))) : graph().input(name, at_step(scan, node.shape));
        continue;
      }
      args.clear();
      for (NodeId a : body.args(id)) args.push_back(map[a]);
      Attr attr = node.attr;
      if (attr.name >= 0) attr.name = graph().name_id(body.name(id));
      graph().set_origin(node.origin);
      map[id] = add_node(node.op, args, attr, at_step(scan, node.shape));
    }
    return map;
  }

  /// A new state with its first value, a node of the model.
  NodeId add_state(const Shape& shape, NodeId first) {
    StepState state;
    state.type = shape.type;
    state.cols = shape.cols;
    const size_t number = out_.states.size();
    state.input = fmt::format("%state.{}", number);
    if (from_[first].op == Op::Constant) {
      state.fill = from_[first].attr.value;
    } else {
      state.first = fmt::format("first.{}", number);
      prefix_roots_.push_back({state.first, first});
    }
    out_.states.push_back(state);
    states_.push_back(kNoNode);
    return graph().input(state.input, {state.type, Rows::batch(), state.cols});
  }

  /// How each state goes on: by an output of the step, or by what the step was given.
  void finish_states() {
    std::map<NodeId, int> number_of;  // of the inputs that are states
    for (size_t k = 0; k < states_.size(); ++k) {
      const StepState& state = out_.states[k];
      number_of[graph().input(state.input, {state.type, Rows::batch(), state.cols})] = int(k);
    }
    for (size_t k = 0; k < states_.size(); ++k) {
      StepState& state = out_.states[k];
      const NodeId next = states_[k];
      if (const auto older = number_of.find(next); older != number_of.end()) {
        state.older = older->second;
      } else if (reads_step_field(next)) {
        state.field = graph().name(next);
      } else {
        state.output = fmt::format("state.{}", k);
        graph().roots.push_back({state.output, next});
      }
    }
    std::vector<bool> reads(graph().size());
    for (NodeId id = 0; id < graph().size(); ++id) {
      reads[id] = reads_step_field(id);
      for (NodeId a : graph().args(id)) reads[id] = reads[id] || reads[a];
    }
    for (const Root& root : graph().roots) {
      bool& any = root.name.starts_with("state.") ? out_.states_read_step : out_.roots_read_step;
      any = any || reads[root.node];
    }
  }

  /// Whether a node of the step is an input that runs along the dimension in the model.
  bool reads_step_field(NodeId id) const {
    const Graph& step = out_.step.graph;
    return step[id].op == Op::Input && fields_.contains(step.name(id));
  }

  /// The nodes of the model that the cuts and first values need.
  void finish_prefix() {
    Rebuild r(from_);
    std::vector<bool> needed(from_.size());
    for (const Root& root : prefix_roots_) needed[root.node] = true;
    for (NodeId id = from_.size(); id-- > 0;) {
      if (!needed[id]) continue;
      for (NodeId a : from_.args(id)) needed[a] = true;
    }
    for (NodeId id = 0; id < from_.size(); ++id) {
      if (needed[id]) r.copy(id);
    }
    for (const Root& root : prefix_roots_) r.to.roots.push_back({root.name, r.map[root.node]});
    r.to.set_origin(0);
    out_.prefix.graph = std::move(r.to);
    graph().set_origin(0);
  }

  void finish_inputs() {
    for (const ModelInput& input : model_.inputs) {
      if (!along(input.shape.rows)) out_.prefix.inputs.push_back(input);
      ModelInput at = input;
      if (along(at.shape.rows)) at.shape.rows = Rows::batch();
      out_.step.inputs.push_back(std::move(at));
    }
  }

  const Model& model_;
  const Graph& from_;
  const int dim_;
  std::vector<bool> live_, stepped_, pure_;
  std::set<std::string> fields_;              // inputs along the dimension
  std::vector<std::vector<NodeId>> results_;  // of each scan along the dimension, in the step
  std::vector<NodeId> step_;                  // of each node of the model, where it went in the step
  std::vector<NodeId> states_;                // of each state, the value after the step
  std::vector<Root> prefix_roots_;            // nodes of the model
  Stepwise out_;
};

/// The model without changes between the order of dimension `dim` and that of the rows: while it is written,
/// all rows are at the same step, in one order.
Model in_one_order(const Model& model, int dim) {
  Rebuild r(model.graph);
  const std::string there = order_input(0, dim), back = order_input(dim, 0);
  for (NodeId id = 0; id < model.graph.size(); ++id) {
    const NodeId index = model.graph[id].op == Op::Gather ? model.graph.arg(id, 1) : kNoNode;
    const bool input = index != kNoNode && model.graph[index].op == Op::Input;
    if (input && (model.graph.name(index) == there || model.graph.name(index) == back)) {
      r.map[id] = r.map[model.graph.arg(id, 0)];
      continue;
    }
    const Node& node = model.graph[id];
    Shape shape = node.shape;
    if (shape.rows == Rows::batch(dim)) shape.rows = Rows::batch();
    r.origin_of(id);
    Attr attr = node.attr;
    if (attr.name >= 0) attr.name = r.to.name_id(model.graph.name(id));
    r.map[id] = r.to.add(node.op, r.mapped_args(id), attr, shape);
  }
  Model result = model;
  result.graph = r.finish();
  return result;
}

}  // namespace

Stepwise stepwise(const Model& model, int dim) {
  return Cut(in_one_order(model, dim), dim).run();
}

}  // namespace rnnc
