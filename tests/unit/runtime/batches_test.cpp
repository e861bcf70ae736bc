// Batches: order, sorting, packing, against a plain reading of the same rows.
#include "runtime/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;

// Rows of the lengths given: element t of row r is 100 r + t; the number of row r is r; its category r % 3.
Dataset example(const std::vector<int64_t>& lengths) {
  Dataset dataset;
  dataset.fields = {test::chars("x"), test::category("y", test::file()),
                    test::numbers("v", test::expr(EncodeOp::Numbers), 2)};
  dataset.data.resize(3);
  dataset.dimensions = {"T"};
  dataset.rows = static_cast<int64_t>(lengths.size());
  dataset.data[0].offsets = {0};
  for (int64_t r = 0; r < dataset.rows; ++r) {
    for (int64_t t = 0; t < lengths[static_cast<size_t>(r)]; ++t)
      dataset.data[0].ids.push_back(static_cast<int32_t>(100 * r + t));
    dataset.data[0].offsets.push_back(static_cast<int64_t>(dataset.data[0].ids.size()));
    dataset.data[1].ids.push_back(static_cast<int32_t>(r % 3));
    dataset.data[2].numbers.push_back(static_cast<float>(r));
    dataset.data[2].numbers.push_back(static_cast<float>(-r));
    dataset.train.push_back(r);
  }
  return dataset;
}

TEST(FillBatch, SortsAndPacks) {
  const Dataset dataset = example({2, 0, 3, 2});
  Batch batch;
  const std::vector<int64_t> rows = {0, 1, 2, 3};
  fill_batch(dataset, rows, 5, batch);
  EXPECT_EQ(batch.rows, 4);
  EXPECT_THAT(batch.order, ElementsAre(2, 0, 3, 1));  // equal lengths as given
  const BatchDimension& dimension = batch.dimensions[0];
  EXPECT_THAT(dimension.row_offset, ElementsAre(0, 3, 6, 7, 7, 7));
  EXPECT_THAT(dimension.last_index, ElementsAre(6, 4, 5, -1));
  EXPECT_THAT(dimension.length, ElementsAre(3, 2, 2, 0));
  EXPECT_EQ(dimension.steps, 3);
  EXPECT_THAT(batch.fields[0].ids, ElementsAre(200, 0, 300, 201, 1, 301, 202));
  EXPECT_THAT(batch.fields[1].ids, ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(batch.fields[2].numbers, ElementsAre(2, -2, 0, 0, 3, -3, 1, -1));
}

TEST(FillBatch, EdgesAndWrongUse) {
  const Dataset dataset = example({2, 0, 3});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{1}, 3, batch);
  EXPECT_THAT(batch.dimensions[0].row_offset, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(batch.dimensions[0].last_index, ElementsAre(-1));
  EXPECT_TRUE(batch.fields[0].ids.empty());
  fill_batch(dataset, {}, 3, batch);
  EXPECT_EQ(batch.rows, 0);
  EXPECT_THROW(fill_batch(dataset, std::vector<int64_t>{2}, 2, batch), std::invalid_argument);
  EXPECT_THROW(fill_batch(dataset, std::vector<int64_t>{3}, 3, batch), std::invalid_argument);
}

TEST(FillBatch, AgreesWithAPlainReading) {
  std::vector<int64_t> lengths;
  for (int64_t r = 0; r < 60; ++r) lengths.push_back(r * 7 % 11);
  const Dataset dataset = example(lengths);
  std::vector<int64_t> rows(60);
  std::iota(rows.rbegin(), rows.rend(), 0);
  Batch batch;
  fill_batch(dataset, rows, 10, batch);
  const BatchDimension& dimension = batch.dimensions[0];
  int64_t elements = 0;
  for (size_t b = 0; b < 60; ++b) {
    const int64_t row = batch.order[b];
    const int64_t length = lengths[static_cast<size_t>(row)];
    if (b > 0) {
      EXPECT_LE(dimension.length[b], dimension.length[b - 1]);
    }
    for (int64_t t = 0; t < length; ++t) {
      const auto at = static_cast<size_t>(dimension.row_offset[static_cast<size_t>(t)]) + b;
      EXPECT_EQ(batch.fields[0].ids[at], 100 * row + t);
      if (t == length - 1) {
        EXPECT_EQ(dimension.last_index[b], static_cast<int32_t>(at));
      }
    }
    elements += length;
  }
  EXPECT_EQ(dimension.row_offset.back(), elements);
}

TEST(FillBatch, BuffersAreReused) {
  const Dataset dataset = example({3, 3, 3, 3, 1, 1});
  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{0, 1, 2, 3}, 3, batch);
  const auto* ids = batch.fields[0].ids.data();
  const auto* offsets = batch.dimensions[0].row_offset.data();
  const auto* order = batch.order.data();
  fill_batch(dataset, std::vector<int64_t>{4, 5}, 3, batch);
  fill_batch(dataset, std::vector<int64_t>{0, 5, 2, 3}, 3, batch);
  EXPECT_EQ(batch.fields[0].ids.data(), ids);
  EXPECT_EQ(batch.dimensions[0].row_offset.data(), offsets);
  EXPECT_EQ(batch.order.data(), order);
}

TEST(Batches, EveryRowOnceInEachEpoch) {
  const Dataset dataset = example(std::vector<int64_t>(10, 2));
  Batches batches(dataset, Part::Train, 4);
  EXPECT_EQ(batches.steps(), 3);
  EXPECT_EQ(batches.capacity(), 2);
  EXPECT_THAT(batches.batch(0).order, ElementsAre(0, 1, 2, 3));
  std::set<std::vector<int64_t>> orders;
  for (uint32_t epoch = 0; epoch < 5; ++epoch) {
    batches.shuffle(1, epoch);
    std::vector<int64_t> seen;
    for (int64_t step = 0; step < batches.steps(); ++step) {
      const Batch& batch = batches.batch(step);
      EXPECT_EQ(batch.rows, step == 2 ? 2 : 4);
      seen.insert(seen.end(), batch.order.begin(), batch.order.end());
    }
    orders.insert(seen);
    std::ranges::sort(seen);
    EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  }
  EXPECT_EQ(orders.size(), 5u);
}

TEST(Batches, AnEpochDoesNotDependOnThoseBefore) {
  const Dataset dataset = example(std::vector<int64_t>(10, 2));
  Batches one(dataset, Part::Train, 4), other(dataset, Part::Train, 4);
  one.shuffle(1, 0);
  one.shuffle(1, 3);
  other.shuffle(1, 3);
  EXPECT_EQ(one.batch(2).order, other.batch(2).order);
  one.in_order();
  EXPECT_THAT(one.batch(1).order, ElementsAre(4, 5, 6, 7));
  EXPECT_THROW(one.batch(3), std::invalid_argument);
}

TEST(Batches, AllRowsInOneBatch) {
  const Dataset dataset = example({1, 2, 3});
  EXPECT_EQ(Batches(dataset, Part::Train, 0).steps(), 1);
  EXPECT_EQ(Batches(dataset, Part::Train, 100).steps(), 1);
  EXPECT_EQ(Batches(dataset, Part::Train, 100).batch_size(), 3);
  EXPECT_EQ(Batches(dataset, Part::Valid, 10).steps(), 0);
}

}  // namespace
}  // namespace rnnc
