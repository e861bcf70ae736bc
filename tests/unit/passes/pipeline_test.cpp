// The passes as data: names, what can be left out, what is reported, and that each has its text tests.
#include "passes/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "ir/print.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

TEST(Pipeline, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Pass& pass : pipeline()) {
    EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
    EXPECT_EQ(find_pass(pass.name), &pass);
    EXPECT_FALSE(pass.why_here.empty()) << pass.name;
  }
  EXPECT_EQ(find_pass("fuse_gaits"), nullptr);
}

TEST(Pipeline, EveryPassHasItsTextTests) {
  const std::filesystem::path folder = RNNC_SOURCE_DIR "/tests/text/passes";
  std::map<std::string_view, int> tests;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    std::string_view longest;  // simplify_again_x.ir is not one of simplify
    for (const Pass& pass : pipeline()) {
      if (file.starts_with(pass.name) && file[pass.name.size()] == '_' && pass.name.size() > longest.size())
        longest = pass.name;
    }
    EXPECT_FALSE(longest.empty()) << file << " is of no pass";
    ++tests[longest];
  }
  for (const Pass& pass : pipeline())
    EXPECT_GE(tests[pass.name], 2) << pass.name << ": one where it acts, one where it must not";
}

TEST(Pipeline, RunsAllInOrderAndReports) {
  const Graph g = test::random_graph(1);
  std::vector<PassReport> report;
  std::vector<std::string_view> seen;
  PipelineOptions options;
  options.after = [&](const Pass& pass, const Graph& after) {
    seen.push_back(pass.name);
    EXPECT_EQ(report.back().nodes, after.size());
    EXPECT_EQ(report.back().products, count_products(after));
  };
  options.context.segments = {0, 1};
  const Graph result = run_pipeline(g, options, &report);
  ASSERT_EQ(report.size(), pipeline().size());
  for (size_t i = 0; i < report.size(); ++i) {
    EXPECT_EQ(report[i].name, pipeline()[i].name);
    EXPECT_EQ(seen[i], pipeline()[i].name);
    EXPECT_GE(report[i].milliseconds, 0);
  }
  Graph by_hand = g;
  for (const Pass& pass : pipeline()) by_hand = pass.run(by_hand, options.context);
  EXPECT_EQ(print(result), print(by_hand));
}

TEST(Pipeline, CutsOnlyWhereThatIsAskedFor) {
  std::vector<PassReport> report;
  run_pipeline(test::random_graph(1), {}, &report);
  EXPECT_EQ(report.size(), pipeline().size() - 1);
  for (const PassReport& r : report) EXPECT_NE(r.name, "recompute");
}

TEST(Pipeline, WhatIsDisabledDoesNotRunUnlessThePlanNeedsIt) {
  PipelineOptions options;
  size_t needed = 0;
  for (const Pass& pass : pipeline()) {
    options.disabled.emplace_back(pass.name);
    needed += !pass.optional;
  }
  std::vector<PassReport> report;
  run_pipeline(test::random_graph(2), options, &report);
  EXPECT_EQ(report.size(), needed);
  for (const PassReport& r : report) EXPECT_FALSE(find_pass(r.name)->optional);
}

TEST(Pipeline, DeadProductsDoNotCount) {
  const Graph g = test::graph(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "W" : f32[3, 3]
%2 = matmul %0 %1 : f32[B, 3]
%3 = matmul %0 %1 {right^T} : f32[B, 3]
output "y" %2
)");
  EXPECT_EQ(count_products(g), 1u);
}

}  // namespace
}  // namespace rnnc
