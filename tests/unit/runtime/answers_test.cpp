// Answers of `next`, by hand: rows "abc", "de", "" and "f", packed step by step.
#include "runtime/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rnnc {
namespace {

using ::testing::ElementsAre;

const std::vector<int64_t> kOffsets = {0, 3, 5, 6, 6};  // a d f, b e, c; nothing runs at the last step
const std::vector<int32_t> kIds = {'a', 'd', 'f', 'b', 'e', 'c'};

TEST(Answers, OfTheNextElement) {
  const Answers next = next_elements(kOffsets, kIds, 1);
  EXPECT_THAT(next.ids, ElementsAre('b', 'e', -1, 'c', -1, -1));
  EXPECT_THAT(next.has, ElementsAre(1, 1, 0, 1, 0, 0));
}

TEST(Answers, OfElementsFurtherOnOrBefore) {
  EXPECT_THAT(next_elements(kOffsets, kIds, 2).ids, ElementsAre('c', -1, -1, -1, -1, -1));
  EXPECT_THAT(next_elements(kOffsets, kIds, -1).ids, ElementsAre(-1, -1, -1, 'a', 'd', 'b'));
  EXPECT_THAT(next_elements(kOffsets, kIds, 9).has, ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_TRUE(next_elements(std::vector<int64_t>{0, 0, 0}, {}, 1).ids.empty());
}

}  // namespace
}  // namespace rnnc
