// Models with rows inside rows in every way: interpreter, one kernel an op, all passes, each pass alone left
// out, every target, one and two threads; and their gradients against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>

#include "codegen/jit.h"
#include "driver/compile.h"
#include "driver/synthetic.h"
#include "passes/differentiate.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "tests/unit/driver/differences.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

struct Case {
  const char* name;
  const char* data;    // fields
  const char* before;  // definitions
  const char* model;   // its head and equations
  const char* loss;
  std::vector<int32_t> steps = {};  // all examples that long; else five steps and fewer
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"attention", "x: V[S] = words(col(1))\n  y: W[T] = words(col(2))", R"(
cell attend_gru(y: [E]; s: [H]) with (m: [S, M]) {
  param Wa: [H, A] ~ glorot
  param Ua: [M, A] ~ glorot
  param v:  [A]    ~ glorot
  a  = softmax over S (tanh(s @ Wa + m @ Ua) @ v)
  s' = gru[H](concat(y, a @ m); s)
})",
       R"((x: V[S], y: W[T]) -> (out: [T, W]) {
  enc = scan both(gru[6]) over embed[4](x)
  s0  = tanh(linear[7](final(enc)))
  dec = scan attend_gru[7, A = 5] over embed[3](delay(y)) with m = enc from s = s0
  out = linear[W](dec))",
       "cross_entropy(out, y)"},
      {"self_attention", "x: V[T] = words(col(1))\n  y: L = category(col(2))", "",
       R"((x: V[T]) -> (out: [L]) {
  e   = embed[4](x)
  r   = attend(e, k = linear[4](e), v = e)
  out = linear[L](max over T (e + r)))",
       "cross_entropy(out, y)"},
      {"picture", "p: [Y, X] = number(col(1))\n  y: L = category(col(2))", R"(
layer pool(x: [Y, X, C]) -> (y: [Y/2, X/2, C]) {
  a = max(x, delay over X (x, -1))
  b = max(a, delay over Y (a, -1))
  y = every over Y (every over X (b, 2), 2)
})",
       R"((p: [Y, X]) -> (out: [L]) {
  a   = relu(conv2d[3, K = 3](window over X (p, 1)))
  b   = tanh(conv2d[4, K = 2](pool(a)))
  out = linear[L](dropout(flatten(b), 0.2)))",
       "cross_entropy(out, y)"},
      {"lines_of_a_picture", "p: [Y, X] = number(col(1))\n  y: L = category(col(2))", "",
       R"((p: [Y, X]) -> (out: [L]) {
  h   = scan both(lstm[5]) over p
  out = linear[L](final(h) + mean over Y (h)))",
       "cross_entropy(out, y)"},
      {"graph", "x: V[tree N] = words(leaf)\n  A: [N, N] = links\n  y: L[N] = category(label)", R"(
cell round(; h: [N, H]) with (x: [N, E], A: [N, N]) {
  param M: [H, H] ~ orthogonal
  h' = gru[H](concat(x, A @ (h @ M)); h)
})",
       R"((x: V[tree N], A: [N, N]) -> (out: [L]) {
  e   = embed[4](x)
  h0  = tanh(linear[5](e))
  h   = scan round for 3 with x = e, A = A from h = h0
  out = linear[L](mean over N (last(h))))",
       "cross_entropy(out, last(y))"},
      {"tree", "x: V[tree N] = words(leaf)\n  y: L[N] = category(label)", R"(
tree cell tree_lstm(x: [E]; h: [H], c: [H]) {
  param Wi, Wf: [E, H] ~ glorot
  param Li, La, Lb, Ri, Ra, Rb: [H, H] ~ orthogonal
  i  = sigmoid(x @ Wi + left.h @ Li + right.h @ Ri)
  fl = sigmoid(x @ Wf + left.h @ La + right.h @ Ra)
  fr = sigmoid(x @ Wf + left.h @ Lb + right.h @ Rb)
  c' = i * tanh(i) + fl * left.c + fr * right.c
  h' = tanh(c')
})",
       R"((x: V[tree N]) -> (out: [N, L]) {
  e   = embed[4](x)
  h   = fold tree_lstm[6] over e
  out = linear[L](h))",
       "cross_entropy(out, y)"},
      {"paths",
       "x: [T, F] = number(col(1))\n  y: W[S] = words(col(2))",
       "",
       R"((x: [T, F]) -> (out: [T, W]) {
  h   = scan gru[5] over x
  out = linear[W](h))",
       "ctc(out, y)",
       {3, 9}},
      {"steps_apart", "x: V[T] = words(col(1))\n  y: L = category(col(2))",
       "layer most(c: [P, F]) -> (v: [F]) {\n  v = max over P (c)\n}",
       R"((x: V[T]) -> (out: [L]) {
  e   = embed[4](x)
  a   = scan gru[5] over every(e, 2)
  b   = most(relu(linear[3](window(e, 3, full = yes))))
  out = linear[L](concat(last(a), b)))",
       "cross_entropy(out, y)"},
      {"last_label", "x: V[T] = words(col(1))\n  y: W[T] = words(col(2))",
       "",  // one number a row in a wide kernel
       R"((x: V[T]) -> (out: [W]) {
  h   = scan rnn[12] over embed[6](x)
  out = linear[W](last(h)))",
       "cross_entropy(out, last(y))"},
      {"words_of_letters", "x: V[S, U] = chars(words(col(1)))\n  y: W[S] = words(col(2))", R"(
layer word(c: [U, E]) -> (v: [2*E + 12]) {
  param u: [3] ~ normal(0.5)
  f = scan gru[3] over c
  h = scan stack(gru[3], 2) over concat(c, delay(f)) from h = final(f)
  b = scan both(lstm[3]) over h
  a = softmax over U (tanh(h @ u))
  v = concat(final(b), max over U (window(c, 2)), sum over U (scale(a, h)), tanh(last(f)))
})",
       R"((x: V[S, U]) -> (out: [S, W]) {
  w   = word(embed[4](x))
  h   = scan both(gru[5]) over dropout(w, 0.1)
  out = linear[W](h))",
       "cross_entropy(out, y)"},
      {"scans_side_by_side",
       "x: V[T] = words(col(1))\n  p: [Y, X] = number(col(2))\n  y: L = category(col(3))", R"(
cell acc(x: []; s: [H]) with (k: [H]) {
  param w: [H] ~ normal(0.5)
  s' = tanh(x * w + k * s)
}
layer pair(q: [E]) with (k: [T, E]) -> (r: [T]) {
  r = k @ q
}
layer line(r: [M]) with (k: [H], s: [H]) -> (v: [H]) {
  h = scan acc[H] over r with k = k from s = s
  b = scan reverse(acc[H]) over delay(r) with k = k from h
  v = final(b) + mean over M (b - h)
})",
       R"((x: V[T], p: [Y, X]) -> (out: [L]) {
  param k: [6] ~ normal(0.5)
  e   = embed[6](x)
  m   = line(pair(e, k = e), k = k, s = max over T (e))
  n   = line(p, k = tanh(k), s = last(e))
  out = linear[L](max over T (m) + sum over Y (n)))",
       "cross_entropy(out, y)"},
      {"stacks", "x: V[S] = words(col(1))\n  y: W[T] = words(col(2))", "",
       R"((x: V[S], y: W[T]) -> (out: [T, W]) {
  enc = scan stack(lstm[5], 2) over embed[4](x)
  dec = scan stack(lstm[5], 2) over embed[3](delay(y)) from enc
  out = linear[W](dec))",
       "cross_entropy(out, y)"}};
  return list;
}

