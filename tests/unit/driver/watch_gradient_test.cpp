// `gradient(v)` and `clip step` against differences: a disturbance added to the state of one row at one step,
// inside the recurrence.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "passes/passes.h"
#include "passes/rebuild.h"
#include "tests/unit/driver/command_helpers.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = 4;
const std::vector<int64_t> kLengths = {4, 3, 1};

std::string text(const std::string& loss, const std::string& watch) {
  return fmt::format(R"(
data d {{
  read "t.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
  z: L[T] = chars(col(3))
}}
model m(x: C[T]) -> (logits: [L]) {{
  h      = scan lstm[6] over embed[5](x)
  logits = linear[L](last(h))
  each   = linear[L](h)
}}
train m on d {{
  loss      {}
  watch     {}
  optimizer adam
  epochs    1
}}
)",
                     loss, watch);
}

/// The model with `disturbance` [T, H] added to the new value of state `which` of its scan, wherever that is
/// used.
Model disturbed(const Model& model, int which) {
  Model result = model;
  for (ScanBody& scan : result.scans) {
    if (!scan.cell) continue;
    Rebuild r(scan.body);
    for (NodeId id = 0; id < scan.body.size(); ++id) {
      const NodeId copied = r.copy(id);
      if (id == scan.next[which])
        r.map[id] = r.to.binary(Op::Add, copied, r.to.input("%disturbance", scan.body.shape(id)));
    }
    for (NodeId& next : scan.next) next = r.map[next];
    for (NodeId& given : scan.results) given = r.map[given];
    scan.body = r.finish();
  }
  return result;
}

/// The losses of the rows, each alone in its batch, summed.
double row_losses(const Lowered& lowered, const Model& model, const test::TestBatch& batch) {
  Lowered changed = lowered;
  changed.model = model;
  std::erase_if(changed.model.graph.roots, [](const Root& r) { return r.name.starts_with("gradient."); });
  CompileOptions options;
  options.time_steps = {kSteps};
  const Graph graph = forward_graph(changed, options);
  double total = 0;
  for (size_t row = 0; row < kLengths.size(); ++row) {
    test::TestBatch alone = test::make_batch(graph, {kLengths[row]}, kSteps, 5);
    for (auto& [name, tensor] : alone.values) {
      const Tensor& all = batch.values.at(name);
      if (tensor.shape.rows.kind == Rows::Fixed) tensor.data = all.data;
      if (name == "y") tensor.data = {all.data[row]};
      if (tensor.shape.rows.kind != Rows::Steps) continue;
      for (int64_t t = 0; t < kLengths[row]; ++t)
        for (int64_t c = 0; c < tensor.cols; ++c)
          tensor.at(t, c) = all.at(batch.row_offset[size_t(t)] + int64_t(row), c);
    }
    total += interpret_roots(graph, alone.values, alone.table()).outputs.at("loss").data[0];
  }
  return total;
}

