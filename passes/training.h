// Training as part of the graph: gradients, clipping and the optimizer's update are nodes like the rest, so
// they fuse like the rest.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/model.h"

namespace rnnc {

/// `optimizer` and `clip` of a train block. What a kind does not use is ignored.
struct Optimizer {
  enum Kind { Sgd, AdaGrad, RmsProp, Adam } kind = Sgd;
  double momentum = 0;                // sgd
  bool nesterov = false;              // sgd
  double rho = 0.99;                  // rmsprop
  double beta1 = 0.9, beta2 = 0.999;  // adam
  double eps = 1e-8;
  double decay = 0;  // weights shrink by rate · decay in each step, apart from the gradient
  // Bounds of gradients, 0: none. First each number, then all together; `step` inside the recurrence
  // (clip_steps).
  double clip_value = 0, clip_norm = 0, clip_step = 0;
  bool clips() const { return clip_value > 0 || clip_norm > 0 || clip_step > 0; }
};

/// Names of the inputs that the runtime sets before each step.
inline constexpr const char* kRateInput = "%rate";
/// Adam's 1 - β1^t and 1 - β2^t in step t = 1, 2, ...: they need more than 32 bits on the way.
inline constexpr const char* kCorrection1Input = "%correction1";
inline constexpr const char* kCorrection2Input = "%correction2";

/// The variables of the optimizer for parameter `name`, all 0 at first: `name%m`, ...
std::vector<std::string> state_names(const Optimizer& optimizer, const std::string& name);

/// The train step: `graph` (unrolled, with a root `loss`) with gradients, clipping and updates. The roots of
/// the result are `loss`, `gradient_norm` (of all gradients together, before clipping) and one assignment for
/// every parameter and state.
///
///   sgd       v = μ v + g;  w -= η v     (nesterov: w -= η (g + μ v))          Sutskever et al. 2013
///   adagrad   s += g²;      w -= η g / (√s + ε)                                Duchi et al. 2011
///   rmsprop   s = ρ s + (1-ρ) g²;  w -= η g / (√s + ε)                         Tieleman, Hinton 2012
///   adam      m = β1 m + (1-β1) g, v = β2 v + (1-β2) g²;
///             w -= η m̂ / (√v̂ + ε), m̂ = m / (1-β1^t), v̂ = v / (1-β2^t)          Kingma, Ba 2015, algorithm 1
/// All with decoupled decay: w -= η λ w (Loshchilov, Hutter 2019).
Graph add_training(const Graph& graph, const std::vector<Parameter>& parameters, const Optimizer& optimizer);

}  // namespace rnnc
