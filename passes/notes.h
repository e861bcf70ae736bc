// What passes say about their work: each merge they made, and each they refused, with the reason. `rnnc
// explain` prints it; a fusion that did not happen is never silent.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

/// One kind of work at one equation. What is done alike at every time step is one note with a count.
struct Note {
  std::string_view pass;
  std::string equation;   // where the node comes from; empty: from none (the optimizer)
  uint32_t line = 0;      // 0: not known
  bool backward = false;  // it belongs to the gradient
  std::string from;       // what there was
  std::string to;         // what it became; empty: it stayed
  std::string reason;     // why it stayed; empty: it was merged
  int times = 1;
  bool refused() const { return !reason.empty(); }
};

class Notes {
 public:
  /// At node `at` of `graph`, `from` became `to`.
  void made(std::string_view pass, const Graph& graph, NodeId at, std::string from, std::string to);
  /// At node `at` of `graph`, `what` stayed as it was.
  void refused(std::string_view pass, const Graph& graph, NodeId at, std::string what, std::string reason);

  /// In the order in which each was first said.
  const std::vector<Note>& list() const { return list_; }

 private:
  void add(Note note);

  std::vector<Note> list_;
  std::map<std::tuple<std::string_view, std::string, uint32_t, bool, std::string, std::string, std::string>,
           size_t>
      index_;
};

/// What a value is called in notes: a parameter's own name, `[A B]` of joined ones (at most a few), else its
/// equation, else its op.
std::string called(const Graph& graph, NodeId id);

}  // namespace rnnc
