// The search for the first value that is no number: see not_a_number.h.
#include "driver/not_a_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "driver/equation_source.h"
#include "passes/passes.h"

namespace rnnc {
namespace {

/// A value of a node.
struct Found {
  NodeId node = kNoNode;
  int64_t row = 0, col = 0;
};

std::string root_name(NodeId id) {
  return fmt::format("node {}", id);
}

class Search {
 public:
  Search(const LostNumber& lost, Jit& jit, Team& team)
      : lost_(lost), graph_(every_value()), session_(program(jit), lost.variables) {
    lost_.fill(session_);
    session_.run(team);
  }

  std::vector<std::string> run() const {
    const std::vector<bool> reached = reached_nodes();
    std::optional<Found> found = first_nan(reached);
    std::optional<Found> origin = found ? infinite_operand(*found) : first_infinity(reached);
    if (origin) origin = trace_back(*origin);
    if (!found) found = std::exchange(origin, std::nullopt);
    if (!found) return {};
    std::vector<std::string> notes = {"first seen in " + place_of(*found)};
    if (origin) notes.push_back("infinite before that in " + place_of(*origin));
    const Node& node = graph_[found->node];
    if (is_update(node)) return notes;
    const std::string layer = layer_of(node);
    const char* pass = node.backward ? "in the backward pass" : "in the forward pass";
    notes.push_back(layer.empty() ? pass : fmt::format("layer `{}`, {}", layer, pass));
    return notes;
  }

 private:
  /// The training graph without updates, every value of it a root.
  Graph every_value() const {
    Graph graph = build_graph(lost_.lowered, lost_.options);
    std::vector<Root> roots;
    const std::vector<bool> live = live_nodes(graph);
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (live[id] && graph.shape(id).type == Type::F32 && graph[id].op != Op::Constant)
        roots.push_back({root_name(id), id});
    }
    for (const Root& root : graph.roots) {
      if (root.assign) updates_.push_back(root);
      if (lost_.seen == LostIn::Loss       ? root.name == "loss"
          : lost_.seen == LostIn::Gradient ? root.name == "gradient_norm"
                                           : root.assign && root.name == lost_.variable)
        targets_.push_back(root);
    }
    graph.roots = std::move(roots);
    return graph;
  }

  Program program(Jit& jit) const {
    CompileOptions options = lost_.options;
    options.fused = false;
    return compile(graph_, options, lost_.lowered.model.spaces, jit).plan.program;
  }

  std::vector<float> values(NodeId id) const { return session_.output(root_name(id)); }

  /// What the value that was lost is made of.
  std::vector<bool> reached_nodes() const {
    std::vector<bool> reached(graph_.size(), false);
    for (const Root& root : targets_) reached[root.node] = true;
    for (NodeId id = graph_.size(); id-- > 0;)
      if (reached[id])
        for (const NodeId a : graph_.args(id)) reached[a] = true;
    return reached;
  }

  template <typename Is>
  std::optional<Found> first_where(const std::vector<bool>& reached, Is is) const {
    for (const Root& root : graph_.roots) {
      if (!reached[root.node]) continue;
      if (const std::optional<Found> found = first_in(root.node, is)) return found;
    }
    return {};
  }
  template <typename Is>
  std::optional<Found> first_in(NodeId id, Is is) const {
    const std::vector<float> all = values(id);
    const auto at = std::ranges::find_if(all, is) - all.begin();
    if (at == static_cast<long>(all.size())) return {};
    const int64_t cols = graph_.shape(id).cols;
    return Found{id, at / cols, at % cols};
  }
  std::optional<Found> first_nan(const std::vector<bool>& reached) const {
    return first_where(reached, [](float v) { return std::isnan(v); });
  }
  /// Of what was lost itself: an infinity elsewhere may be meant.
  std::optional<Found> first_infinity(const std::vector<bool>& reached) const {
    for (const Root& target : targets_) {
      if (!reached[target.node] || !has_values(target.node)) continue;
      if (const auto found = first_in(target.node, is_infinite)) return found;
    }
    return {};
  }
  static bool is_infinite(float v) { return std::isinf(v); }

