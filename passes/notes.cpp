// See notes.h.
#include "passes/notes.h"

#include <fmt/format.h>

namespace rnnc {

void Notes::add(Note note) {
  const auto [it, fresh] = index_.try_emplace(
      {note.pass, note.equation, note.line, note.backward, note.from, note.to, note.reason}, list_.size());
  if (fresh) list_.push_back(std::move(note));
  else ++list_[it->second].times;
}

void Notes::made(std::string_view pass, const Graph& graph, NodeId at, std::string from, std::string to) {
  const Origin& origin = graph.origins[graph[at].origin];
  add({pass, origin.equation, origin.line, graph[at].backward, std::move(from), std::move(to), {}});
}

void Notes::refused(std::string_view pass, const Graph& graph, NodeId at, std::string what,
                    std::string reason) {
  const Origin& origin = graph.origins[graph[at].origin];
  add({pass, origin.equation, origin.line, graph[at].backward, std::move(what), {}, std::move(reason)});
}

std::string called(const Graph& graph, NodeId id) {
  constexpr size_t kMost = 4;  // more names than these tell nothing
  const Node& node = graph[id];
  if (node.op == Op::Variable || node.op == Op::Input) return graph.name(id);
  if (node.op == Op::ConcatCols || node.op == Op::ConcatRows) {
    const auto parts = graph.args(id);
    if (node.shape.rows.kind == Rows::Steps && node.op == Op::ConcatRows)
      return called(graph, parts.front()) +
             fmt::format(" of {} steps", node.shape.rows.end - node.shape.rows.begin);
    if (parts.size() > kMost)
      return fmt::format("[{} ... {}]", called(graph, parts.front()), called(graph, parts.back()));
    std::string names;
    for (NodeId part : parts) names += (names.empty() ? "" : " ") + called(graph, part);
    return '[' + names + ']';
  }
  if (node.op == Op::SliceCols || node.op == Op::SliceRows || node.op == Op::TakeRows ||
      node.op == Op::PadRows || node.op == Op::TailRows || node.op == Op::Copy)
    return called(graph, graph.arg(id, 0));
  const Origin& origin = graph.origins[node.origin];
  if (origin.equation.empty()) return std::string(info(node.op).name);
  return node.backward ? "d " + origin.equation : origin.equation;
}

}  // namespace rnnc
