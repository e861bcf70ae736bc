// Numbers in as few bytes as the largest needs: what a vector of int32_t holds, whatever the order of what
// is done to it.
#include "runtime/ids.h"

#include <gmock/gmock.h>

#include <random>

#include "runtime/fingerprint.h"

namespace rnnc {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

TEST(Ids, WidenAtTheNumbersThatNeedIt) {
  Ids ids;
  ids.append(std::vector<int32_t>{-1, 0, 254});
  EXPECT_EQ(ids.width(), 1U);
  ids.push_back(255);
  EXPECT_EQ(ids.width(), 2U);
  ids.resize(6, 65534);
  EXPECT_EQ(ids.width(), 2U);
  ids.set(1, 65535);
  EXPECT_EQ(ids.width(), 4U);
  ids.push_back(INT32_MAX);
  EXPECT_THAT(ids, ElementsAre(-1, 65535, 254, 255, 65534, 65534, INT32_MAX));
  EXPECT_THAT(ids.slice(2, 3), ElementsAre(254, 255, 65534));
  ids.resize(1);
  EXPECT_THAT(ids, ElementsAre(-1));
}

TEST(Ids, AreAVectorOfNumbers) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Ids ids;
    std::vector<int32_t> want;
    if (round % 2 == 0) ids.reserve(random() % 50);
    const int32_t below = round % 4 == 0 ? 200 : round % 4 == 1 ? 300 : 100'000;
    for (int step = 0; step < 60; ++step) {
      const auto value = static_cast<int32_t>(random() % static_cast<uint32_t>(below)) - 1;
      switch (random() % 4) {
        case 0:
          ids.resize(want.size() + 2, value);
          want.resize(want.size() + 2, value);
          break;
        case 1:
          if (want.empty()) break;
          ids.set(want.size() / 2, value);
          want[want.size() / 2] = value;
          break;
        default: ids.push_back(value); want.push_back(value);
      }
    }
    ASSERT_THAT(ids, ElementsAreArray(want));
  }
}

TEST(Ids, FingerprintDependsOnTheNumbersOnly) {
  Dataset narrow, wide, other;
  narrow.data.resize(1);
  narrow.data[0].ids.append(std::vector<int32_t>{1, 2, 3});
  wide.data.resize(1);
  wide.data[0].ids.append(std::vector<int32_t>{1, 70'000, 3});
  wide.data[0].ids.set(1, 2);
  other.data.resize(1);
  other.data[0].ids.append(std::vector<int32_t>{1, 2, 4});
  EXPECT_EQ(fingerprint(narrow), fingerprint(wide));
  EXPECT_NE(fingerprint(narrow), fingerprint(other));
}

}  // namespace
}  // namespace rnnc
