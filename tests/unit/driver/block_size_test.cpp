// No function that LLVM gets has a block of more than 4,000 instructions, whatever is fused: beyond that its
// time is quadratic.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "passes/pipeline.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr int kMost = 4000;

/// Of the largest block in a module's text.
int largest_block(const std::string& ir) {
  std::istringstream lines(ir);
  std::string line;
  int largest = 0, now = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with("  ")) largest = std::max(largest, ++now);
    else now = 0;
  }
  return largest;
}

int largest_block(const Graph& graph) {
  const Graph fused = run_pipeline(graph, {{"simplify", "simplify_again"}, {}});
  const Target target = target_by_name("host");
  const Plan plan = make_plan(fused, {target, 4, {8}, {"T"}});
  return largest_block(Jit(target).ir(plan.kernels));
}

/// 400 operations, each on the result of the one before.
Graph chain(Op op) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 24});
  const NodeId row = g.input("row", {Type::I32, Rows::batch(), 1});
  const NodeId key = g.input("key", {Type::I32, Rows::fixed(1), 2});
  NodeId y = x;
  for (int i = 0; i < 400; ++i) {
    if (op == Op::Coin) y = g.binary(Op::Add, y, g.coin(0.5, i, row, key, 24));
    else if (op == Op::ClipGradient) y = g.add(op, std::array{y}, {.value = 1.0 + i});
    else if (info(op).arity == 2) y = g.binary(op, y, x);
    else y = g.unary(op, y);
  }
  g.roots.push_back({"y", y, false});
  return g;
}

TEST(BlockSize, OfEveryOperationInALongChain) {
  int tried = 0;
  for (const Op op : all_ops()) {
    if (info(op).cls != OpClass::Elementwise || op == Op::RowCount || op == Op::OneHot || op == Op::Sum)
      continue;
    EXPECT_LE(largest_block(chain(op)), kMost) << info(op).name;
    ++tried;
  }
  EXPECT_GT(tried, 20);
}

TEST(BlockSize, OfAllModels) {
  for (const auto& [name, text] : test::models()) {
    const Lowered lowered = test::lower_text(text, {{"C", 7}, {"L", 4}});
    CompileOptions options;
    options.kind = ProgramKind::Train;
    options.batch_capacity = 20;
    options.time_steps = {30};
    const Target target = target_by_name("host");
    const Graph fused = run_pipeline(build_graph(lowered, options), {});
    const Plan plan = make_plan(fused, plan_options(lowered.model.spaces, options, target));
    EXPECT_LE(largest_block(Jit(target).ir(plan.kernels)), kMost) << name;
  }
}

TEST(BlockSize, TheMeasureCounts) {
  EXPECT_EQ(largest_block("define void @f() {\nentry:\n  %1 = a\n  ret void\nnext:\n  ret void\n}\n"), 2);
}

}  // namespace
}  // namespace rnnc
