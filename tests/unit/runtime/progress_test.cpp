// The progress line, in words.
#include "runtime/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using ::testing::HasSubstr;

TEST(Progress, Texts) {
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 5 min");
  EXPECT_EQ(progress_text(3, 20, 120, 502, 0.83124, 15310.2, 12),
            "epoch 3/20  step 120/502  loss 0.8312  15,310 rows/s  12 s left");
  EXPECT_THAT(progress_text(1, 1, 1, 1, 1e9, 999, 0), HasSubstr("  999 rows/s"));
  EXPECT_THAT(progress_text(1, 1, 1, 1, 1e9, 1234567, 0), HasSubstr("1,234,567 rows/s"));
}

std::string written(ProgressMode mode) {
  const test::TemporaryFolder folder;
  std::FILE* out = std::fopen((folder / "log").c_str(), "w");
  {
    Progress progress(out, mode, 2, 3);
    progress.begin_epoch(1);
    for (int step = 1; step <= 3; ++step) progress.step(step, 0.5, 32);
    progress.line("epoch 1 done");
    progress.begin_epoch(2);
    progress.step(3, 0.25, 32);
  }
  std::fclose(out);
  return test::read_all(folder / "log");
}

TEST(Progress, ALogHasFinishedLinesOnly) {
  EXPECT_EQ(written(ProgressMode::Lines), "epoch 1 done\n");
  EXPECT_EQ(written(ProgressMode::Quiet), "");
}

TEST(Progress, ATerminalHasAMovingLineThatIsWipedAway) {
  const std::string text = written(ProgressMode::Moving);
  EXPECT_THAT(text, HasSubstr("\repoch 1/2  step 3/3  loss 0.5  "));
  EXPECT_THAT(text, HasSubstr(" \repoch 1 done\n"));
  EXPECT_TRUE(text.ends_with("\r"));
}

TEST(Progress, AFileIsNoTerminal) {
  const test::TemporaryFolder folder;
  std::FILE* out = std::fopen((folder / "log").c_str(), "w");
  EXPECT_EQ(progress_mode(out, false), ProgressMode::Lines);
  EXPECT_EQ(progress_mode(out, true), ProgressMode::Quiet);
  std::fclose(out);
}

}  // namespace
}  // namespace rnnc
