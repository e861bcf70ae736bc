// Random graphs through every pass: no pass may change a value. What a pass makes of one graph is the next
// one's input, as in the pipeline; every pass is tried on the graph as it was drawn, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

constexpr unsigned kGraphs = 300;

TEST(RandomGraphs, EveryPassAloneKeepsTheValues) {
  for (const Pass& pass : pipeline()) {
    for (unsigned seed = 0; seed < kGraphs; ++seed) {
      SCOPED_TRACE(std::string(pass.name) + ", seed " + std::to_string(seed));
      const Graph before = test::random_graph(seed);
      Graph after;
      ASSERT_NO_THROW(after = pass.run(before)) << print(before);
      test::expect_same_values(before, after);
      if (HasFailure()) return;
    }
  }
}

TEST(RandomGraphs, ThePipelineKeepsTheValues) {
  for (unsigned seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph drawn = test::random_graph(seed);
    Graph before = drawn;
    PipelineOptions options;
    options.after = [&](const Pass& pass, const Graph& after) {
      if (HasFailure()) return;
      SCOPED_TRACE(std::string(pass.name));
      test::expect_same_values(before, after);
      EXPECT_NO_THROW(verify(after, pass.stage));
      before = after;
    };
    run_pipeline(drawn, options);
    if (HasFailure()) return;
  }
}

TEST(RandomGraphs, WithoutAnyOnePassTheValuesAreTheSame) {
  for (const Pass& pass : pipeline()) {
    if (!pass.optional) continue;
    for (unsigned seed = 0; seed < kGraphs / 4; ++seed) {
      SCOPED_TRACE("without " + std::string(pass.name) + ", seed " + std::to_string(seed));
      const Graph before = test::random_graph(seed);
      test::expect_same_values(before, run_pipeline(before, {{std::string(pass.name)}, {}}));
      if (HasFailure()) return;
    }
  }
}

TEST(RandomGraphs, SamePassSameGraph) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Graph g = test::random_graph(seed);
    EXPECT_EQ(print(g), print(test::random_graph(seed)));
    EXPECT_EQ(print(run_pipeline(g, {})), print(run_pipeline(g, {}))) << "seed " << seed;
  }
}

}  // namespace
}  // namespace rnnc
