// Batches: rows in the order of an epoch, sorted by length and packed as the compiled programs read them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/dataset.h"

namespace rnnc {

/// What a row of a batch reads: a row of the dataset, or a piece of one.
struct Piece {
  int64_t row = 0;      // of the dataset
  int64_t begin = 0;    // its first element
  int64_t length = -1;  // elements; -1: all of the row, along each dimension
  int64_t number = 0;   // `%row`: the row's number; in `chunk` that of the row of the batch
};

/// One sequence dimension of a batch. Its rows are sorted by length, longest first: step t has the rows
/// 0 .. row_offset[t+1] - row_offset[t] - 1, and its row b lies at row_offset[t] + b. Of a dimension within
/// another one the rows are the elements of that.
struct BatchDimension {
  std::vector<int64_t> row_offset;  // capacity + 1; constant beyond the longest row
  std::vector<int32_t>
      last_index;  // [rows]: row_offset[length - 1] + b, where a row's last element lies; -1 if empty
  std::vector<float> length;   // [rows]
  std::vector<int64_t> order;  // [rows]: which row of the batch (index into Batch::order) is at place b here
  std::vector<int64_t> words;  // within another one: the elements of that, row after row (of Dataset::data);
                               // then `order` says which of them
  int64_t steps = 0;           // length of the longest row
};

/// One field of a batch. Values along a dimension are packed in its order: row b of step t at row_offset[t] +
/// b; Links are all n * n numbers of a row, row after row in the dimension's order. Other values are in the
/// order of Batch::order.
struct BatchField {
  std::vector<int32_t> ids;    // Category, Sequence, Tree
  std::vector<float> numbers;  // Numbers: [..][width]; Links
};

struct Batch {
  int64_t rows = 0;
  std::vector<int64_t> order;              // [rows]: row number in the dataset; the order of dimension 0
  std::vector<Piece> pieces;               // [rows]: what of it
  std::vector<BatchDimension> dimensions;  // as Dataset::dimensions
  std::vector<BatchField> fields;          // as Dataset::fields
  bool fresh = true;                       // states do not go on from the batch before

  // Kept so that no batch takes memory:
  std::vector<std::pair<int64_t, size_t>> keys;  // for sorting
  std::vector<Piece> chosen;
};

/// Fills `batch` with these rows of the dataset, longest first (equal lengths: in the order given).
/// `capacity` is the number of steps of row_offset, at least the longest row. Buffers are reused. Throws
/// std::invalid_argument if a row is longer than capacity or does not exist.
void fill_batch(const Dataset& dataset, std::span<const int64_t> rows, int64_t capacity, Batch& batch);
/// The same with pieces of rows.
void fill_pieces(const Dataset& dataset, std::span<const Piece> pieces, int64_t capacity, Batch& batch);

/// `next(FIELD, n)` of a field along a dimension, packed like the field: the element n later, of the row of
/// the dataset, be it in the piece or behind it. `has` is 1 where there is one; else it is 0, and so is the
/// number; an id is -1.
void fill_next(const Dataset& dataset, const Batch& batch, size_t field, int64_t n, BatchField& next,
               std::vector<float>& has);

/// The longest row along any sequence dimension, or the length of pieces; 0 without one.
int64_t longest_row(const Dataset& dataset);

/// Rows that a batch of the training part can have at most: rows of the part, or pieces that it can be cut
/// into.
int64_t rows_to_batch(const Dataset& dataset);

/// The batches of one part. Which rows are in step s of epoch e depends on the seed, e and s only, so
/// training can go on anywhere.
///
/// With `chunk` a batch of B rows reads B equally long parts of the sequence side by side, a piece of each in
/// a step; with `sample` it reads B pieces of it in random order, in the last step fewer. What does not fill
/// a piece (`chunk`: in every row) is left out, whatever the offset: an epoch always has the same number of
/// steps.
class Batches {
 public:
  /// Evaluation: one row reads all pieces of a `chunk` in order, the last may be shorter; a `sample` has the
  /// same pieces, `batch_size` of them at a time.
  enum class Purpose { Training, Evaluation };

  /// `batch_size` 0: all rows in one batch. `capacity` 0: the longest row of the dataset. The dataset must
  /// outlive this.
  Batches(const Dataset& dataset, Part part, int64_t batch_size, int64_t capacity = 0,
          Purpose purpose = Purpose::Training);

  /// Batches of rows of like length, in training: after each shuffle every `batches` * batch size rows in a
  /// row are sorted by their length along the first sequence dimension and cut into batches, and these are
  /// shuffled. 1: no buckets. Pieces are of one length already.
  void set_buckets(int64_t batches) { buckets_ = batches; }

  /// A new random order and offset (training), those of this epoch.
  void shuffle(uint64_t seed, uint32_t epoch);
  /// The order of the data (evaluation), as after construction.
  void in_order();

  /// Rows or pieces of an epoch.
  int64_t rows() const { return rows_; }
  /// Batches of an epoch; the last may be smaller.
  int64_t steps() const { return steps_; }
  int64_t batch_size() const { return batch_size_; }
  int64_t capacity() const { return capacity_; }

  /// Batch `step` (0 .. steps()-1); valid until the next call.
  const Batch& batch(int64_t step);
  /// The same into a batch of the caller's.
  void fill(int64_t step, Batch& batch) const;

 private:
  void count_pieces();
  void sort_buckets(uint64_t seed, uint32_t epoch);
  Piece piece(int64_t step, int64_t row) const;

  const Dataset& dataset_;
  const std::vector<int64_t>& part_;
  Purpose purpose_;
  std::vector<int64_t> order_;  // row numbers; of `sample` pieces
  int64_t batch_size_;
  int64_t capacity_;
  int64_t rows_ = 0;
  int64_t steps_ = 0;
  int64_t offset_ = 0;      // elements left out at the beginning
  int64_t row_length_ = 0;  // chunk: elements of each row of the batch
  int64_t buckets_ = 1;
  Batch batch_;
};

}  // namespace rnnc
