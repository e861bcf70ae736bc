// How many matrix products remain: the formulas of the architecture, reached for any cell by the same three
// merges; and no pass changes a value of any model.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/verify.h"
#include "passes/differentiate.h"
#include "passes/passes.h"
#include "tests/unit/driver/cells.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/taggers.h"

namespace rnnc {
namespace {

// ---- The graphs of merges.py by Graph calls: x and the first state are inputs, an output layer per step.

struct Cells {
  static constexpr int32_t D = 3, H = 4, V = 5;
  Graph g;
  std::vector<NodeId> weights;

  NodeId weight(const std::string& name, int32_t rows, int32_t cols) {
    weights.push_back(g.variable(name, rows, cols));
    return weights.back();
  }
  NodeId add(NodeId a, NodeId b) { return g.binary(Op::Add, a, b); }
  NodeId mul(NodeId a, NodeId b) { return g.binary(Op::Mul, a, b); }
  NodeId f(Op op, NodeId a) { return g.unary(op, a); }
  /// x·W + h·U + b
  NodeId affine(NodeId x, NodeId h, const std::string& layer, char gate) {
    const int32_t E = g.shape(x).cols;
    return add(add(g.matmul(x, weight(fmt::format("{}W{}", layer, gate), E, H)),
                   g.matmul(h, weight(fmt::format("{}U{}", layer, gate), H, H))),
               weight(fmt::format("{}b{}", layer, gate), 1, H));
  }
  struct State {
    NodeId h, c;
  };
  State lstm(NodeId x, State s, const std::string& layer, bool peephole) {
    auto gate = [&](char q) {
      const NodeId z = affine(x, s.h, layer, q);
      return peephole && q != 'g' && q != 'o' ? add(z, mul(weight(fmt::format("{}p{}", layer, q), 1, H), s.c))
                                              : z;
    };
    const NodeId i = f(Op::Sigmoid, gate('i')), fo = f(Op::Sigmoid, gate('f'));
    const NodeId g_ = f(Op::Tanh, gate('g')), o = f(Op::Sigmoid, gate('o'));
    const NodeId c = add(mul(fo, s.c), mul(i, g_));
    return {mul(o, f(Op::Tanh, c)), c};
  }
  State gru(NodeId x, State s, const std::string& layer, bool reset_before) {
    const NodeId z = f(Op::Sigmoid, affine(x, s.h, layer, 'z')),
                 r = f(Op::Sigmoid, affine(x, s.h, layer, 'r'));
    const NodeId xn = g.matmul(x, weight(layer + "Wn", g.shape(x).cols, H)), U = weight(layer + "Un", H, H);
    const NodeId hn = reset_before ? g.matmul(mul(r, s.h), U) : mul(r, g.matmul(s.h, U));
    const NodeId n = f(Op::Tanh, add(add(xn, hn), weight(layer + "bn", 1, H)));
    const NodeId keep = g.binary(Op::Sub, g.constant(1), z);
    return {add(mul(keep, n), mul(z, s.h)), s.c};
  }
};

enum class Kind { Lstm, Peephole, TwoLayers, Both, GruBefore, GruAfter };

/// The gradients of all parameters and all outputs, T steps.
Graph build(Kind kind, int32_t T) {
  Cells c;
  Graph& g = c.g;
  const Shape state{Type::F32, Rows::batch(), Cells::H};
  const NodeId x = g.input("x", {Type::F32, Rows::steps(0, 0, T), Cells::D});
  auto step_of_x = [&](int32_t t) { return g.slice_rows(x, Rows::step(0, t)); };
  auto first = [&](int32_t t) -> Cells::State {
    const Rows rows = Rows::step(0, t);
    return {g.take_rows(g.input("h0", state), rows), g.take_rows(g.input("c0", state), rows)};
  };
  auto shrink = [&](Cells::State s, int32_t t) -> Cells::State {
    return {g.take_rows(s.h, Rows::step(0, t)), g.take_rows(s.c, Rows::step(0, t))};
  };
  auto grow = [&](Cells::State s,
                  int32_t t) -> Cells::State {  // rows that begin here bring their first state
    const Rows rows = Rows::step(0, t);
    const Cells::State begin = first(t);
    return {c.add(g.pad_rows(s.h, rows), g.tail_rows(begin.h, t + 1)),
            c.add(g.pad_rows(s.c, rows), g.tail_rows(begin.c, t + 1))};
  };
  std::vector<NodeId> outputs(static_cast<size_t>(T));
  if (kind == Kind::Both) {
    std::vector<NodeId> back(outputs.size());
    Cells::State s = first(0);
    for (int32_t t = 0; t < T; ++t) {
      s = c.lstm(step_of_x(t), t ? shrink(s, t) : s, "f.", false);
      outputs[size_t(t)] = s.h;
    }
    for (int32_t t = T; t-- > 0;) {
      s = c.lstm(step_of_x(t), t + 1 == T ? first(t) : grow(s, t), "b.", false);
      back[size_t(t)] = s.h;
    }
    for (size_t t = 0; t < outputs.size(); ++t) outputs[t] = g.concat_cols(std::array{outputs[t], back[t]});
  } else {
    std::vector<Cells::State> layers(kind == Kind::TwoLayers ? 2 : 1, first(0));
    for (int32_t t = 0; t < T; ++t) {
      NodeId v = step_of_x(t);
      for (size_t k = 0; k < layers.size(); ++k) {
        const Cells::State before = t ? shrink(layers[k], t) : layers[k];
        const std::string name = fmt::format("{}.", k);
        const bool gru = kind == Kind::GruBefore || kind == Kind::GruAfter;
        layers[k] = gru ? c.gru(v, before, name, kind == Kind::GruBefore)
                        : c.lstm(v, before, name, kind == Kind::Peephole);
        v = layers[k].h;
      }
      outputs[size_t(t)] = v;
    }
  }
  const NodeId out = c.weight("out", g.shape(outputs[0]).cols, Cells::V);
  std::vector<NodeId> losses, logits;
  for (NodeId h : outputs) {
    logits.push_back(g.matmul(h, out));
    losses.push_back(c.f(Op::SumRows, c.f(Op::SumCols, c.f(Op::Softplus, logits.back()))));
  }
  std::vector<NodeId> weights = c.weights;
  std::sort(weights.begin(), weights.end());
  weights.erase(std::unique(weights.begin(), weights.end()), weights.end());
  const std::vector<NodeId> gradients = differentiate(g, g.sum(losses), weights);
  for (size_t i = 0; i < weights.size(); ++i)
    g.roots.push_back({fmt::format("d {}", g.name(weights[i])), gradients[i]});
  for (size_t t = 0; t < logits.size(); ++t) g.roots.push_back({fmt::format("y{}", t), logits[t]});
  return dce(g);
}

struct Formula {
  Kind kind;
  std::string name;
  int per_step, more;       // after the passes
  int before_step, before;  // unrolled
};

// Before, per step, with G gates: forward 2G and the output layer's 1; backward its 2, then G for dW, G for
// dU and G for dh, of which the first step needs none.
const Formula kFormulas[] = {
    {Kind::Lstm, "lstm", 2, 5, 23, -4},
    {Kind::Peephole, "peephole", 2, 5, 23, -4},
    // the upper layer brings 8 forward, 8 dW and dU, 4 dh and 4 dx (dx in the first step, too)
    {Kind::TwoLayers, "two layers", 4, 8, 3 + 20 + 24, -8},
    {Kind::Both, "both", 4, 6, 3 + 40, -8},
    // d (r * h) is needed in the first step, too. One product fewer than merges.py (two, with the reset after
    // the product): it stacks the terms of a weight gradient in the order in which the sweep meets them,
    // which for dWn and dUn is another one; here they stand in the order of time, so that all weight
    // gradients with one left operand are one product.
    {Kind::GruBefore, "gru, reset before", 4, 6, 3 + 15, -2},
    {Kind::GruAfter, "gru, reset after", 2, 5, 3 + 15, -3},
};

TEST(Products, FormulasOfTheArchitecture) {
  for (const Formula& formula : kFormulas) {
    for (const int T : {5, 10, 20}) {
      SCOPED_TRACE(fmt::format("{}, {} steps", formula.name, T));
      const Graph before = build(formula.kind, T);
      EXPECT_EQ(count_products(before), uint32_t(formula.before_step * T + formula.before));
      PipelineOptions options;
      options.after = [](const Pass& pass, const Graph& g) { verify(g, pass.stage); };
      EXPECT_EQ(count_products(run_pipeline(before, options)), uint32_t(formula.per_step * T + formula.more));
    }
  }
}

/// Largest difference of two results, relative to the size of each tensor.
void expect_equal(const std::map<std::string, std::vector<double>>& want,
                  const std::map<std::string, std::vector<double>>& got, double tolerance) {
  ASSERT_EQ(want.size(), got.size());
  for (const auto& [name, values] : want) {
    ASSERT_TRUE(got.contains(name)) << name;
    const auto& others = got.at(name);
    ASSERT_EQ(values.size(), others.size()) << name;
    double scale = 1e-6;
    for (double v : values) scale = std::max(scale, std::abs(v));
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(values[i], others[i], tolerance * scale) << name << ", element " << i;
  }
}

const std::vector<std::vector<int64_t>> kLengths = {{5, 5, 5}, {5, 4, 4, 2, 1, 0}, {2}};

TEST(Products, PassesKeepTheValuesOfTheseGraphs) {
  for (const Formula& formula : kFormulas) {
    SCOPED_TRACE(formula.name);
    const Graph before = build(formula.kind, 5);
    const Graph after = run_pipeline(before, {});
    for (const auto& lengths : kLengths) {
      const test::TestBatch batch = test::make_batch(before, lengths, 5, 2);
      expect_equal(test::run_interpreter(before, batch), test::run_interpreter(after, batch), 1e-12);
    }
  }
}

// ---- The same cells from the language.

struct Written {
  std::string name, scan;
  int per_step, more;
};

uint32_t products_of(const std::string& text, int32_t T) {
  CompileOptions options;
  options.time_steps = {T};
  const Graph graph = build_graph(test::lower_text(text, {{"C", 7}, {"L", 5}}), options);
  return count_products(run_pipeline(graph, {}));
}

std::string model_text(const std::string& name) {
  for (const auto& [key, text] : test::models()) {
    if (key == name) return text.substr(0, text.find("data d"));
  }
  return {};
}

// A trained embedding adds the one product of dx; the first state is 0, which takes away the first step's
// h·U. With two layers dx of the upper layer is in the formula already; with two directions both dx are terms
// of one sum, free and at the same step: one product.
const Written kWritten[] = {
    {"lstm", "scan lstm[16] over embed[8](x)", 2, 5 + 1 - 1},
    {"peephole", "scan peephole[16] over embed[8](x)", 2, 5 + 1 - 1},
    {"stack", "scan stack(lstm[16], 2) over embed[8](x)", 4, 8 + 1 - 2},
    {"both", "scan both(lstm[16]) over embed[8](x)", 4, 6 + 1 - 2},
    // the first step's h·[Uz Ur] is gone; (r * 0)·Un stays: products with 0 are kept in a step (rules.cpp)
    {"gru_before", "scan gru_before[16] over embed[8](x)", 4, 6 + 1 - 1},
    {"gru", "scan gru[16] over embed[8](x)", 2, 5 + 1 - 1},
};

TEST(Products, FormulasFromTheLanguage) {
  for (const Written& written : kWritten) {
    const bool own = written.name == "peephole" || written.name == "gru_before";
    const std::string text = test::tagger(own ? model_text(written.name) : "", written.scan);
    for (const int T : {5, 10, 20}) {
      EXPECT_EQ(products_of(text, T), uint32_t(written.per_step * T + written.more))
          << written.name << ", " << T << " steps";
    }
  }
}

// ---- Cells that no library ships, from the language, by the same three merges.
//
// What each formula is made of, with x from a trained embedding and first states of 0:
//   3        the output layer of all steps: forward, its weight's gradient, dh
//   x        x·[W ...] of all steps, d·[W ...]ᵀ for dx, and the weights' gradient: 3 for each left operand
//   h        h·[U ...] in every step but the first, d·[U ...]ᵀ in every step but the first, and one gradient:
//            2(T-1) + 1 for each product on the state that waits for another one in its step
const Written kCells[] = {
    {"ln_lstm", "scan ln_lstm[16] over embed[8](x)", 2,
     3 + 3 - 1},  // each norm works on slices of one product
    {"cifg", "scan cifg[16] over embed[8](x)", 2, 3 + 3 - 1},
    {"slstm", "scan slstm[16] over embed[8](x)", 2, 3 + 3 - 1},  // four states, one of them in the products
    {"irnn", "scan irnn[16] over embed[8](x)", 2, 3 + 3 - 1},
    {"ligru", "scan ligru[16] over embed[8](x)", 2, 3 + 3 - 1},
    // (f * h)·Un waits for h·Uf. It stays in the first step, where h is 0 (products with 0 are kept in a
    // step), forward and backward: 2T + 1
    {"mgu", "scan mgu[16] over embed[8](x)", 4, 3 + 3 - 1 + 1},
    // the projection of every step, forward and backward, and its gradient: 2T + 1
    {"projected", "scan projected[12, 16] over embed[8](x)", 4, 3 + 3 - 1 + 1},
    // no product on a state: nothing of it depends on T
    {"ind_rnn", "scan ind_rnn[16] over embed[8](x)", 0, 3 + 3},
    {"min_gru", "scan min_gru[16] over embed[8](x)", 0, 3 + 3},
    {"min_lstm", "scan min_lstm[16] over embed[8](x)", 0, 3 + 3},
    {"sru", "scan sru over embed[8](x)", 0, 3 + 3},
    {"qrnn", "scan qrnn[16] over embed[8](x)", 0, 3 + 3},  // the window [x_t x_(t-1)] is the left operand
    // r, k and v have a mixture of x and the x before each, and y is projected
    {"time_mix", "scan time_mix over embed[8](x) from p = -1e30", 0, 3 + 3 * 3 + 3},
};

TEST(Products, FormulasOfOtherCells) {
  for (const Written& written : kCells) {
    const std::string text = test::tagger(test::cell_text(written.name), written.scan);
    for (const int T : {5, 10, 20}) {
      EXPECT_EQ(products_of(text, T), uint32_t(written.per_step * T + written.more))
          << written.name << ", " << T << " steps";
    }
  }
}

// ---- Trees, and a decoder that looks at its encoder's states.

const char* const kTree = R"(
data d {
  read "x" as trees
  t: V[tree N] = words(leaf)
  y: L[N]      = category(label)
}
tree cell tree_lstm(x: [E]; h: [H], c: [H]) {
  param Wi, Wf, Wg, Wo: [E, H] ~ glorot
  param Li, La, Lb, Lg, Lo: [H, H] ~ orthogonal
  param Ri, Ra, Rb, Rg, Ro: [H, H] ~ orthogonal
  param b: [H] = 0
  i  = sigmoid(x @ Wi + left.h @ Li + right.h @ Ri + b)
  fl = sigmoid(x @ Wf + left.h @ La + right.h @ Ra)
  fr = sigmoid(x @ Wf + left.h @ Lb + right.h @ Rb)
  g  = tanh(x @ Wg + left.h @ Lg + right.h @ Rg)
  o  = sigmoid(x @ Wo + left.h @ Lo + right.h @ Ro)
  c' = i * g + fl * left.c + fr * right.c
  h' = o * tanh(c')
}
model m(t: V[tree N]) -> (logits: [N, L]) {
  h      = fold tree_lstm[16] over embed[8](t)
  logits = linear[L](h)
}
train m on d {
  loss      cross_entropy(logits, y)
  optimizer sgd(rate = 0.1)
  epochs    1
}
)";

