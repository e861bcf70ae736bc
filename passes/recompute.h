// Less memory for more time: a sequence is cut into segments, and the backward pass of a segment computes its
// forward pass again, from the state in which the segment began.
//
//   forward   s_0 → [segment 0] → s_1 → [segment 1] → s_2 → [segment 2] → loss
//   backward                                                [segment 2]
//                                 s_1 → [segment 1 again]   [segment 1]
//             s_0 → [segment 0 again]                       [segment 0]
//
// Only the states between segments are kept: `keep` copies them out of the arrays of their segment, whose
// memory the next one takes over. What runs along the whole sequence at once (output layer, loss) is cut too,
// and a sum over all its rows becomes a chain of sums that go on from each other, last segment first, which
// is the order in which one sum would have added the rows: not a bit changes.
//
//   dW = [x_0 ... x_5]ᵀ·[d_0 ... d_5]   →   dW = onto (onto ([x_4 x_5]ᵀ·[d_4 d_5])
//                                                           ([x_2 x_3]ᵀ·[d_2 d_3])) ([x_0 x_1]ᵀ·[d_0 d_1])
//
// Chen et al., Training deep nets with sublinear memory cost, 2016 (arXiv 1604.06174), section 4.
#pragma once
#include "ir/graph.h"

namespace rnnc {

/// Where sequences along one dimension are cut: after every `steps` steps. Off by default.
struct Segments {
  int dim = -1;
  int32_t steps = 0;
  bool on() const { return dim >= 0 && steps > 0; }
};

/// Gives every node its phase: forward segments in order, then backward ones. Values of an earlier phase that
/// a backward segment needs of its own steps are computed again in its phase. Rows that a node needs of all
/// steps at once (attention, the last step of each row) stay as they are, and so do values of other
/// dimensions.
Graph recompute(const Graph& graph, const Segments& segments);

}  // namespace rnnc
