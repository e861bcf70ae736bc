// The numbers of rows that coins and messages read, where each sequence dimension has an order of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/chance.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> numbers(const Batch& batch, size_t dimension) {
  std::vector<int64_t> result;
  for (int64_t b = 0; b < batch.rows; ++b) result.push_back(row_number(batch, dimension, b));
  return result;
}

TEST(RowNumber, IsOfTheRowAtAPlaceOfADimension) {
  Dataset dataset = test::two_sequences({{0}, {0, 0}, {0, 0, 0}}, {{0, 0}, {}, {0, 0, 0}});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1, 2}, 3, batch);
  EXPECT_THAT(numbers(batch, 0), ElementsAre(2, 1, 0));
  EXPECT_THAT(numbers(batch, 1), ElementsAre(2, 0, 1));
  const std::vector<Piece> pieces = {{.row = 2, .begin = 0, .length = 1, .number = 7},
                                     {.row = 2, .begin = 1, .length = 2, .number = 8}};
  dataset.fields.pop_back();
  dataset.data.pop_back();
  dataset.dimensions.pop_back();
  fill_pieces(dataset, pieces, 3, batch);
  EXPECT_THAT(numbers(batch, 0), ElementsAre(8, 7));
}

}  // namespace
}  // namespace rnnc
