// Coins: the same bits from the interpreter, the kernels and Philox as the runtime has it; nothing of them
// left in use; training with them does not depend on threads, batches or interruptions.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "driver/chance.h"
#include "ir/chance.h"
#include "runtime/random.h"
#include "tests/unit/driver/command_helpers.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

TEST(Coin, IsPhiloxOfTheRuntime) {
  const CoinKey key = {0xdeadbeef, 0x12345678};
  for (const uint32_t col : {0u, 3u, 4u, 15u, 16u, 37u, 1000u}) {
    const PhiloxCounter words = philox({col / 16 * 4 + col % 4, 5, 0x80000001, 77}, {key[0], key[1]});
    EXPECT_EQ(coin_bits({77, 0x80000001, 5, col}, key), words[col / 4 % 4] >> 8);
  }
}

/// A graph whose roots are coins of all shapes: wide and narrow, of rows and of rows at steps, alone and
/// beside other columns.
Graph coins(double p) {
  Graph g;
  const NodeId key = g.input(kChanceInput, {Type::I32, Rows::fixed(1), 2});
  const NodeId row = g.input(kRowInput, {Type::I32, Rows::batch(), 1});
  const NodeId steps = g.input(row_input(0), {Type::I32, Rows::steps(0, 0, 3), 2});
  for (const int32_t cols : {1, 5, 16, 67}) {
    g.roots.push_back({fmt::format("row {}", cols), g.coin(p, 11, row, key, cols)});
    const NodeId of_steps = g.coin(p, 12, steps, key, cols);
    g.roots.push_back({fmt::format("steps {}", cols), of_steps});
    const NodeId at_two = g.slice_rows(steps, Rows::step(0, 2));
    g.roots.push_back({fmt::format("step {}", cols), g.coin(p, 12, at_two, key, cols)});
  }
  const NodeId narrow = g.coin(p, 13, row, key, 1), wide = g.coin(p, 14, row, key, 21);
  g.roots.push_back(
      {"narrow beside wide", g.binary(Op::Add, g.binary(Op::Mul, narrow, g.constant(2)), wide)});
  return g;
}

test::TestBatch batch_of(const Graph& graph) {
  test::TestBatch batch = test::make_batch(graph, {3, 3, 2, 1}, 3, 2);
  batch.values.at(kChanceInput).data = {-559038737, 305419896};
  batch.values.at(kRowInput).data = {7, 0, 2147483647, 3};
  batch.values.at(row_input(0)).data = {7, 0, 0, 0,          2147483647, 0, 3, 0, 7,
                                        1, 0, 1, 2147483647, 1,          7, 2, 0, 2};
  return batch;
}

TEST(Coin, KernelsAndInterpreterAgreeToTheBit) {
  for (const double p : {0.0, 0.3, 0.5, 1.0}) {
    const Graph graph = coins(p);
    const test::TestBatch batch = batch_of(graph);
    const auto want = test::run_interpreter(graph, batch);
    for (const auto target : target_names()) {
      std::unique_ptr<Jit> jit;
      try {
        jit = std::make_unique<Jit>(target_by_name(std::string(target)));
      } catch (const TargetError&) {
        continue;
      }
      for (const bool fused : {false, true}) {
        CompileOptions options;
        options.batch_capacity = 4;
        options.time_steps = {3};
        options.fused = fused;
        options.verify = true;
        const auto got = test::run_compiled(compile(graph, options, sequence_spaces({"T"}), *jit), batch, 2);
        for (const auto& [name, values] : want)
          EXPECT_EQ(got.at(name), std::vector<float>(values.begin(), values.end())) << name << " " << target;
      }
    }
  }
}

TEST(Coin, HasItsProbability) {
  constexpr int kCoins = 20000;
  for (const double p : {0.1, 0.5, 0.9}) {
    // along each of row, time, place and column
    for (int axis = 0; axis < 4; ++axis) {
      int ones = 0;
      for (uint32_t i = 0; i < kCoins; ++i) {
        CoinPlace at{3, 4, 5, 6};
        (axis == 0 ? at.place : axis == 1 ? at.row : axis == 2 ? at.time : at.col) = i;
        ones += coin_bits(at, {1, 2}) < coin_threshold(p) ? 1 : 0;
      }
      EXPECT_NEAR(ones / double(kCoins), p, 4 * std::sqrt(p * (1 - p) / kCoins)) << axis;
    }
  }
  EXPECT_NE(chance_of_step(0, 1), chance_of_step(0, 2));
  EXPECT_NE(chance_of_step(0, 1), chance_of_step(1, 1));
}

const char* const kZone = R"(
cell zone(x: [E]; h: [H]) {
  k  = coin[H](0.3)
  o  = coin[](0.25)
  n  = rnn[H](dropout(x, 0.1); h)
  h' = k * h + (1 - k) * n + o
}
)";

