// `chunk` and `sample`: which elements of a sequence each row of each batch reads; and the orders of rows
// where there are several sequence dimensions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/batches.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// `train` numbers 0, 1, 2, ... in the training part, `valid` more in the valid part, along T.
Dataset numbers_in_a_row(int64_t train, int64_t valid, PieceSetting pieces) {
  Dataset dataset;
  dataset.fields = {test::numbers("x", test::col(1))};
  dataset.fields[0].dimension = "T";
  dataset.dimensions = {"T"};
  dataset.rows = 2;
  dataset.train = {0};
  dataset.valid = {1};
  pieces.dimension = "T";
  dataset.pieces = pieces;
  FieldData data;
  for (int64_t i = 0; i < train + valid; ++i) data.numbers.push_back(static_cast<float>(i));
  data.offsets = {0, train, train + valid};
  dataset.data = {data};
  return dataset;
}

PieceSetting chunk(int64_t length, int64_t offset = 0) {
  PieceSetting pieces;
  pieces.length = length;
  pieces.offset = offset;
  return pieces;
}

PieceSetting sample(int64_t length) {
  PieceSetting pieces = chunk(length);
  pieces.sample = true;
  return pieces;
}

/// The elements that row b of a batch reads.
std::vector<float> row(const Batch& batch, size_t b) {
  std::vector<float> elements;
  const auto& offset = batch.dimensions[0].row_offset;
  for (size_t t = 0; t + 1 < offset.size(); ++t)
    if (static_cast<int64_t>(b) < offset[t + 1] - offset[t])
      elements.push_back(batch.fields[0].numbers[static_cast<size_t>(offset[t]) + b]);
  return elements;
}

TEST(Chunk, RowsReadSideBySideAndGoOn) {
  const Dataset dataset = numbers_in_a_row(23, 0, chunk(3));
  Batches batches(dataset, Part::Train, 2);  // 11 elements a row: three pieces, two elements left out
  ASSERT_EQ(batches.steps(), 3);
  EXPECT_EQ(batches.rows(), 6);
  for (int64_t step = 0; step < 3; ++step) {
    const Batch& batch = batches.batch(step);
    const auto at = static_cast<float>(3 * step);
    EXPECT_THAT(row(batch, 0), ElementsAre(at, at + 1, at + 2));
    EXPECT_THAT(row(batch, 1), ElementsAre(at + 11, at + 12, at + 13));
    EXPECT_EQ(batch.fresh, step == 0);
    EXPECT_EQ(batch.pieces[1].number, 1);
  }
}

TEST(Chunk, AnOffsetIsLeftOut) {
  const Dataset dataset = numbers_in_a_row(23, 0, chunk(3, 4));
  Batches batches(dataset, Part::Train, 2);
  EXPECT_EQ(batches.steps(), 3);  // 19 elements: 9 a row
  EXPECT_THAT(row(batches.batch(0), 0), ElementsAre(4, 5, 6));
  EXPECT_THAT(row(batches.batch(0), 1), ElementsAre(13, 14, 15));
}

