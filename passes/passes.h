// The passes over an unrolled graph. Each is a pure function in its own file. Those that merge tell `notes`,
// if it is given, what they merged and what they refused to.
#pragma once
#include "ir/graph.h"
#include "ir/model.h"
#include "passes/notes.h"

namespace rnnc {

/// One copy of each scan's step a time step; parameters shared, states passed on (unroll.cpp).
/// `time_steps[dim]` is how many steps the program can take along each sequence dimension.
///
///   h = scan cell over x      →   h_0 = cell(x_0, h_init),  h_1 = cell(x_1, h_0), ...   h = [h_0; h_1; ...]
Graph unroll(const Model& model, std::span<const int32_t> time_steps);

/// The algebra of rules.cpp applied to every node.
///
///   x + 0 → x      one_hot(x)·E → E[x]      [A; 0]·B → [A·B; 0]
Graph simplify(const Graph& graph);

/// `clip step`: the gradient of every state that enters a step of a cell is cut to -c .. c.
///
///   h_t = cell(x_t, h_{t-1})   →   h_t = cell(x_t, clip_gradient(h_{t-1}))
Model clip_steps(const Model& model, double c);

/// Takes clip_gradient out again, once it has done its work in differentiation.
///
///   clip_gradient(x)   →   x
Graph drop_clips(const Graph& graph);

/// Puts the derivatives that are watched into their places: the input `%gradient.K` becomes the derivative of
/// the root `row_loss` by the root `gradient.K`, at each step with what flows through the later ones. These
/// roots go.
Graph watch_gradients(const Graph& graph);

/// For programs that do not train: a coin is its probability, so dropout is the identity.
///
///   x · (1 - coin) / (1 - p)   →   x
Graph settle_coins(const Graph& graph);

/// What no root needs goes.
Graph dce(const Graph& graph);

/// Products with the same left operands become one product of the joined right operands.
///
///   i = x·A      z = x·[A B]
///   f = x·B  →   i = z[0:n],  f = z[n:2n]
///
/// Whole groups only, with equal profiles (groups.h): every time step is treated alike, and the output layer
/// is never tied to the recurrence. Parts of different widths, which have no epilogue, stay apart unless all
/// together are one vector.
Graph fuse_gates(const Graph& graph, Notes* notes = nullptr);

/// The same for weight gradients, whose left operands fuse_sums has made equal, and for bias gradients.
///
///   dA = xᵀ·di     [dA dB] = xᵀ·[di df]        da = Σ_rows di     [da db] = Σ_rows [di df]
///   dB = xᵀ·df  →                              db = Σ_rows df  →
Graph fuse_weight_gradients(const Graph& graph, Notes* notes = nullptr);

/// A sum of products becomes one product, where the terms' groups have equal profiles; likewise a weight's
/// gradient over all time steps, and a sum of row sums.
///
///   dh = di·Aᵀ + df·Bᵀ  →  dh = [di df]·[A B]ᵀ
///   dW = Σ_t x_tᵀ·d_t   →  dW = [x_0; x_1; ...]ᵀ·[d_0; d_1; ...]
///   db = Σ_t Σ_rows d_t →  db = Σ_rows [d_0; d_1; ...]
Graph fuse_sums(const Graph& graph, Notes* notes = nullptr);

/// Products with a common right operand that are independent of each other become one; likewise gathers.
///
///   p_0 = x_0·W      P = [x_0; x_1; ...]·W
///   p_1 = x_1·W  →   p_t = P[t]
Graph batch_over_time(const Graph& graph, Notes* notes = nullptr);

/// What the plan needs of a graph, however much of it was fused: every operand of a stack or of joined
/// columns is a value of its own with one place to be, and sums have few terms. Copies are added where that
/// is not so.
///
///   s = Σ (a_1 ... a_100)     →   s = Σ (Σ (a_1 ... a_8), a_9 ... a_15) ...
///   [a b], [a c]              →   [a b], [copy(a) c]
Graph legalize(const Graph& graph);

/// Element-wise ops that share rows and columns become islands, one kernel each; an island that follows a
/// product becomes its epilogue. Nodes get island numbers and stand island by island (islands.h).
///
///   i = sigmoid(a + b)          i = sigmoid(a + b)   @1
///   c = i * g              →    c = i * g            @1
Graph fuse_pointwise(const Graph& graph, Notes* notes = nullptr);

}  // namespace rnnc
