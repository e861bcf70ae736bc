// Batches packed ahead are those that are packed on demand, whatever the order they are asked for in; batches
// of like length have every row once.
#include "runtime/batch_ahead.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

/// 103 rows of two sequences, of all lengths from 0 to 12.
Dataset many_rows() {
  std::mt19937 random(4);
  std::vector<std::vector<int32_t>> x, y;
  for (int i = 0; i < 103; ++i) {
    for (auto* rows : {&x, &y}) {
      auto& row = rows->emplace_back(random() % 13);
      for (int32_t& id : row) id = int32_t(random() % 50);
    }
  }
  Dataset dataset = test::two_sequences(x, y);
  for (int64_t r = 0; r < dataset.rows; ++r) dataset.train.push_back(r);
  return dataset;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.order, b.order);
  EXPECT_EQ(a.fresh, b.fresh);
  for (size_t d = 0; d < a.dimensions.size(); ++d) {
    EXPECT_EQ(a.dimensions[d].row_offset, b.dimensions[d].row_offset);
    EXPECT_EQ(a.dimensions[d].last_index, b.dimensions[d].last_index);
    EXPECT_EQ(a.dimensions[d].order, b.dimensions[d].order);
  }
  for (size_t f = 0; f < a.fields.size(); ++f) EXPECT_EQ(a.fields[f].ids, b.fields[f].ids);
}

TEST(BatchAhead, GivesTheSameBatches) {
  const Dataset dataset = many_rows();
  Batches plain(dataset, Part::Train, 8), other(dataset, Part::Train, 8);
  BatchAhead ahead(other);
  for (uint32_t epoch = 1; epoch <= 30; ++epoch) {
    plain.shuffle(7, epoch);
    ahead.shuffle(7, epoch);
    for (int64_t step = 0; step < plain.steps(); ++step) expect_same(ahead.batch(step), plain.batch(step));
  }
  // Again and again, backwards, and left in the middle of an epoch.
  for (const int64_t step : {3, 3, 4, 2, 1, 12, 0, 5, 6, 7})
    expect_same(ahead.batch(step), plain.batch(step));
  ahead.shuffle(7, 1);
  plain.shuffle(7, 1);
  expect_same(ahead.batch(8), plain.batch(8));
}

TEST(BatchAhead, ABatchThatIsNotThereIsRefusedAndTheNextOneIsFine) {
  const Dataset dataset = many_rows();
  Batches batches(dataset, Part::Train, 8);
  Batches short_of_room(dataset, Part::Train, 8, 2);  // rows are longer than that
  BatchAhead ahead(batches), fails(short_of_room);
  EXPECT_THROW(ahead.batch(batches.steps()), std::invalid_argument);
  EXPECT_THROW(ahead.batch(-1), std::invalid_argument);
  EXPECT_EQ(ahead.batch(0).rows, 8);
  for (int64_t step = 0; step < 3; ++step) EXPECT_THROW(fails.batch(step), std::invalid_argument);
}

TEST(Buckets, EveryRowOnceAndLikeLengthsTogether) {
  const Dataset dataset = many_rows();
  Batches plain(dataset, Part::Train, 8), bucketed(dataset, Part::Train, 8);
  bucketed.set_buckets(5);
  int64_t plain_steps = 0, bucketed_steps = 0;
  std::set<std::vector<int64_t>> orders;
  for (uint32_t epoch = 1; epoch <= 4; ++epoch) {
    plain.shuffle(1, epoch);
    bucketed.shuffle(1, epoch);
    std::multiset<int64_t> seen;
    std::vector<int64_t> order;
    for (int64_t step = 0; step < plain.steps(); ++step) {
      plain_steps += plain.batch(step).dimensions[0].steps;
      const Batch& batch = bucketed.batch(step);
      bucketed_steps += batch.dimensions[0].steps;
      EXPECT_EQ(batch.rows, step + 1 < plain.steps() ? 8 : 103 % 8);
      seen.insert(batch.order.begin(), batch.order.end());
      order.insert(order.end(), batch.order.begin(), batch.order.end());
    }
    EXPECT_EQ(seen, std::multiset<int64_t>(dataset.train.begin(), dataset.train.end()));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 4u);
  EXPECT_LT(bucketed_steps * 10, plain_steps * 8);
  // The order of an epoch does not depend on those before.
  Batches again(dataset, Part::Train, 8);
  again.set_buckets(5);
  again.shuffle(1, 4);
  for (int64_t step = 0; step < again.steps(); ++step) expect_same(again.batch(step), bucketed.batch(step));
}

}  // namespace
}  // namespace rnnc