const char* const kAttention = R"(
data d {
  read "x" as tsv
  x: V[S] = words(col(1))
  y: W[T] = words(col(2))
}
cell attend_gru(y: [E]; s: [H]) with (m: [S, M]) {
  param Wa: [H, A] ~ glorot
  param Ua: [M, A] ~ glorot
  param v:  [A]    ~ glorot
  score = tanh(s @ Wa + m @ Ua) @ v
  a     = softmax over S (score)
  s'    = gru[H](concat(y, a @ m); s)
}
model m(x: V[S], y: W[T]) -> (logits: [T, W]) {
  enc    = scan both(gru[16]) over embed[8](x)
  s0     = tanh(linear[16](final(enc)))
  dec    = scan attend_gru[16, A = 12] over embed[8](delay(y)) with m = enc from s = s0
  logits = linear[W](dec)
}
train m on d {
  loss      cross_entropy(logits, y)
  optimizer sgd(rate = 0.1)
  epochs    1
}
)";

uint32_t products_with(const char* text, const std::vector<std::string>& sequences,
                       std::vector<int32_t> steps) {
  CompileOptions options;
  options.time_steps = std::move(steps);
  const Lowered lowered = test::lower_text(text, {{"V", 7}, {"W", 6}, {"L", 5}}, sequences);
  return count_products(run_pipeline(build_graph(lowered, options), {}));
}

