// Batches: rows in the order of an epoch, sorted by length and packed as the compiled programs read them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/dataset.h"

namespace rnnc {

/// One sequence dimension of a batch whose rows are sorted by length, longest first: step t has the rows
/// 0 .. row_offset[t+1] - row_offset[t] - 1, and its row b lies at row_offset[t] + b.
struct BatchDimension {
  std::vector<int64_t> row_offset;  // capacity + 1; constant beyond the longest row
  std::vector<int32_t>
      last_index;  // [rows]: row_offset[length - 1] + b, where a row's last element lies; -1 if empty
  std::vector<float> length;  // [rows]
  int64_t steps = 0;          // length of the longest row
};

/// One field of a batch.
struct BatchField {
  std::vector<int32_t> ids;    // Category: [rows]; Sequence: packed, [row_offset[t] + b]
  std::vector<float> numbers;  // Numbers: [rows][width]
};

struct Batch {
  int64_t rows = 0;
  std::vector<int64_t> order;              // [rows]: row number in the dataset
  std::vector<BatchDimension> dimensions;  // as Dataset::dimensions
  std::vector<BatchField> fields;          // as Dataset::fields

  std::vector<std::pair<int64_t, size_t>> keys;  // for sorting, kept so that no batch takes memory
};

/// Fills `batch` with these rows of the dataset, longest first (equal lengths: in the order given).
/// `capacity` is the number of steps of row_offset, at least the longest row. Buffers are reused. Throws
/// std::invalid_argument if a row is longer than capacity or does not exist.
void fill_batch(const Dataset& dataset, std::span<const int64_t> rows, int64_t capacity, Batch& batch);

/// The longest row along any sequence dimension; 0 without one.
int64_t longest_row(const Dataset& dataset);

/// The batches of one part. Which rows are in step s of epoch e depends on the seed, e and s only, so
/// training can go on anywhere.
class Batches {
 public:
  /// `batch_size` 0: all rows in one batch. `capacity` 0: the longest row of the dataset. The dataset must
  /// outlive this.
  Batches(const Dataset& dataset, Part part, int64_t batch_size, int64_t capacity = 0);

  /// A new random order (training), the one of this epoch.
  void shuffle(uint64_t seed, uint32_t epoch);
  /// The order of the data (evaluation), as after construction.
  void in_order();

  int64_t rows() const { return static_cast<int64_t>(order_.size()); }
  /// Batches of an epoch; the last may be smaller.
  int64_t steps() const;
  int64_t batch_size() const { return batch_size_; }
  int64_t capacity() const { return capacity_; }

  /// Batch `step` (0 .. steps()-1); valid until the next call.
  const Batch& batch(int64_t step);

 private:
  const Dataset& dataset_;
  const std::vector<int64_t>& part_;
  std::vector<int64_t> order_;
  int64_t batch_size_;
  int64_t capacity_;
  Batch batch_;
};

}  // namespace rnnc