  /// An infinity that the operation at this place took in.
  std::optional<Found> infinite_operand(const Found& at) const {
    const bool elementwise = info(graph_[at.node].op).cls == OpClass::Elementwise;
    for (const NodeId arg : graph_.args(at.node)) {
      if (!has_values(arg)) continue;
      if (elementwise) {
        const Found same = aligned(arg, at);
        if (is_infinite(value(same))) return same;
      } else if (const auto found = first_in(arg, is_infinite)) {
        return found;
      }
    }
    return {};
  }
  /// To the operation that made an infinity of numbers.
  Found trace_back(Found at) const {
    while (const std::optional<Found> before = infinite_operand(at)) at = *before;
    return at;
  }

  // ---- in words

  std::string place_of(const Found& found) const {
    const Node& node = graph_[found.node];
    const bool update = is_update(node);
    return fmt::format("{}{}{}: {}", node.backward && !update ? "the gradient of " : "",
                       update ? update_of(found.node) : where(node), row_and_step(found), operation(found));
  }

  bool is_update(const Node& node) const { return graph_.origins[node.origin].equation == "optimizer"; }

  /// The parameter that a node of the optimizer is for; what serves all of them is clipping.
  std::string update_of(NodeId id) const {
    std::vector<bool> below(graph_.size(), false);
    below[id] = true;
    for (NodeId n = id + 1; n < graph_.size(); ++n)
      for (const NodeId a : graph_.args(n)) below[n] = below[n] || below[a];
    std::string parameter;
    for (const Root& root : updates_) {
      if (!below[root.node]) continue;
      const std::string name = root.name.substr(0, root.name.find('%'));
      if (!parameter.empty() && parameter != name) return "the norm of the gradient";
      parameter = name;
    }
    return parameter.empty() ? "the norm of the gradient"
                             : fmt::format("the optimizer's step of `{}`", parameter);
  }

  /// `h.lstm.2`: the instance that an equation belongs to, if it is not the model itself.
  std::string layer_of(const Node& node) const {
    const std::string& equation = graph_.origins[node.origin].equation;
    const size_t blank = equation.find(' ');
    return blank == std::string::npos ? "" : equation.substr(0, blank);
  }

  std::string where(const Node& node) const {
    const Origin& origin = graph_.origins[node.origin];
    const size_t blank = origin.equation.find(' ');
    const std::string path = blank == std::string::npos ? "" : origin.equation.substr(0, blank);
    std::string name = blank == std::string::npos ? origin.equation : origin.equation.substr(blank + 1);
    if (name.empty()) return "what the program adds";
    const DefinitionFound in = definition_of(path, lost_.experiment.checked, lost_.experiment.source);
    const Source& source = in.source != nullptr ? *in.source : lost_.experiment.source;
    std::string text;
    if (in.definition != nullptr) {
      for (const ast::Statement& statement : in.definition->body) {
        const auto* equation = std::get_if<ast::Equation>(&statement);
        if (equation != nullptr && equation->name == name + "'" &&
            locate(source, equation->place).line == origin.line)
          name += "'";
      }
      const bool cell = in.definition->kind == ast::Definition::Kind::Cell;
      text = fmt::format("`{}` of {} `{}`", name, cell ? "cell" : "layer", in.definition->name);
    } else {
      text = fmt::format("`{}`", name);
    }
    return origin.line == 0 ? text : fmt::format("{} ({}:{})", text, source.name, origin.line);
  }

  std::string row_and_step(const Found& found) const {
    const Rows rows = graph_.shape(found.node).rows;
    if (rows.kind == Rows::Fixed) {
      const bool single = rows.is_one() && graph_.shape(found.node).cols == 1;
      return single ? "" : fmt::format(", element [{}, {}]", found.row, found.col);
    }
    const std::vector<int64_t>& offset = lost_.inputs.rows().row_offset(rows.dim);
    const int64_t at = found.row + (rows.kind == Rows::Steps ? offset[static_cast<size_t>(rows.begin)] : 0);
    int64_t row = 0, example = 0;
    lost_.inputs.rows().for_each(rows.kind == Rows::Steps ? Rows::all(rows.dim) : rows,
                                 [&](int32_t slot, int64_t) {
                                   if (row++ == at) example = slot;
                                 });
    std::string text = fmt::format(", row {}", lost_.inputs.number(example));
    if (rows.kind == Rows::Batch) return text;
    const auto step = std::upper_bound(offset.begin(), offset.end(), at) - offset.begin() - 1;
    return fmt::format("{}, step {}", text, step);
  }

