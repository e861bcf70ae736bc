// How much memory there is, read from the files of made-up machines, and programs that do not fit it.
#include "runtime/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/arena.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

TEST(Memory, OfAMachineWithoutGroups) {
  const TemporaryFolder place;
  EXPECT_EQ(available_memory(place.path()), std::numeric_limits<int64_t>::max());  // nothing known
  place.write("proc/meminfo", "MemTotal:  4096 kB\nMemFree: 10 kB\nMemAvailable:   2048 kB\n");
  EXPECT_EQ(available_memory(place.path()), 2 * kMiB);
  place.write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(available_memory(place.path()), 2 * kMiB);
}

TEST(Memory, TheTightestGroupCounts) {
  const TemporaryFolder place;
  place.write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  place.write("proc/self/cgroup", "0::/a/b\n");
  place.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(available_memory(place.path()), 1024 * kMiB);
  place.write("sys/fs/cgroup/a/memory.max", std::to_string(100 * kMiB) + "\n");
  EXPECT_EQ(available_memory(place.path()), 100 * kMiB);
  place.write("sys/fs/cgroup/a/memory.current", std::to_string(30 * kMiB) + "\n");
  place.write("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file " + std::to_string(10 * kMiB) + "\n");
  EXPECT_EQ(available_memory(place.path()), 80 * kMiB);
  place.write("sys/fs/cgroup/a/b/memory.max", std::to_string(7 * kMiB) + "\n");
  EXPECT_EQ(available_memory(place.path()), 7 * kMiB);
  place.write("sys/fs/cgroup/a/b/memory.current", std::to_string(9 * kMiB) + "\n");
  EXPECT_EQ(available_memory(place.path()), 0);
}

TEST(Memory, GroupsOfVersionOne) {
  const TemporaryFolder place;
  place.write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  place.write("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/job\n");
  place.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(64 * kMiB));
  place.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(4 * kMiB));
  EXPECT_EQ(available_memory(place.path()), 60 * kMiB);
}

Program large_program() {
  Program p;
  p.batch_capacity = 64;
  p.capacity = {1000};
  p.dimensions = {"T"};
  p.arena_bytes = 3000 * kMiB;
  p.slabs.push_back({.name = "h.lstm i", .rows = {RowRange::Steps, 0, 0, 1000}, .bytes = 2000 * kMiB});
  p.slabs.push_back({.name = "x", .rows = {RowRange::Steps, 0, 0, 1000}, .bytes = 1000 * kMiB});
  p.variable_names = {"W"};
  p.slabs.push_back({.name = "W", .rows = {RowRange::Fixed, 0, 1024, 0}, .cols = 25600, .variable = 0});
  return p;
}

TEST(Memory, AProgramThatFitsIsNotRefused) {
  EXPECT_EQ(memory_of(large_program()), 3100 * kMiB);
  EXPECT_NO_THROW(check_fits(large_program(), 3100 * kMiB));
}

TEST(Memory, ARefusalSaysWhatWouldFit) {
  try {
    check_fits(large_program(), 1600 * kMiB);
    FAIL();
  } catch (const ArenaError& e) {
    EXPECT_STREQ(e.what(),
                 "this program needs 3.0 GiB of memory, and 1.6 GiB are available\n"
                 "      = a batch of 64 rows and 1000 steps of T; most of it: h.lstm i 2.0 GiB, x 1000 MiB\n"
                 "      = help: a batch of about 32 rows would fit, or cut the sequences with `chunk`; "
                 "`train` needs less memory and more time with `--memory-limit 1500MiB`");
  }
  try {
    check_fits(large_program(), 50 * kMiB);
    FAIL();
  } catch (const ArenaError& e) {
    EXPECT_THAT(e.what(), HasSubstr("make the model smaller"));
  }
}

TEST(Memory, ASessionIsRefusedBeforeItStarts) {
  Program p = large_program();
  p.arena_bytes = int64_t{1} << 60;
  Variables variables;
  EXPECT_THROW(Session(p, variables), ArenaError);
  EXPECT_TRUE(variables.all().empty());
}

}  // namespace
}  // namespace rnnc
