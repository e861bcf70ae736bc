// Random graphs through every pass: no pass may change a value. What a pass makes of one graph is the next
// one's input, as in the pipeline; every pass is tried on the graph as it was drawn, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <random>

#include "ir/diagnostic.h"
#include "ir/parse.h"
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

// ---- In text form

TEST(RandomGraphs, AsTextBeforeAndAfterEveryPass) {
  for (unsigned seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph drawn = test::random_graph(seed);
    const std::string text = print(drawn);
    const Graph read = test::graph(text);
    ASSERT_EQ(print(read), text);
    if (seed % 4 == 0) test::expect_same_values(drawn, read, 0);
    PipelineOptions options;
    std::vector<std::string> of_drawn;
    options.after = [&](const Pass&, const Graph& after) {
      of_drawn.push_back(print(after));
      ASSERT_EQ(print(parse_graph({"after.ir", of_drawn.back()})), of_drawn.back());
    };
    run_pipeline(drawn, options);
    std::vector<std::string> of_read;
    options.after = [&](const Pass&, const Graph& after) { of_read.push_back(print(after)); };
    run_pipeline(read, options);
    ASSERT_EQ(of_drawn, of_read);  // what was read is the graph that was printed, to every pass
    if (HasFailure()) return;
  }
}

/// The text with one small thing changed: a number, an op, a line left out or put twice.
std::string changed(std::string text, std::mt19937& random) {
  auto below = [&](size_t n) { return random() % n; };
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const size_t k = below(lines.size());
  std::string& line = lines[k];
  std::vector<size_t> digits;
  for (size_t i = 0; i < line.size(); ++i)
    if (std::isdigit(static_cast<unsigned char>(line[i]))) digits.push_back(i);
  switch (below(5)) {
    case 0: lines.erase(lines.begin() + long(k)); break;
    case 1: lines.insert(lines.begin() + long(k), lines[below(lines.size())]); break;
    case 2: {
      const char* const ops[] = {"tanh", "add", "matmul", "pad_rows", "concat_cols", "gather", "sum_rows"};
      const size_t begin = line.find(" = ");
      if (begin == std::string::npos) break;
      const size_t end = line.find(' ', begin + 3);
      line.replace(begin + 3, end - begin - 3, ops[below(std::size(ops))]);
      break;
    }
    default:
      if (!digits.empty()) line[digits[below(digits.size())]] = char('0' + below(10));
  }
  text.clear();
  for (const std::string& l : lines) text += l + "\n";
  return text;
}

/// Refused with the words for a user or by the verifier; or a graph like any other, whose values no pass
/// changes.
TEST(RandomGraphs, WithSomethingChangedAreRefusedOrCompiledRight) {
  int refused = 0, accepted = 0;
  for (unsigned seed = 0; seed < kGraphs * 2; ++seed) {
    std::mt19937 random(seed);
    const std::string text = changed(print(test::random_graph(seed % 50)), random);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
    Graph graph;
    try {
      graph = parse_graph({"changed.ir", text});
      verify(graph);
    } catch (const UserError&) {
      ++refused;
      continue;
    } catch (const VerifyError&) {
      ++refused;
      continue;
    }
    ++accepted;
    Graph after;
    PipelineOptions options;
    options.after = [](const Pass& pass, const Graph& g) { verify(g, pass.stage); };
    ASSERT_NO_THROW(after = run_pipeline(graph, options));
    try {
      test::expect_same_values(graph, after);
    } catch (const GraphError&) {  // an index past its table: the graph has no values
    }
    if (HasFailure()) return;
  }
  EXPECT_GE(refused, 100);
  EXPECT_GE(accepted, 30);
}

}  // namespace
}  // namespace rnnc
