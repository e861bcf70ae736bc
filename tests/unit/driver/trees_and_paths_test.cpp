// Folds against recursion over the tree, and `ctc` against a sum over all paths.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "passes/passes.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/rows_world.h"

namespace rnnc {
namespace {

using Vector = std::vector<double>;

constexpr const char* kTree = R"(
data d {
  read "trees.txt" as trees
  t: V[tree N] = words(leaf)
  y: L[N]      = category(label)
}
tree cell adding(x: [E]; h: [E], c: [E]) {
  param U: [E, E] = 0.3
  c' = x + left.c - 0.5 * right.c
  h' = tanh(c' + (left.h - right.h) @ U)
}
model m(t: V[tree N]) -> (logits: [L]) {
  e      = embed[2](t)
  h      = fold adding over e
  logits = linear[L](last(h)) + linear[L](sum over N (h.c))
}
train m on d {
  loss      cross_entropy(logits, last(y))
  optimizer sgd(rate = 0.1)
  epochs    1
}
predict m {
  show sum over N (h * h.c)
}
)";

/// Three trees: five nodes to the left, one node, three nodes.
Examples trees() {
  Examples e;
  e.count = 3;
  e.lengths = {{5, 3, 1}};
  e.trees.resize(1);
  e.trees[0].offset = {0, 5, 8, 9};
  e.trees[0].left = {-1, -1, 0, -1, 2, -1, -1, 0, -1};
  e.trees[0].right = {-1, -1, 1, -1, 3, -1, -1, 1, -1};
  return e;
}
const std::vector<Vector> kWords{{0, 1, -1, 2, -1}, {2, 0, -1}, {1}};

TEST(Fold, IsTheRecursionOverTheTree) {
  test::RowsWorld world(test::lower_text(kTree, {{"V", 3}, {"L", 2}}, {"N"}), ProgramKind::Predict, trees());
  for (const Vector& words : kWords) world.add("t", words);
  const Vector got = world.output("show.0");
  const Tensors given = world.tensors(world.graph());
  const Vector& table = given.find("e.embed.W")->second.data;
  const Vector& u = given.find("h.adding.U")->second.data;
  const Examples e = trees();
  Vector want;
  for (size_t example = 0; example < 3; ++example) {
    const auto first = size_t(e.trees[0].offset[example]);
    Vector sum(2);
    struct State {
      Vector h, c;
    };
    const std::function<State(int32_t)> fold = [&](int32_t node) -> State {
      if (node < 0) return {Vector(2), Vector(2)};
      const State l = fold(e.trees[0].left[first + size_t(node)]),
                  r = fold(e.trees[0].right[first + size_t(node)]);
      State s{Vector(2), Vector(2)};
      const double word = kWords[example][size_t(node)];
      for (size_t c = 0; c < 2; ++c) {
        const double x = word < 0 ? 0 : table[size_t(word) * 2 + c];
        s.c[c] = x + l.c[c] - 0.5 * r.c[c];
      }
      for (size_t c = 0; c < 2; ++c) {
        double z = s.c[c];
        for (size_t k = 0; k < 2; ++k) z += (l.h[k] - r.h[k]) * u[k * 2 + c];
        s.h[c] = std::tanh(z);
        sum[c] += s.h[c] * s.c[c];
      }
      return s;
    };
    fold(e.lengths[0][example] - 1);
    want.insert(want.end(), sum.begin(), sum.end());
  }
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-9) << i;
}

constexpr const char* kPaths = R"(
data d {
  read "x.npy" as npy
  x: [T, F] = number(col(1))
  y: C[S]   = chars(col(2))
}
model m(x: [T, F]) -> (scores: [T, C]) {
  scores = linear[C](x)
}
train m on d {
  loss      ctc(scores, y)
  metric    ctc(scores, y)
  optimizer sgd(rate = 0.1)
  epochs    1
}
)";

const std::vector<Vector> kInputs{
    {0.5, -1, 2, 1, 0.3, -0.4, 1, 0}, {-2, 1, 0.25, 0.5, 1, 1}, {0.5, -0.5, 1, 2}, {1, -1}};
const std::vector<Vector> kAnswers{{1, 1}, {2, 1, 2}, {}, {2}};

/// -log of the sum over all paths of the product of their probabilities; 0 is the blank.
double by_paths(const Vector& x, const Vector& y, const Vector& w, const Vector& b) {
  const size_t steps = x.size() / 2;
  double total = 0;
  for (size_t code = 0; code < size_t(std::pow(3, steps)); ++code) {
    double p = 1;
    Vector said;
    size_t rest = code, before = 0;
    for (size_t t = 0; t < steps; ++t, rest /= 3) {
      const size_t k = rest % 3;
      Vector score(3);
      double sum = 0;
      for (size_t c = 0; c < 3; ++c) {
        score[c] = x[2 * t] * w[c] + x[2 * t + 1] * w[3 + c] + b[c];
        sum += std::exp(score[c]);
      }
      p *= std::exp(score[k]) / sum;
      if (k != 0 && (t == 0 || k != before)) said.push_back(double(k));
      before = k;
    }
    if (said == y) total += p;
  }
  return -std::log(total);
}

TEST(Ctc, IsTheSumOverAllPaths) {
  Examples given;
  given.count = 4;
  given.lengths = {{4, 3, 2, 1}, {2, 3, 0, 1}};
  test::RowsWorld world(test::lower_text(kPaths, {{"F", 2}, {"C", 3}}, {"T", "S"}), ProgramKind::Evaluate,
                        given);
  for (size_t i = 0; i < 4; ++i) {
    world.add("x", kInputs[i]);
    world.add("y", kAnswers[i]);
  }
  const Tensors values = world.tensors(world.graph());
  double want = 0;
  for (size_t i = 0; i < 4; ++i)
    want += by_paths(kInputs[i], kAnswers[i], values.find("scores.linear.W")->second.data,
                     values.find("scores.linear.b")->second.data);
  EXPECT_NEAR(world.output(world.lowered().metrics.at(0).value.sum_root).at(0), want, 1e-9);
}

}  // namespace
}  // namespace rnnc