TEST(WatchGradient, IsThatOfDifferencesInTheRecurrence) {
  for (const char* loss : {"cross_entropy(logits, y)", "cross_entropy(each, z)",
                           "2 * cross_entropy(each, z) + sum(h^2) - mean(logits)",
                           "cross_entropy(each, next(z))", "max(h) - 3 * min(each) + mean(logits)"}) {
    for (const int which : {0, 1}) {
      const Lowered lowered =
          test::lower_text(text(loss, which == 0 ? "gradient(h)" : "gradient(h.c)"), {{"C", 5}, {"L", 5}});
      ASSERT_EQ(lowered.watches.at(0).dim, 0);
      CompileOptions options;
      options.kind = ProgramKind::Evaluate;
      options.time_steps = {kSteps};
      const Graph graph = forward_graph(lowered, options);
      const Model model = disturbed(lowered.model, which);
      Lowered changed = lowered;
      changed.model = model;
      CompileOptions train = options;
      train.kind = ProgramKind::Train;
      test::TestBatch batch = test::make_batch(forward_graph(changed, train), kLengths, kSteps, 5);
      Tensor& d = batch.values.at("%disturbance");
      std::fill(d.data.begin(), d.data.end(), 0.0);
      if (const auto has = batch.values.find(has_next_input("z", 1)); has != batch.values.end()) {
        std::fill(has->second.data.begin(), has->second.data.end(), 1.0);
        for (size_t row = 0; row < kLengths.size(); ++row)  // the row of one step has no answer at all
          has->second.at(batch.row_offset[size_t(kLengths[row] - 1)] + int64_t(row), 0) = 0;
      }
      test::TestBatch at = test::make_batch(graph, kLengths, kSteps, 5);
      for (auto& [name, tensor] : at.values)
        if (const auto it = batch.values.find(name); it != batch.values.end()) tensor = it->second;
      const Tensor gradient =
          interpret_roots(graph, at.values, at.table()).outputs.at(lowered.watches[0].sum_root);
      ASSERT_EQ(gradient.data.size(), d.data.size());
      constexpr double kMove = 1e-5;
      for (size_t i = 0; i < d.data.size(); ++i) {
        d.data[i] = kMove;
        const double above = row_losses(lowered, model, batch);
        d.data[i] = -kMove;
        const double below = row_losses(lowered, model, batch);
        d.data[i] = 0;
        EXPECT_NEAR(gradient.data[i], (above - below) / (2 * kMove), 1e-8)
            << loss << " " << which << " " << i;
      }
    }
  }
}

TEST(WatchGradient, IsPrintedForEachStep) {
  const test::SmallModel small("  watch sqrt(sum over H (gradient(h)^2)), h == 0\n", 1);
  const test::Outcome outcome = small.train("m.model");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const size_t begin = outcome.out.find("  sqrt(sum over H (gradient(h)^2))");
  ASSERT_NE(begin, std::string::npos) << outcome.out;
  std::istringstream line(outcome.out.substr(begin + 34, outcome.out.find('\n', begin) - begin - 34));
  std::vector<double> numbers;
  for (double v; line >> v;) numbers.push_back(v);
  EXPECT_EQ(numbers.size(), 7u);  // the longest word has 7 letters
  for (const double v : numbers) EXPECT_GT(v, 0);
}

TEST(WatchGradient, IsRefusedElsewhere) {
  EXPECT_THROW(test::lower_text(text("mean(gradient(h))", "h"), {{"C", 5}, {"L", 5}}), UserError);
}

// h' = 3 h + x has the gradient 3^k after k steps; cut to 2 at every step it is at most 2.
TEST(ClipStep, CutsAtEveryStepOfTheRecurrence) {
  const std::string file = R"(
cell grow(x: [A]; h: [A]) {
  param b: [A] = 0
  h' = 3 * h + x + b
}
data d {
  read "t.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
}
model m(x: C[T]) -> (s: []) {
  h = scan grow[1] over embed[1](x)
  s = sum(last(h))
}
train m on d {
  loss      sum(s)
  optimizer sgd
  epochs    1
}
)";
  const Lowered lowered = test::lower_text(file, {{"C", 5}, {"L", 5}});
  const auto gradient = [&](double c) {
    CompileOptions options;
    options.time_steps = {kSteps};
    options.optimizer.clip_step = c;
    const Graph graph = build_graph(lowered, options);
    for (NodeId id = 0; id < graph.size(); ++id) EXPECT_NE(graph[id].op, Op::ClipGradient);
    test::TestBatch batch = test::make_batch(graph, {4}, kSteps, 5);
    batch.values.at(kRateInput).data = {1};
    batch.values.at("h.grow.b").data = {0};
    return -interpret_roots(graph, batch.values, batch.table()).assigned.at("h.grow.b").data[0];
  };
  EXPECT_DOUBLE_EQ(gradient(0), 1 + 3 + 9 + 27);
  // what enters step 3 gets 3, cut to 2; then 6, cut to 2; then 6, cut to 2
  EXPECT_DOUBLE_EQ(gradient(2), 1 + 2 + 2 + 2);
  EXPECT_DOUBLE_EQ(gradient(100), 1 + 3 + 9 + 27);
}

}  // namespace
}  // namespace rnnc