std::string text_of(const Case& c) {
  const bool trees = std::string(c.data).find("tree") != std::string::npos;
  return std::string("data d {\n  read \"x\" as ") + (trees ? "trees" : "tsv") + "\n  " + c.data + "\n}\n" +
         c.before + "\nmodel m" + c.model + "\n}\ntrain m on d {\n  loss      " + c.loss +
         "\n  optimizer adam(rate = 1e-3)\n  epochs    1\n}\n";
}

Lowered lowered_case(const Case& c) {
  const std::string data = c.data;
  std::vector<std::string> sequences;
  for (const char* name : {"S", "T", "U", "N"})
    if (data.find(std::string(name) + "]") != std::string::npos ||
        data.find(std::string(name) + ",") != std::string::npos)
      sequences.emplace_back(name);
  return test::lower_text(text_of(c), {{"V", 6}, {"W", 5}, {"L", 3}, {"Y", 5}, {"X", 4}, {"F", 3}},
                          sequences);
}

/// Small numbers in all variables of a graph.
void add_variables(const Graph& graph, const RowTable& table, Tensors& values) {
  const Random random(5, place_of("variables"));
  uint64_t n = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::Variable) continue;
    Tensor t = make_tensor(graph.shape(id), table);
    for (double& x : t.data) x = 0.5 * random.normal(n++);
    if (graph.name(id).find('%') != std::string::npos)
      for (double& x : t.data) x = std::abs(x);
    values[graph.name(id)] = std::move(t);
  }
}