TEST(Coin, ModelsAgreeWithTheInterpreter) {
  Jit jit(target_by_name("host"));
  for (const std::string& text :
       {test::classifier(kZone, "scan zone[9] over dropout(embed[8](x), 0.4)"),
        test::classifier("", "scan stack(both(gru[9]), 2, dropout = 0.5) over embed[8](x)")}) {
    const Lowered lowered = test::lower_text(text, {{"C", 11}, {"L", 5}});
    CompileOptions options;
    options.batch_capacity = 5;
    options.time_steps = {6};
    options.verify = true;
    const Graph graph = build_graph(lowered, options);
    test::TestBatch batch = test::make_batch(graph, {6, 4, 4, 1, 0}, 6, 5);
    const auto want = test::run_interpreter(graph, batch);
    std::map<std::string, std::vector<float>> first;
    for (const int threads : {1, 2}) {
      for (const bool fused : {true, false}) {
        options.fused = fused;
        const auto got = test::run_compiled(compile(lowered, options, jit), batch, threads);
        for (const auto& [name, values] : want) {
          ASSERT_EQ(got.at(name).size(), values.size());
          for (size_t i = 0; i < values.size(); ++i)
            ASSERT_NEAR(got.at(name)[i], values[i], 2e-5) << name << " " << threads << fused;
        }
      }
    }
  }
}

TEST(Coin, IsItsProbabilityInUse) {
  const std::map<std::string, int64_t> sizes = {{"C", 11}, {"L", 5}};
  CompileOptions options;
  options.time_steps = {6};
  const auto graph_of = [&](ProgramKind kind, const std::string& scan) {
    options.kind = kind;
    return forward_graph(test::lower_text(test::classifier("", scan), sizes), options);
  };
  const std::string with = "scan stack(lstm[9], 2, dropout = 0.5) over dropout(embed[8](x), 0.3)";
  const std::string without = "scan stack(lstm[9], 2) over embed[8](x)";
  const auto has_coins = [](const Graph& g) {
    for (NodeId id = 0; id < g.size(); ++id)
      if (g[id].op == Op::Coin) return true;
    return false;
  };
  EXPECT_TRUE(has_coins(graph_of(ProgramKind::Train, with)));
  for (const ProgramKind kind : {ProgramKind::Evaluate, ProgramKind::Predict}) {
    const Graph used = graph_of(kind, with), plain = graph_of(kind, without);
    EXPECT_FALSE(has_coins(used));
    const test::TestBatch batch = test::make_batch(plain, {6, 4, 1}, 6, 5);
    EXPECT_EQ(test::run_interpreter(used, batch), test::run_interpreter(plain, batch));
  }
  const Graph coin = graph_of(ProgramKind::Evaluate, "scan gru[9] over embed[8](x) * coin[8](0.25)");
  const Graph number = graph_of(ProgramKind::Evaluate, "scan gru[9] over embed[8](x) * 0.25");
  const test::TestBatch batch = test::make_batch(number, {6, 4, 1}, 6, 5);
  EXPECT_EQ(test::run_interpreter(coin, batch), test::run_interpreter(number, batch));
}

TEST(Coin, FollowsTheRowNotItsPlaceInTheBatch) {
  const Graph graph = coins(0.5);
  test::TestBatch batch = batch_of(graph);
  const auto before = test::run_interpreter(graph, batch).at("row 67");
  batch.values.at(kRowInput).data = {3, 7, 0, 2147483647};
  const auto after = test::run_interpreter(graph, batch).at("row 67");
  for (size_t i = 0; i < 67; ++i) {
    EXPECT_EQ(before[3 * 67 + i], after[i]);
    EXPECT_EQ(before[i], after[67 + i]);
  }
}

/// The small model with dropout everywhere.
class ChanceModel {
 public:
  ChanceModel() {
    std::string text = test::file_bytes(small_.file());
    const std::string scan = "scan gru[H] over embed[6](x)";
    text.replace(text.find(scan), scan.size(),
                 "scan stack(gru[H], 2, dropout = 0.2) over dropout(embed[6](x), 0.3)");
    small_.folder().write("small.rnn", text);
  }
  const test::SmallModel& operator*() const { return small_; }

 private:
  test::SmallModel small_;
};

TEST(Coin, TrainingGivesTheSameBits) {
  const ChanceModel model;
  const auto bytes = [&](const char* name) { return test::file_bytes((*model).folder() / name); };
  ASSERT_EQ((*model).train("one.model", {"--threads", "1"}).status, 0);
  ASSERT_EQ((*model).train("two.model", {"--threads", "2"}).status, 0);
  EXPECT_EQ(bytes("one.model"), bytes("two.model"));
  ASSERT_EQ((*model).train("part.model", {"--steps", "16"}).status, 0);
  ASSERT_EQ((*model).train("part.model", {"--resume"}).status, 0);
  EXPECT_EQ(bytes("one.model"), bytes("part.model"));
}

TEST(Coin, ImpossibleProbabilitiesAreRefused) {
  for (const char* what : {"dropout(embed[8](x), 1)", "dropout(embed[8](x), -0.1)"})
    EXPECT_THROW(test::lower_text(test::classifier("", fmt::format("scan gru[9] over {}", what)),
                                  {{"C", 11}, {"L", 5}}),
                 UserError);
}

}  // namespace
}  // namespace rnnc
