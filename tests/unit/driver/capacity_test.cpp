// One program serves all lengths: short rows in a program for long ones give the bits that they give in a
// program of their own length, with any number of threads, though most turns of its time loops are left out.
#include <gtest/gtest.h>

#include "codegen/target.h"
#include "passes/training.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

class Capacity : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(Capacity, DoesNotChangeABit) {
  const Lowered lowered = test::lower_text(GetParam().second, {{"C", 7}, {"L", 4}});
  Jit jit(target_by_name("host"));
  const auto run = [&](int32_t capacity, int threads) {
    CompileOptions options;
    options.kind = ProgramKind::Train;
    options.batch_capacity = 8;
    options.time_steps = {capacity};
    const Graph graph = build_graph(lowered, options);
    const test::TestBatch batch = test::make_batch(graph, {5, 4, 4, 1}, capacity, 4);
    return test::run_compiled(compile(graph, options, lowered.model.spaces, jit), batch, threads);
  };
  const auto exact = run(5, 1);
  ASSERT_FALSE(exact.empty());
  for (const int threads : {1, 3}) {
    for (const int32_t capacity : {6, 60}) {
      const auto roomy = run(capacity, threads);
      ASSERT_EQ(roomy.size(), exact.size());
      for (const auto& [name, values] : exact)
        EXPECT_EQ(roomy.at(name), values) << name << ", room for " << capacity << ", threads " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, Capacity, testing::ValuesIn(test::models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
