// Random models in the language: cells with one to three states, delays, products and element-wise ops, in
// layers and directions. A model is kept as a tree, so that one that fails can be made smaller.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace rnnc::test {

/// An expression of type [H]: a leaf, or `op` with operands.
struct RandomExpr {
  std::string op;  // a leaf's name; `tanh`, `+`, `@` (a product with a weight of its own), ...
  int amount = 0;  // of `delay`
  std::vector<RandomExpr> args;
};

struct RandomEquation {
  std::string name;  // `a0`, or with a prime the new value of a state
  RandomExpr value;
};

struct RandomCell {
  std::string name;
  int states = 1;
  std::vector<RandomEquation> equations;
};

struct RandomLayer {
  RandomCell cell;     // or, with a name of the library and no equations, one of it
  std::string around;  // "", "reverse", "both", "stack"
  int width = 5;
  bool from = false;  // its first states are 0.5
};

struct RandomModel {
  std::vector<RandomLayer> layers;
  int symbols = 4;      // width of the embedding
  bool tagger = false;  // an answer at each step, else one a row
  std::string end;      // how a row's value is made of its steps: final, last, mean, max

  /// The whole file.
  std::string text() const;
};

RandomModel random_model(unsigned seed);

/// The smallest model found for which `fails` still holds: layers, directions, states and parts of
/// expressions are left out one at a time, as long as that goes; at most `tries` models are asked about.
RandomModel shrink(RandomModel model, const std::function<bool(const RandomModel&)>& fails, int tries = 400);

}  // namespace rnnc::test