// The output layer of all nodes 3, x·[W ...] of all levels with dx and the gradient 3, the gradients of
// L and R 2. In every level but the lowest, whose children are nothing: [l r]·[[Li; Ri] ...] and, for both
// children, d·[[Li ...]ᵀ [Ri ...]ᵀ].
TEST(Products, OfATree) {
  for (const int32_t levels : {3, 4, 6, 11})
    EXPECT_EQ(products_with(kTree, {"N"}, {2 * levels - 1}), uint32_t(2 * (levels - 1) + 3 + 3 + 2))
        << levels << " levels";
}

// The encoder has one product a step and direction, forward and backward. The decoder, forward: [y c s]·[W;
// U] of z and r, y·Wn, s·Wa and s·Un, whose widths differ, and with v; backward: d·[Wn Wr Wz]ᵀ, d·[Un Ur Uz
// Wa]ᵀ, and with v.
TEST(Products, OfADecoderWithAttention) {
  for (const int32_t S : {5, 10})
    for (const int32_t T : {5, 10, 20})
      EXPECT_EQ(products_with(kAttention, {"S", "T"}, {S, T}), uint32_t(4 * S + 8 * T + 14))
          << S << " and " << T << " steps";
}

// ---- No pass changes a value.

class Passes : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(Passes, KeepTheValues) {
  constexpr int32_t T = 5;
  const Lowered lowered = test::lower_text(GetParam().second, {{"C", 11}, {"L", 5}});
  for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Evaluate, ProgramKind::Predict}) {
    CompileOptions options;
    options.kind = kind;
    options.optimizer.kind = Optimizer::Sgd;
    options.optimizer.clip_norm = 0.5;
    options.time_steps = {T};
    const Graph before = build_graph(lowered, options);
    if (before.roots.empty()) continue;  // nothing to predict
    for (const auto& lengths : kLengths) {
      const test::TestBatch batch = test::make_batch(before, lengths, T, 5);
      const auto want = test::run_interpreter(before, batch);
      for (const Pass& pass : pipeline()) {
        SCOPED_TRACE(fmt::format("{} alone, program {}, {} rows", pass.name, int(kind), lengths.size()));
        const Graph after = pass.run(before);
        ASSERT_NO_THROW(verify(after));
        expect_equal(want, test::run_interpreter(after, batch), 1e-12);
      }
      PipelineOptions all;
      all.after = [&](const Pass& pass, const Graph& after) {
        SCOPED_TRACE(fmt::format("up to {}, program {}, {} rows", pass.name, int(kind), lengths.size()));
        verify(after, pass.stage);
        expect_equal(want, test::run_interpreter(after, batch), 1e-12);
      };
      run_pipeline(before, all);
    }
  }
}

std::vector<std::pair<std::string, std::string>> all_models() {
  auto list = test::models();
  list.emplace_back("tagger", test::tagger("", "scan lstm[16] over embed[8](x)"));
  list.emplace_back("tagger_both", test::tagger("", "scan both(gru[16]) over embed[8](x)"));
  return list;
}

INSTANTIATE_TEST_SUITE_P(Models, Passes, testing::ValuesIn(all_models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
