// Philox against the known answers of its authors, and what is drawn from it.
#include "runtime/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace rnnc {
namespace {

struct Known {
  PhiloxCounter counter;
  PhiloxKey key;
  PhiloxCounter answer;
};

// The lines `philox4x32 10` of the file kat_vectors of Random123.
constexpr std::array<Known, 3> kKnown = {{
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
}};

TEST(Philox, KnownAnswers) {
  for (const Known& known : kKnown) EXPECT_EQ(philox(known.counter, known.key), known.answer);
}

TEST(Random, DependsOnSeedPlaceStepAndIndexOnly) {
  const Random a(1, 2, 3);
  EXPECT_EQ(a.bits(7), Random(1, 2, 3).bits(7));
  EXPECT_NE(a.bits(7), Random(2, 2, 3).bits(7));
  EXPECT_NE(a.bits(7), Random(1, 3, 3).bits(7));
  EXPECT_NE(a.bits(7), Random(1, 2, 4).bits(7));
  EXPECT_NE(a.bits(7), a.bits(8));
  EXPECT_NE(place_of("h.lstm.Wi"), place_of("h.lstm.Wf"));
}

TEST(Random, UniformMoments) {
  const Random random(0, 0);
  constexpr int n = 1 << 16;
  double sum = 0, squares = 0;
  for (uint64_t i = 0; i < n; ++i) {
    const double u = random.uniform(i);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);  // the deviation of the mean is 0.0011
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.005);
}

TEST(Random, NormalMoments) {
  const Random random(5, 6);
  constexpr int n = 1 << 16;
  double sum = 0, squares = 0, fourth = 0, pairs = 0;
  for (uint64_t i = 0; i < n; ++i) {
    const double z = random.normal(i);
    ASSERT_TRUE(std::isfinite(z));
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    pairs += z * static_cast<double>(random.normal(i ^ 1));
  }
  EXPECT_NEAR(sum / n, 0, 0.02);
  EXPECT_NEAR(squares / n, 1, 0.03);
  EXPECT_NEAR(fourth / n, 3, 0.2);
  EXPECT_NEAR(pairs / n, 0, 0.03);
}

TEST(Random, BelowCoversItsRangeEvenly) {
  const Random random(9, 9);
  std::array<int, 7> seen{};
  for (uint64_t i = 0; i < 70000; ++i) ++seen.at(random.below(i, 7));
  for (const int count : seen) EXPECT_NEAR(count, 10000, 500);
  EXPECT_LT(random.below(3, ~uint64_t{0}), ~uint64_t{0});
  EXPECT_EQ(random.below(3, 1), 0u);
}

TEST(Permutation, HasEveryRowOnceAndAnotherOrderEachEpoch) {
  const std::vector<int64_t> first = permutation(1000, 1, 0);
  EXPECT_EQ(first, permutation(1000, 1, 0));
  EXPECT_NE(first, permutation(1000, 1, 1));
  EXPECT_NE(first, permutation(1000, 2, 0));
  std::vector<int64_t> sorted = first;
  std::ranges::sort(sorted);
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  EXPECT_TRUE(permutation(0, 1, 0).empty());
  EXPECT_EQ(permutation(1, 1, 0), std::vector<int64_t>{0});
}

TEST(Permutation, EveryOrderOfThreeIsAsLikely) {
  std::array<int, 27> seen{};
  for (uint32_t epoch = 0; epoch < 6000; ++epoch) {
    const std::vector<int64_t> p = permutation(3, 4, epoch);
    ++seen.at(static_cast<size_t>(9 * p[0] + 3 * p[1] + p[2]));
  }
  EXPECT_EQ(std::ranges::count_if(seen, [](int n) { return n > 0; }), 6);
  for (const int count : seen) {
    if (count > 0) {
      EXPECT_NEAR(count, 1000, 150);
    }
  }
}

}  // namespace
}  // namespace rnnc
