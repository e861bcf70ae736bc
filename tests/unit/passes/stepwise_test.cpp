// A model cut into prefix and step: step by step it gives what it gives unrolled.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/verify.h"
#include "passes/passes.h"
#include "passes/stepwise.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = test::kSteps;
constexpr int kCols = 2;

Shape along(int dim, int32_t cols = kCols, Type type = Type::F32) {
  return {type, Rows::all(dim), cols};
}

NodeId result(Graph& g, NodeId scan, int which, int dim, int32_t cols = kCols, Type type = Type::F32) {
  return g.add(Op::ScanResult, std::array{scan}, {.offset = which}, along(dim, cols, type));
}

/// Gives at each step what stood one step before, in the beginning `first`.
NodeId delayed(Model& m, NodeId stack, int dim, double first) {
  ScanBody scan;
  scan.dim = dim;
  scan.sequences = scan.states = 1;
  const Shape whole = m.graph.shape(stack);
  const Shape here{whole.type, Rows::here(dim), whole.cols};
  const NodeId x = scan.body.input("%0", here), before = scan.body.input("%1", here);
  scan.next = {x};
  scan.results = {before};
  m.scans.push_back(std::move(scan));
  const NodeId begin =
      m.graph.add(Op::Constant, {}, {.value = first}, {whole.type, Rows::batch(dim), whole.cols});
  const NodeId done = m.graph.add(Op::Scan, std::array{stack, begin}, {.offset = int(m.scans.size()) - 1});
  return result(m.graph, done, 0, dim, whole.cols, whole.type);
}

/// s' = tanh(x + s W + k), gives s' and s.
NodeId recurrent(Model& m, NodeId x, NodeId k, NodeId first, int dim, bool reverse = false) {
  ScanBody scan;
  scan.dim = dim;
  scan.reverse = reverse;
  scan.sequences = scan.constants = scan.states = 1;
  Graph& b = scan.body;
  const Shape here{Type::F32, Rows::here(dim), kCols};
  const NodeId in = b.input("%0", here), constant = b.input("%1", here), s = b.input("%2", here);
  const NodeId w = b.variable("W", kCols, kCols);
  const NodeId next = b.unary(Op::Tanh, b.sum(std::array{in, b.matmul(s, w), constant}));
  scan.next = {next};
  scan.results = {next, s};
  m.scans.push_back(std::move(scan));
  return m.graph.add(Op::Scan, std::array{x, k, first}, {.offset = int(m.scans.size()) - 1});
}

/// An encoder over dimension 0, its end as first state and as constant of a decoder over dimension 1, which
/// reads what was written before: the shape of a translation.
Model translation() {
  Model m;
  m.dims = {"S", "T"};
  Graph& g = m.graph;
  const NodeId x = g.input("x", along(0)), y = g.input("y", along(1, 1));
  m.inputs = {{"x", along(0), 0}, {"y", along(1, 1), 0}};
  const NodeId zero = g.constant(0, Rows::batch(), kCols), half = g.constant(0.5, Rows::batch(), kCols);
  const NodeId encoder = result(g, recurrent(m, x, zero, half, 0), 0, 0);
  const NodeId index = g.input(last_index_input(0), {Type::I32, Rows::batch(), 1});
  const NodeId end = g.add(Op::LastRows, std::array{encoder, index});
  const NodeId order = g.input(order_input(0, 1), {Type::I32, Rows::batch(1), 1});
  const NodeId said = g.binary(Op::Gather, end, order);
  const NodeId table = g.variable("E", 1, kCols);
  const NodeId read = g.matmul(delayed(m, delayed(m, y, 1, 2), 1, 1), table);
  const NodeId mixed = g.binary(Op::Add, read, g.constant(0.25, Rows::all(1), kCols));
  const NodeId decoder = recurrent(m, mixed, g.unary(Op::Exp, said), said, 1);
  const NodeId before = delayed(m, result(g, decoder, 1, 1), 1, 0.75);
  const NodeId both = g.concat_cols(std::array{result(g, decoder, 0, 1), before});
  const NodeId transposed = g.add(Op::Transpose, std::array{g.variable("V", 3, 2 * kCols)});
  g.roots = {{"scores", g.matmul(both, transposed)}};
  return m;
}

