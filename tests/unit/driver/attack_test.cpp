// Files with a few tokens changed end in a plan or in messages, whatever was changed: a bounded part of what
// tools/nightly does for hours (tests/fuzz/attack.cpp).
#include <gtest/gtest.h>

#include "tests/fuzz/lowering.h"
#include "tests/fuzz/mutants.h"
#include "tests/fuzz/seeds.h"

namespace rnnc {
namespace {

TEST(Attack, ChangedFilesEndWell) {
  constexpr int kFiles = 120;
  const std::vector<fuzz::Seed> seeds = fuzz::seeds();
  std::mt19937 random(4);
  int compiled = 0;
  ::testing::internal::CaptureStderr();  // warnings of files
  for (int i = 0; i < kFiles; ++i) {
    const std::string text = fuzz::mutate(seeds[random() % seeds.size()].text, random);
    try {
      compiled += fuzz::lowering(text) == fuzz::Came::ToPlans;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\nin\n" << text;
    }
  }
  ::testing::internal::GetCapturedStderr();
  EXPECT_GT(compiled, 0);
}

}  // namespace
}  // namespace rnnc
