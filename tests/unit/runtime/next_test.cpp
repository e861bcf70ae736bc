// Answers of `next`, by hand: of the rows "abc", "de", "" and "f", packed step by step, and of a stream that
// is read in pieces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/batches.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Dataset texts(const std::vector<std::string>& rows) {
  Dataset dataset;
  DataField x;
  x.name = "x";
  x.kind = FieldKind::Sequence;
  x.dimension = "T";
  dataset.fields = {x};
  dataset.dimensions = {"T"};
  dataset.rows = static_cast<int64_t>(rows.size());
  FieldData data;
  data.offsets = {0};
  for (const std::string& row : rows) {
    for (const unsigned char byte : row) data.ids.push_back(byte);
    data.offsets.push_back(static_cast<int64_t>(data.ids.size()));
  }
  dataset.data = {data};
  return dataset;
}

struct Next {
  BatchField values;
  std::vector<float> has;
};

Next next_of(const Dataset& dataset, const Batch& batch, int64_t n) {
  Next next;
  fill_next(dataset, batch, 0, n, next.values, next.has);
  return next;
}

TEST(Next, OfRows) {
  const Dataset dataset = texts({"abc", "de", "", "f"});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1, 2, 3}, 4, batch);
  ASSERT_THAT(batch.fields[0].ids, ElementsAre('a', 'd', 'f', 'b', 'e', 'c'));
  const Next next = next_of(dataset, batch, 1);
  EXPECT_THAT(next.values.ids, ElementsAre('b', 'e', -1, 'c', -1, -1));
  EXPECT_THAT(next.has, ElementsAre(1, 1, 0, 1, 0, 0));
  EXPECT_THAT(next_of(dataset, batch, 2).values.ids, ElementsAre('c', -1, -1, -1, -1, -1));
  EXPECT_THAT(next_of(dataset, batch, -1).values.ids, ElementsAre(-1, -1, -1, 'a', 'd', 'b'));
  EXPECT_THAT(next_of(dataset, batch, 9).has, ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(Next, OfEmptyRows) {
  const Dataset dataset = texts({"", ""});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1}, 2, batch);
  EXPECT_THAT(next_of(dataset, batch, 1).values.ids, IsEmpty());
}

TEST(Next, GoesOnBeyondAPieceAndEndsWithTheStream) {
  const Dataset dataset = texts({"abcdefg"});
  Batch batch;
  fill_pieces(dataset,
              std::vector<Piece>{{.row = 0, .begin = 0, .length = 3}, {.row = 0, .begin = 4, .length = 3}}, 3,
              batch);
  ASSERT_THAT(batch.fields[0].ids, ElementsAre('a', 'e', 'b', 'f', 'c', 'g'));
  const Next next = next_of(dataset, batch, 1);
  EXPECT_THAT(next.values.ids, ElementsAre('b', 'f', 'c', 'g', 'd', -1));
  EXPECT_THAT(next.has, ElementsAre(1, 1, 1, 1, 1, 0));
  EXPECT_THAT(next_of(dataset, batch, -1).values.ids, ElementsAre(-1, 'd', 'a', 'e', 'b', 'f'));
}

TEST(Next, OfNumbersIsZeroWhereThereIsNone) {
  Dataset dataset = texts({"ab"});
  dataset.fields[0].kind = FieldKind::Numbers;
  dataset.fields[0].width = 2;
  dataset.data[0].numbers = {1, 2, 3, 4};
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0}, 2, batch);
  const Next next = next_of(dataset, batch, 1);
  EXPECT_THAT(next.values.numbers, ElementsAre(3, 4, 0, 0));
  EXPECT_THAT(next.has, ElementsAre(1, 0));
}

}  // namespace
}  // namespace rnnc