TEST(Chunk, ARandomOffsetIsBelowTheLengthAndAnewInEveryEpoch) {
  PieceSetting pieces = chunk(5);
  pieces.random_offset = true;
  const Dataset dataset = numbers_in_a_row(104, 0, pieces);
  Batches batches(dataset, Part::Train, 2);
  std::set<float> offsets;
  for (uint32_t epoch = 0; epoch < 60; ++epoch) {
    batches.shuffle(1, epoch);
    EXPECT_EQ(batches.steps(), 10);
    offsets.insert(row(batches.batch(0), 0)[0]);
    EXPECT_LT(row(batches.batch(9), 1)[4], 104);
  }
  EXPECT_THAT(offsets, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Chunk, EvaluationIsByOneRowToTheLastElement) {
  const Dataset dataset = numbers_in_a_row(23, 7, chunk(3, 2));
  Batches batches(dataset, Part::Valid, 16, 0, Batches::Purpose::Evaluation);
  ASSERT_EQ(batches.steps(), 3);
  std::vector<float> read;
  for (int64_t step = 0; step < 3; ++step) {
    const Batch& batch = batches.batch(step);
    EXPECT_EQ(batch.rows, 1);
    EXPECT_EQ(batch.fresh, step == 0);
    for (const float element : row(batch, 0)) read.push_back(element);
  }
  EXPECT_THAT(read, ElementsAre(23, 24, 25, 26, 27, 28, 29));
}

TEST(Sample, EveryPieceOnceInRandomOrder) {
  const Dataset dataset = numbers_in_a_row(32, 7, sample(3));
  Batches batches(dataset, Part::Train, 5);  // 10 pieces
  std::set<std::vector<float>> orders;
  for (uint32_t epoch = 0; epoch < 4; ++epoch) {
    batches.shuffle(1, epoch);
    std::vector<float> begins;
    ASSERT_EQ(batches.steps(), 2);
    for (int64_t step = 0; step < 2; ++step)
      for (size_t b = 0; b < 5; ++b) {
        const std::vector<float> piece = row(batches.batch(step), b);
        ASSERT_EQ(piece.size(), 3u);
        EXPECT_TRUE(batches.batch(step).fresh);
        begins.push_back(piece[0]);
      }
    orders.insert(begins);
    std::ranges::sort(begins);
    EXPECT_THAT(begins, ElementsAre(0, 3, 6, 9, 12, 15, 18, 21, 24, 27));
  }
  EXPECT_EQ(orders.size(), 4u);
  Batches valid(dataset, Part::Valid, 16, 0, Batches::Purpose::Evaluation);
  ASSERT_EQ(valid.steps(), 1);
  EXPECT_THAT(row(valid.batch(0), 0), ElementsAre(32, 33, 34));
  EXPECT_THAT(row(valid.batch(0), 2), ElementsAre(38));  // the last is shorter
}

TEST(Pieces, RowsOfATableAreOneSequenceCutInOrder) {
  const TemporaryFolder folder;
  folder.write("d.csv", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  DataSpec spec = test::block("d.csv", DataFormat::Csv,
                              {test::numbers("x", test::expr(EncodeOp::ToNumber, {test::col(1)}))});
  spec.fields[0].dimension = "T";
  spec.pieces = chunk(3);
  spec.pieces.dimension = "T";
  spec.split = {{Part::Train, 0.75}, {Part::Valid, 0.25}};
  const Dataset dataset = load_dataset(spec, {folder.path(), false});
  EXPECT_EQ(dataset.length(0, dataset.train.at(0)), 8);  // round(7.5)
  EXPECT_EQ(dataset.length(0, dataset.valid.at(0)), 2);
  spec.pieces.length = 9;
  EXPECT_THAT(test::refusal([&] {
                load_dataset(spec, {folder.path(), false});
              }),
              HasSubstr("the training part has 8 elements, a piece needs 9"));
}

DataSpec stream(bool end) {
  DataSpec spec =
      test::block("t.txt", DataFormat::Stream,
                  {test::sequence("x", test::expr(EncodeOp::Words, {test::expr(EncodeOp::WholeText)}))});
  spec.fields[0].value.end = end;
  spec.pieces = chunk(2);
  spec.pieces.dimension = "T";
  return spec;
}

std::vector<std::string> symbols(const Dataset& dataset) {
  std::vector<std::string> texts;
  for (const int32_t id : dataset.data[0].ids)
    texts.emplace_back(dataset.learned.vocabularies.at("C").text(id));
  return texts;
}

TEST(Stream, EveryLineEndIsASymbolIfItIsAskedFor) {
  const TemporaryFolder folder;
  folder.write("t.txt", "a b\r\n\r\nc\nd");
  const DataFolder at{folder.path(), false};
  EXPECT_THAT(symbols(load_dataset(stream(true), at)),
              ElementsAre("a", "b", "<eos>", "<eos>", "c", "<eos>", "d", "<eos>"));
  EXPECT_THAT(symbols(load_dataset(stream(false), at)), ElementsAre("a", "b", "c", "d"));
}

TEST(Stream, AnEmptyTextHasNoTrainingPart) {
  const TemporaryFolder folder;
  folder.write("t.txt", "");
  EXPECT_EQ(test::refusal([&] {
              load_dataset(stream(true), {folder.path(), false});
            }),
            "test.rnn:4:3: error: the training part is empty\n"
            "      = the files of data block `test` have 0 rows\n");
}

TEST(SeveralDimensions, EachHasItsOwnOrder) {
  const Dataset dataset = test::two_sequences({{10}, {20, 21}, {30, 31, 32}}, {{11, 12, 13}, {22, 23}, {}});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1, 2}, 3, batch);
  EXPECT_THAT(batch.order, ElementsAre(2, 1, 0));
  EXPECT_THAT(batch.dimensions[0].order, ElementsAre(0, 1, 2));
  EXPECT_THAT(batch.dimensions[1].order, ElementsAre(2, 1, 0));
  EXPECT_THAT(batch.fields[0].ids, ElementsAre(30, 20, 10, 31, 21, 32));
  EXPECT_THAT(batch.fields[1].ids, ElementsAre(11, 22, 12, 23, 13));
  EXPECT_THAT(batch.dimensions[1].length, ElementsAre(3, 2, 0));
  EXPECT_THAT(batch.dimensions[1].last_index, ElementsAre(4, 3, -1));
}

}  // namespace
}  // namespace rnnc