/// Runs the two halves row by row and compares each step with the unrolled model.
void expect_steps(const Model& m, int dim, const std::vector<int64_t>& lengths) {
  const Stepwise cut = stepwise(m, dim);
  const std::array steps{kSteps, kSteps};
  const Graph whole = unroll(m, steps), prefix = unroll(cut.prefix, steps), step = unroll(cut.step, steps);
  ASSERT_NO_THROW(verify(prefix));
  ASSERT_NO_THROW(verify(step));
  // Every row of the sequence that is cut runs to the end, so that all steps can be compared.
  const std::vector<int64_t> full(lengths.size(), kSteps);
  test::Sample s = dim == 0 ? test::sample(whole, full, lengths, 5) : test::sample(whole, lengths, full, 5);
  if (const auto last = s.values.find(last_index_input(0)); last != s.values.end()) {
    for (size_t row = 0; row < lengths.size(); ++row) {
      const auto length = size_t(lengths[row]);
      last->second.data[row] = length == 0 ? -1 : double(s.offsets[0][length - 1] + int64_t(row));
    }
  }
  if (const auto order = s.values.find(order_input(0, 1)); order != s.values.end())
    for (size_t row = 0; row < lengths.size(); ++row) order->second.data[row] = double(row);
  const Tensors want = interpret_roots(whole, s.values, s.table()).outputs;
  const Tensors once = interpret_roots(prefix, s.values, s.table()).outputs;
  std::vector<Tensor> states;
  for (const StepState& state : cut.states) {
    const Shape shape{state.type, Rows::batch(), state.cols};
    states.push_back(state.first.empty() ? make_tensor(shape, s.table(), state.fill)
                                         : once.find(state.first)->second);
  }
  const auto rows = int64_t(lengths.size());
  for (int32_t t = 0; t < kSteps; ++t) {
    Tensors given = s.values;
    for (const std::string& name : cut.cuts) given[name] = once.find(name)->second;
    for (size_t k = 0; k < states.size(); ++k) given[cut.states[k].input] = states[k];
    for (const ModelInput& input : cut.step.inputs) {
      if (input.shape.rows != Rows::batch() || !given.contains(input.name)) continue;
      const Tensor& stack = s.values.find(input.name)->second;
      if (stack.rows == rows) continue;
      Tensor here = make_tensor(input.shape, s.table());
      const auto at = stack.data.begin() + t * rows * stack.cols;
      here.data.assign(at, at + rows * stack.cols);
      given[input.name] = here;
    }
    const Tensors got = interpret_roots(step, given, s.table()).outputs;
    for (const Root& root : m.graph.roots) {
      const Tensor &a = want.find(root.name)->second, &b = got.find(root.name)->second;
      ASSERT_EQ(b.rows, rows);
      for (int64_t i = 0; i < rows * b.cols; ++i)
        EXPECT_NEAR(b.data[size_t(i)], a.data[size_t(t * rows * a.cols + i)], 1e-12)
            << root.name << " step " << t;
    }
    const std::vector<Tensor> before = states;
    for (size_t k = 0; k < states.size(); ++k) {
      const StepState& state = cut.states[k];
      if (state.older >= 0) states[k] = before[size_t(state.older)];
      else states[k] = state.field.empty() ? got.find(state.output)->second : given.find(state.field)->second;
    }
  }
}

TEST(Stepwise, ATranslationStepByStepIsTheUnrolledOne) {
  expect_steps(translation(), 1, {4, 2, 2, 0});
  expect_steps(translation(), 1, {1});
}

