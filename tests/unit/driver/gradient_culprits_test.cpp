// What `rnnc gradcheck` says of a derivative that is wrong: with the real derivatives nothing of any model,
// with a broken one the equations that use it and no others.
#include "driver/gradient_culprits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/differentiate.h"
#include "passes/passes.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr int32_t kSteps = 3;

/// As if the adjoint of `broken` gave twice as much.
Differentiate with_broken(Op broken) {
  return [broken](Graph& g, NodeId loss, std::span<const NodeId> wrt) {
    bool there = false;
    for (NodeId id = 0; id < loss; ++id) there = there || g[id].op == broken;
    std::vector<NodeId> gradients = differentiate(g, loss, wrt);
    for (NodeId& d : gradients) d = there ? g.binary(Op::Mul, d, g.constant(2)) : d;
    return gradients;
  };
}

std::vector<Culprit> culprits_of(const std::string& text, const Differentiate& differentiate) {
  const Lowered lowered = test::lower_text(text, {{"C", 6}, {"L", 4}});
  Graph g = unroll(lowered.model, std::array{kSteps});
  std::erase_if(g.roots, [](const Root& root) { return root.name != "loss"; });
  g = dce(g);
  const test::TestBatch batch = test::make_batch(g, {3, 2, 0}, kSteps, 4);
  return find_culprits(g, batch.values, batch.table(), differentiate);
}

const char* const kCell = R"(cell two(x: [E]; h: [H], c: [H]) {
  param W: [E, H] ~ glorot
  param U: [H, H] ~ orthogonal
  a  = x @ W + h @ U
  c' = 0.5 * c + sin(a)
  h' = tanh(c')
}
)";

TEST(GradientCulprits, NoneWhereAllDerivativesAreRight) {
  for (const auto& [name, text] : test::models()) {
    for (const Culprit& culprit : culprits_of(text, differentiate))
      EXPECT_TRUE(culprit.corner) << name << ": " << to_string(culprit);
  }
}

TEST(GradientCulprits, TheEquationWhoseDerivativeIsBrokenIsNamed) {
  const std::string text = test::classifier(kCell, "scan two[5] over embed[4](x)");
  const std::vector<Culprit> of_sin = culprits_of(text, with_broken(Op::Sin));
  ASSERT_EQ(of_sin.size(), 1u);
  EXPECT_EQ(of_sin[0].equation, "h.two c");
  EXPECT_EQ(of_sin[0].op, Op::Sin);
  EXPECT_FALSE(of_sin[0].corner);
  EXPECT_GT(of_sin[0].error, 0.1);
  EXPECT_THAT(to_string(of_sin[0]),
              testing::MatchesRegex("`h\\.two c` \\(line [0-9]+\\): the derivative of `sin` disagrees with "
                                    "differences by .*"));

  const std::vector<Culprit> of_tanh = culprits_of(text, with_broken(Op::Tanh));
  ASSERT_EQ(of_tanh.size(), 1u);
  EXPECT_EQ(of_tanh[0].equation, "h.two h");

  for (const Culprit& culprit : culprits_of(text, with_broken(Op::MatMul)))
    EXPECT_TRUE(culprit.equation == "h.two a" || culprit.equation == "logits.linear y") << to_string(culprit);
}

/// Where there is no derivative, the file is at fault or the point, not the compiler.
TEST(GradientCulprits, ACornerIsCalledOne) {
  Graph g;
  const NodeId x = g.variable("x", 1, 3);
  g.set_origin(g.add_origin({"y", 7}));
  const NodeId y = g.unary(Op::Relu, x);
  g.roots = {{"loss", g.unary(Op::SumRows, g.unary(Op::SumCols, y))}};
  Tensors values;
  const int64_t offsets[] = {0};
  const int64_t* list[] = {offsets};
  const int32_t capacity[] = {0};
  const RowTable table{1, list, capacity};
  values["x"] = make_tensor({Type::F32, Rows::fixed(1), 3}, table);  // zeros
  const std::vector<Culprit> found = find_culprits(g, values, table, differentiate);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0]), "`y` (line 7): `relu` has a corner here and no derivative");
}

}  // namespace
}  // namespace rnnc