  /// `0 * inf`, `log(0)`; of what joins many values only its name.
  std::string operation(const Found& found) const {
    const Node& node = graph_[found.node];
    if (info(node.op).cls == OpClass::Leaf) return fmt::format("`{}` holds it", graph_.name(found.node));
    if (info(node.op).cls != OpClass::Elementwise || node.op == Op::OneHot || node.op == Op::Coin)
      return node.op == Op::MatMul ? product(found) : joined(found);
    std::vector<std::string> operands;
    for (NodeId a : graph_.args(found.node)) operands.push_back(fmt::format("{:.6g}", operand(a, found)));
    const char* sign = node.op == Op::Add || node.op == Op::Sum ? "+"
                       : node.op == Op::Sub                     ? "-"
                       : node.op == Op::Mul                     ? "*"
                       : node.op == Op::Div                     ? "/"
                       : node.op == Op::Pow                     ? "^"
                                                                : nullptr;
    std::string text;
    for (const std::string& value : operands)
      text += (text.empty() ? "" : sign != nullptr ? fmt::format(" {} ", sign) : ", ") + value;
    return sign != nullptr ? text : fmt::format("{}({})", info(node.op).name, text);
  }

  /// `values from -3 to 4e+38`, or the first of them that is no number.
  static std::string span_of(const std::vector<float>& values) {
    if (values.empty()) return "no values";
    for (const float value : values)
      if (!std::isfinite(value)) return fmt::format("values of which one is {}", value);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return fmt::format("values from {:.6g} to {:.6g}", *least, *most);
  }

  /// Row (or column) `at` of a node's values.
  std::vector<float> line(NodeId id, int64_t at, bool column) const {
    const std::vector<float> all = values(id);
    const auto cols = static_cast<size_t>(graph_.shape(id).cols), i = static_cast<size_t>(at);
    std::vector<float> result;
    if (!column && (i + 1) * cols <= all.size())
      result.assign(all.begin() + static_cast<long>(i * cols),
                    all.begin() + static_cast<long>((i + 1) * cols));
    for (size_t k = i; column && k < all.size(); k += cols) result.push_back(all[k]);
    return result;
  }

  bool has_values(NodeId id) const {
    return graph_[id].op != Op::Constant && graph_.shape(id).type == Type::F32;
  }

  /// What stood in the row and in the column of a product.
  std::string product(const Found& found) const {
    const NodeId left = graph_.arg(found.node, 0), right = graph_.arg(found.node, 1);
    if (!has_values(left) || !has_values(right)) return "in a product";
    const uint32_t flags = graph_[found.node].attr.flags;
    return fmt::format("in a product of {} and {}",
                       span_of(line(left, found.row, (flags & kTransposeLeft) != 0)),
                       span_of(line(right, found.col, (flags & kTransposeRight) == 0)));
  }

  /// What a sum or the like took in.
  std::string joined(const Found& found) const {
    const Node& node = graph_[found.node];
    const NodeId arg = graph_.args(found.node).empty() ? kNoNode : graph_.arg(found.node, 0);
    if (arg == kNoNode || !has_values(arg)) return fmt::format("in {}", info(node.op).name);
    const bool of_row = node.op == Op::SumCols || node.op == Op::MaxCols;
    return fmt::format("in {} of {}", info(node.op).name,
                       span_of(of_row ? line(arg, found.row, false) : values(arg)));
  }

  double operand(NodeId id, const Found& at) const {
    const Node& node = graph_[id];
    if (node.op == Op::Constant) return node.attr.value;
    return node.shape.type == Type::F32 ? value(aligned(id, at)) : NAN;
  }
  /// The place in an operand that an element-wise operation at `at` reads.
  Found aligned(NodeId id, const Found& at) const {
    const Shape shape = graph_.shape(id);
    return {id, shape.rows.is_one() ? 0 : at.row, shape.cols == 1 ? 0 : at.col};
  }
  float value(const Found& at) const {
    return values(at.node).at(static_cast<size_t>(at.row * graph_.shape(at.node).cols + at.col));
  }

  const LostNumber& lost_;
  mutable std::vector<Root> targets_, updates_;
  Graph graph_;
  Session session_;
};

}  // namespace

std::vector<std::string> first_lost_number(const LostNumber& lost, Jit& jit, Team& team) {
  return Search(lost, jit, team).run();
}

}  // namespace rnnc
