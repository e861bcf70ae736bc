// States that go on from piece to piece, by a program that sums its input over all pieces since the first.
#include "driver/piece_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/compile.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;

Graph running_sum() {
  Graph graph;
  const Shape column{Type::F32, Rows::batch(), 1};
  const NodeId x = graph.input("x", column), before = graph.input("%carry.0", column);
  const NodeId fresh = graph.input("%fresh", {Type::F32, Rows::fixed(1), 1});
  graph.roots = {{"carry.0", graph.binary(Op::Add, x, before)}, {"begun", graph.binary(Op::Add, x, fresh)}};
  return graph;
}

Program running_sum_program(Jit& jit) {
  CompileOptions options;
  options.kind = ProgramKind::Predict;
  options.batch_capacity = 2;
  return compile(running_sum(), options, {}, jit).plan.program;
}

class CarriedStatesTest : public testing::Test {
 protected:
  CarriedStatesTest()
      : jit_(target_by_name("host"), 1), session_(running_sum_program(jit_), variables_), states_(session_) {}

  /// The sums after a piece of two rows.
  std::vector<float> piece(bool fresh, std::vector<float> x) {
    Batch batch;
    batch.rows = static_cast<int64_t>(x.size());
    batch.fresh = fresh;
    RowTables rows;
    rows.batch = batch.rows;
    session_.set_rows(rows);
    session_.set_input("x", std::span<const float>(x));
    const float begins = fresh ? 1 : 0;
    session_.set_input("%fresh", std::span<const float>(&begins, 1));
    states_.set(session_, batch);
    session_.run(team_);
    states_.take(session_);
    return session_.output("carry.0");
  }

  Jit jit_;
  Variables variables_;
  Session session_;
  CarriedStates states_;
  Team team_{1};
};

TEST_F(CarriedStatesTest, GoOnUntilAPieceIsFresh) {
  EXPECT_FALSE(states_.empty());
  EXPECT_THAT(piece(true, {1, 10}), ElementsAre(1, 10));
  EXPECT_THAT(piece(false, {2, 20}), ElementsAre(3, 30));
  EXPECT_THAT(piece(false, {4, 40}), ElementsAre(7, 70));
  EXPECT_THAT(piece(true, {8}), ElementsAre(8));  // another number of rows
  EXPECT_THAT(piece(false, {1}), ElementsAre(9));
}

TEST_F(CarriedStatesTest, AreTakenUpAgain) {
  piece(true, {1, 10});
  const auto kept = states_.values();
  EXPECT_THAT(kept.at("%carry.0"), ElementsAre(1, 10));
  piece(false, {5, 5});
  states_.restore(kept);
  EXPECT_THAT(piece(false, {2, 20}), ElementsAre(3, 30));
}

TEST_F(CarriedStatesTest, AreOfTheRowsThatTheyWereTakenFrom) {
  piece(true, {1, 10});
  EXPECT_THROW(piece(false, {1}), std::logic_error);
}

TEST(NextInputs, AreReadByTheirNames) {
  const auto next = read_next_input("%next.-12.a.b");
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(next->has);
  EXPECT_EQ(next->distance, -12);
  EXPECT_EQ(next->field, "a.b");
  EXPECT_TRUE(read_next_input(has_next_input("x", 3)).value().has);
  for (const char* other : {"x", "%next.", "%next.x", "%next.1", "%fresh", "%has..x"})
    EXPECT_FALSE(read_next_input(other)) << other;
}

}  // namespace
}  // namespace rnnc
