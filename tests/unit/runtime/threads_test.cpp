// The team: everyone works, barriers hold, modes come back, forks are refused.
#include "runtime/threads.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace rnnc {
namespace {

TEST(Team, EveryThreadWorksOnceARun) {
  for (int size : {1, 2, 5}) {
    Team team(size);
    std::vector<int> turns(size_t(size), 0);
    for (int run = 0; run < 50; ++run) team.run([&](int thread) { ++turns[size_t(thread)]; });
    for (int t : turns) EXPECT_EQ(t, 50);
  }
}

TEST(Team, BarriersSeparateSteps) {
  Team team(3);
  constexpr int steps = 300;
  std::vector<int> at(3 * 64, 0);
  std::atomic<int> wrong{0};
  team.run([&](int thread) {
    for (int step = 1; step <= steps; ++step) {
      at[size_t(thread) * 64] = step;
      team.barrier();
      for (size_t other = 0; other < 3; ++other) wrong += at[other * 64] != step;
      team.barrier();
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(Team, SubnormalsAreFlushedInsideARunOnly) {
  Team team(2);
  volatile float tiny = std::numeric_limits<float>::min();
  float inside[2] = {1, 1};
  team.run([&](int thread) { inside[thread] = tiny * 0.5f; });
  EXPECT_EQ(inside[0], 0);
  EXPECT_EQ(inside[1], 0);
  EXPECT_GT(tiny * 0.5f, 0);
}

TEST(Team, AForkedProcessIsToldSo) {
  Team team(2);
  team.run([](int) {});
  pid_t child = fork();
  if (child == 0) {
    try {
      team.run([](int) {});
    } catch (const std::runtime_error&) {
      _exit(7);
    }
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(Team, NoThreadsAreRefused) {
  EXPECT_THROW(Team(0), std::runtime_error);
}

TEST(Team, DefaultCountIsPossible) {
  EXPECT_GE(default_thread_count(), 1);
  EXPECT_LE(default_thread_count(), int(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace rnnc
