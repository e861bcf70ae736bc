// The numbers of rows that coins and messages read, where each sequence dimension has an order of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/binder.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;

TEST(RowNumber, IsOfTheRowAtAPlaceOfADimension) {
  const Dataset dataset = test::two_sequences({{0}, {0, 0}, {0, 0, 0}}, {{0, 0}, {}, {0, 0, 0}});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1, 2}, 3, batch);
  RowInputs inputs(sequence_spaces({"T", "S"}));
  inputs.take(examples_of(dataset, batch, inputs.spaces()), std::vector<int32_t>{3, 3});
  EXPECT_THAT(inputs.find("%row", Rows::batch(), 1)->ids, ElementsAre(2, 1, 0));
  // number and step: T has 3, 2 and 1 steps, S 3, 2 and none
  EXPECT_THAT(inputs.find("%row.0", Rows::all(0), 2)->ids, ElementsAre(2, 0, 1, 0, 0, 0, 2, 1, 1, 1, 2, 2));
  EXPECT_THAT(inputs.find("%row.1", Rows::all(1), 2)->ids, ElementsAre(2, 0, 0, 0, 2, 1, 0, 1, 2, 2));
  EXPECT_THAT(inputs.find("%order.0.1", Rows::batch(1), 1)->ids, ElementsAre(0, 2, 1));
  EXPECT_THAT(inputs.find("%last.1", Rows::batch(1), 1)->ids, ElementsAre(4, 3, -1));
  EXPECT_THAT(inputs.find("%length.0", Rows::batch(), 1)->numbers, ElementsAre(3, 2, 1));
  EXPECT_EQ(inputs.find("%nothing", Rows::batch(), 1), nullptr);
}

TEST(RowNumber, OfPiecesIsThatOfThePiece) {
  const Dataset dataset = test::two_sequences({{0}, {0, 0}, {0, 0, 0}}, {{0, 0}, {}, {0, 0, 0}});
  Dataset one = dataset;
  one.fields.pop_back();
  one.data.pop_back();
  one.dimensions.pop_back();
  Batch batch;
  fill_pieces(one,
              std::vector<Piece>{{.row = 2, .begin = 0, .length = 1, .number = 7},
                                 {.row = 2, .begin = 1, .length = 2, .number = 8}},
              3, batch);
  RowInputs inputs(sequence_spaces({"T"}));
  inputs.take(examples_of(one, batch, inputs.spaces()), std::vector<int32_t>{3});
  EXPECT_THAT(inputs.find("%row", Rows::batch(), 1)->ids, ElementsAre(8, 7));
}

}  // namespace
}  // namespace rnnc
