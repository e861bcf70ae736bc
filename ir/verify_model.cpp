// The rules for models and the scans in them: see verify.h.
#include <fmt/format.h>

#include <cctype>

#include "ir/print.h"
#include "ir/verify.h"

namespace rnnc {
namespace {

[[noreturn]] void refuse(size_t scan, const std::string& why) {
  throw VerifyError(fmt::format("scan {}: {}", scan, why));
}

/// The inputs `%0`, `%1`, ... of a body by their numbers; kNoNode where one is not read.
std::vector<NodeId> ports_of(const ScanBody& scan, size_t index) {
  const int sides = scan.tree ? 2 : 1;  // a tree cell reads its states of two children
  std::vector<NodeId> ports(size_t(scan.sequences + scan.constants + sides * scan.states), kNoNode);
  for (NodeId id = 0; id < scan.body.size(); ++id) {
    if (scan.body[id].op != Op::Input) continue;
    const std::string& name = scan.body.name(id);
    if (name.size() < 2 || name[0] != '%' || std::isdigit(static_cast<unsigned char>(name[1])) == 0) continue;
    const size_t port = std::stoul(name.substr(1));
    if (port >= ports.size())
      refuse(index, fmt::format("its body reads {}, but it has {} operands", name, ports.size()));
    ports[port] = id;
  }
  return ports;
}

/// Rows of the steps of a space, or inside them.
bool runs_along(Rows rows, int dim, std::span<const Space> spaces) {
  if (rows.dim == dim) return true;
  const size_t along = size_t(dim);
  if (rows.dim >= spaces.size() || along >= spaces.size() || spaces[rows.dim].kind != Space::Inner)
    return false;
  return spaces[rows.dim].base == (spaces[along].kind == Space::Inner ? spaces[along].base : dim);
}

void check_body(const ScanBody& scan, size_t index, std::span<const Space> spaces) {
  const std::vector<NodeId> ports = ports_of(scan, index);
  if (scan.next.size() != size_t(scan.states))
    refuse(index, fmt::format("{} states, but {} new values", scan.states, scan.next.size()));
  for (const auto* list : {&scan.next, &scan.results}) {
    for (NodeId id : *list) {
      if (id >= scan.body.size()) refuse(index, fmt::format("there is no node %{} in its body", id));
    }
  }
  const auto first = size_t(scan.sequences + scan.constants);
  for (size_t p = first; p < ports.size(); ++p) {
    const NodeId port = ports[p];
    if (port == kNoNode) continue;  // a state that the cell does not read
    const size_t k = (p - first) % scan.next.size();
    const Shape &before = scan.body.shape(port), &after = scan.body.shape(scan.next[k]);
    if (before != after)
      refuse(index, fmt::format("state {} is {}, its new value {}", k, to_string(before), to_string(after)));
  }
  for (int k = 0; k < scan.sequences; ++k) {
    const NodeId port = ports[size_t(k)];
    if (port == kNoNode) continue;
    const Rows rows = scan.body.shape(port).rows;
    if (rows != Rows::here(rows.dim) || !runs_along(rows, scan.dim, spaces))
      refuse(index, fmt::format("sequence {} is {} in its body, which goes along T{}", k,
                                to_string(scan.body.shape(port)), scan.dim));
  }
}

}  // namespace

void verify(const Model& model) {
  verify(model.graph, GraphStage::Model);
  for (size_t k = 0; k < model.scans.size(); ++k) {
    try {
      verify(model.scans[k].body, GraphStage::Model);
    } catch (const VerifyError& error) {
      refuse(k, error.what());
    }
    check_body(model.scans[k], k, model.spaces);
  }
  const Graph& g = model.graph;
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g[id];
    if (node.op == Op::ScanResult) {
      const Node& of = g[g.arg(id, 0)];
      if (of.op != Op::Scan) throw VerifyError(fmt::format("%{}: a result of no scan", id));
      const auto scan = size_t(of.attr.offset);
      if (scan < model.scans.size() && size_t(node.attr.offset) >= model.scans[scan].results.size())
        refuse(scan, fmt::format("%{} is its result {}, but it gives {}", id, node.attr.offset,
                                 model.scans[scan].results.size()));
    }
    if (node.op != Op::Scan) continue;
    if (node.attr.offset < 0 || size_t(node.attr.offset) >= model.scans.size())
      throw VerifyError(fmt::format("%{}: there is no scan {}", id, node.attr.offset));
    const auto index = size_t(node.attr.offset);
    const ScanBody& scan = model.scans[index];
    const int last = scan.tree ? 2 : scan.states;  // of a tree: where the children lie
    const int operands = scan.sequences + scan.constants + last;
    if (int(node.arg_count) != operands)
      refuse(index, fmt::format("%{} gives it {} operands, but it has {}", id, node.arg_count, operands));
    for (int k = 0; k < scan.sequences; ++k) {
      const Rows rows = g.shape(g.arg(id, k)).rows;
      if (rows.kind != Rows::Steps || !runs_along(rows, scan.dim, model.spaces))
        refuse(index, fmt::format("%{} gives it {} as sequence {}", id, to_string(g.shape(g.arg(id, k))), k));
    }
  }
}

}  // namespace rnnc