TEST(Stepwise, WhatDoesNotRunAlongTheDimensionIsComputedOnce) {
  const Stepwise cut = stepwise(translation(), 1);
  EXPECT_EQ(test::count(cut.prefix.graph, Op::Scan), 1);
  EXPECT_EQ(test::count(cut.step.graph, Op::Scan), 0);
  EXPECT_EQ(test::count(cut.step.graph, Op::Exp), 0) << "a constant of the scan is a cut";
  EXPECT_EQ(test::count(cut.step.graph, Op::Transpose), 1) << "a parameter turned is not kept";
  EXPECT_EQ(cut.cuts, std::vector<std::string>{"cut.0"});
  for (const Node* node = nullptr; const Root& root : cut.step.graph.roots) {
    node = &cut.step.graph[root.node];
    EXPECT_EQ(node->shape.rows, Rows::batch()) << root.name;
  }
}

TEST(Stepwise, StatesSayHowTheyGoOn) {
  const Stepwise cut = stepwise(translation(), 1);
  ASSERT_EQ(cut.states.size(), 4u);
  EXPECT_EQ(cut.states[0].field, "y");
  EXPECT_EQ(cut.states[0].fill, 2);
  EXPECT_EQ(cut.states[1].older, 0);
  EXPECT_EQ(cut.states[1].fill, 1);
  EXPECT_EQ(cut.states[2].output, "state.2");
  EXPECT_EQ(cut.states[2].first, "first.2");
  EXPECT_EQ(cut.states[3].older, 2);
  EXPECT_FALSE(cut.roots_read_step);
  EXPECT_FALSE(cut.states_read_step);
}

TEST(Stepwise, ALanguageModelReadsItsStep) {
  Model m;
  m.dims = {"T", "S"};
  Graph& g = m.graph;
  const NodeId x = g.input("x", along(0));
  m.inputs = {{"x", along(0), 0}};
  const NodeId k = g.input("k", {Type::F32, Rows::batch(), kCols});
  const NodeId zero = g.constant(0, Rows::batch(), kCols);
  const NodeId one = result(g, recurrent(m, x, k, zero, 0), 0, 0);
  g.roots = {{"scores", result(g, recurrent(m, one, zero, k, 0), 0, 0)}};
  const Stepwise cut = stepwise(m, 0);
  EXPECT_TRUE(cut.roots_read_step);
  EXPECT_TRUE(cut.states_read_step);
  EXPECT_TRUE(cut.cuts.empty()) << "an input is read by its own name";
  expect_steps(m, 0, {1, 1, 1});
}

TEST(Stepwise, MoreThanOneStepIsRefused) {
  const auto with = [](auto make) {
    Model m;
    m.dims = {"T", "S"};
    const NodeId x = m.graph.input("x", along(0));
    m.graph.roots = {{"scores", make(m, x)}};
    return m;
  };
  const auto zero = [](Model& m) { return m.graph.constant(0, Rows::batch(), kCols); };
  const Model backwards = with(
      [&](Model& m, NodeId x) { return result(m.graph, recurrent(m, x, zero(m), zero(m), 0, true), 0, 0); });
  EXPECT_THROW(stepwise(backwards, 0), GraphError);
  const auto last = [](Model& m, NodeId x) {
    const NodeId index = m.graph.input(last_index_input(0), {Type::I32, Rows::batch(), 1});
    return m.graph.add(Op::LastRows, std::array{x, index});
  };
  EXPECT_THROW(stepwise(with(last), 0), GraphError) << "the root is no value along the dimension";
  const Model constant = with(
      [&](Model& m, NodeId x) { return result(m.graph, recurrent(m, x, last(m, x), zero(m), 0), 0, 0); });
  EXPECT_THROW(stepwise(constant, 0), GraphError);
  const Model sum =
      with([](Model& m, NodeId x) { return m.graph.binary(Op::Add, x, m.graph.unary(Op::SumRows, x)); });
  EXPECT_THROW(stepwise(sum, 0), GraphError);
}

}  // namespace
}  // namespace rnnc
