// Inside the plan: commands whose operands are still nodes of the graph.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/plan.h"
#include "ir/graph.h"
#include "ir/places.h"

namespace rnnc::planning {

/// Right operands are packed once for all products that read them in the same layout.
struct Packed {
  NodeId right = kNoNode;
  bool transposed = false;
  PanelShape shape;
};

struct DraftOperand {
  NodeId node = kNoNode;
  int32_t col = 0;      // columns right of the node's first
  int32_t packed = -1;  // index into Drafts::packed: then there is no node
  bool written = false;
};

struct Draft {
  enum Does : uint8_t {
    Call,     // the kernel
    Pack,     // fills `operands[0].packed` from its pieces
    Reshape,  // operand 0 into operand 1
  };
  Kernel kernel;
  Does does = Call;
  std::vector<DraftOperand> operands;
  std::vector<Rows> rows;  // rows[0]: of the iteration space
  std::vector<int64_t> depth;
  int64_t cols = 0;
  int32_t shift_a = 0, shift_b = 0;  // weight gradient over steps
  NodeId node = kNoNode;             // that the command is named after
};

struct Drafts {
  std::vector<Draft> commands;
  std::vector<Packed> packed;
};

/// The matrix pieces that a packed operand is made of: a node, from where, and where to.
struct PieceOf {
  NodeId node;
  int32_t row, col;  // first element in the node
  bool transposed;
  int64_t first_k, k, first_col, cols;  // in the unsplit operand [K, N]
};
std::vector<PieceOf> pieces_of(const Graph& graph, NodeId right, bool transposed);

Drafts draft_commands(const Graph& graph);

}  // namespace rnnc::planning