std::vector<int32_t> steps_of(const Case& c, const Lowered& lowered) {
  return c.steps.empty() ? std::vector<int32_t>(lowered.model.dims.size(), 5) : c.steps;
}

class RowsModels : public testing::TestWithParam<Case> {};

TEST_P(RowsModels, AgreeInEveryWay) {
  const Lowered lowered = lowered_case(GetParam());
  static std::map<std::string, std::unique_ptr<Jit>> jits;
  const std::vector<int32_t> steps = steps_of(GetParam(), lowered);
  for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Evaluate}) {
    CompileOptions options;
    options.kind = kind;
    options.batch_capacity = 6;
    options.time_steps = steps;
    options.verify = true;
    const Graph graph = build_graph(lowered, options);
    const SyntheticBatch batch(lowered.model, 5, steps, 3, GetParam().steps.empty());
    Tensors values = batch.tensors(graph, 0);
    add_variables(graph, batch.table(), values);
    const RootValues want = interpret_roots(graph, values, batch.table());
    auto compare = [&](const std::string& way, const CompileOptions& o, int threads) {
      auto& jit = jits[way.starts_with("target ") ? way : "host"];
      if (!jit) {
        try {
          jit = std::make_unique<Jit>(target_by_name(way.starts_with("target ") ? way.substr(7) : "host"));
        } catch (const TargetError&) {
          return;
        }
      }
      Variables variables;
      Session session(compile(lowered, o, *jit).plan.program, variables);
      for (const auto& [name, variable] : variables.all()) {
        const auto& from = values.find(name)->second.data;
        std::copy(from.begin(), from.end(), variable->data.begin());
      }
      batch.fill(session, 0);
      Team team(threads);
      session.run(team);
      for (const auto& [name, tensor] : want.outputs) {
        const std::vector<float> got = session.output(name);
        ASSERT_EQ(got.size(), tensor.data.size()) << name;
        double scale = 1e-3;
        for (double x : tensor.data) scale = std::max(scale, std::abs(x));
        for (size_t i = 0; i < got.size(); ++i)
          ASSERT_LT(std::abs(got[i] - tensor.data[i]) / scale, 2e-4) << way << ", " << name << " " << i;
      }
      for (const auto& [name, tensor] : want.assigned) {
        if (name.find('%') == std::string::npos) continue;  // an update hides the size of its gradient
        const std::vector<float>& got = variables.at(name).data;
        double scale = 1e-6;
        for (double x : tensor.data) scale = std::max(scale, std::abs(x));
        for (size_t i = 0; i < tensor.data.size(); ++i)
          ASSERT_LT(std::abs(got[i] - tensor.data[i]) / scale, 2e-4) << way << ", " << name << " " << i;
      }
    };
    compare("fused", options, 1);
    compare("two threads", options, 2);
    for (const auto name : target_names()) compare("target " + std::string(name), options, 1);
    CompileOptions o = options;
    o.fused = false;
    compare("unfused", o, 2);
    for (const Pass& pass : pipeline()) {
      if (!pass.optional) continue;
      o = options;
      o.disabled_passes = {std::string(pass.name)};
      compare("without " + std::string(pass.name), o, 1);
    }
  }
}

TEST_P(RowsModels, GradientsAreThoseOfDifferences) {
  const Lowered lowered = lowered_case(GetParam());
  const std::vector<int32_t> steps = steps_of(GetParam(), lowered);
  CompileOptions options;
  options.time_steps = steps;
  Graph g = unroll(lowered.model, capacity_of(lowered.model.spaces, options));
  std::erase_if(g.roots, [](const Root& root) { return root.name != "loss"; });
  g = dce(g);
  std::vector<NodeId> weights;
  std::vector<std::string> names;
  for (const Parameter& p : lowered.model.parameters) {
    names.push_back(p.name);
    weights.push_back(g.variable(p.name, p.rows, p.cols));
  }
  const std::vector<NodeId> gradients = differentiate(g, g.roots[0].node, weights);
  for (size_t i = 0; i < names.size(); ++i) g.roots.push_back({"d " + names[i], gradients[i]});
  const SyntheticBatch batch(lowered.model, 5, steps, 3, GetParam().steps.empty());
  Tensors values = batch.tensors(g, 0);
  add_variables(g, batch.table(), values);
  test::check_gradients(g, values, batch.table(), names, 1e-6);
  const Graph optimized = run_pipeline(g, {});  // it may read maps of its own
  values = batch.tensors(optimized, 0);
  add_variables(optimized, batch.table(), values);
  test::check_gradients(optimized, values, batch.table(), names, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(All, RowsModels, testing::ValuesIn(cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace rnnc
