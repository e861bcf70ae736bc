// The arena: zero, aligned, with room behind it, and a clear word when there is no memory.
#include "runtime/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "runtime/abi.h"
#include "runtime/bandwidth.h"

namespace rnnc {
namespace {

TEST(Arena, IsAlignedZeroAndReadableBehindItsEnd) {
  for (size_t bytes :
       {size_t{0}, size_t{4}, Arena::kAlignment - 8, Arena::kAlignment, 3 * Arena::kAlignment + 20}) {
    Arena arena(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.data()) % Arena::kAlignment, 0u);
    EXPECT_EQ(arena.size(), bytes);
    for (size_t i = 0; i < bytes / 4 + size_t(kOverread); ++i) ASSERT_EQ(arena.floats()[i], 0);
  }
}

TEST(Arena, Moves) {
  Arena a(100);
  a.floats()[3] = 5;
  std::byte* where = a.data();
  Arena b = std::move(a);
  a = Arena();
  EXPECT_EQ(b.data(), where);
  EXPECT_EQ(b.floats()[3], 5);
}

TEST(Arena, TooMuchIsRefusedWithTheSize) {
  EXPECT_THROW(Arena(size_t{1} << 62), ArenaError);
  EXPECT_THROW(Arena(SIZE_MAX - 3), ArenaError);
}

TEST(Bandwidth, IsPositive) {
  Team team(2);
  EXPECT_GT(measure_bandwidth(team, 1 << 20), 0.01);
}

}  // namespace
}  // namespace rnnc
