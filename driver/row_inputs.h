// What programs read of the rows of a batch beside the data: which rows belong together, how long each
// example is, which number it has. The name of an input says what it brings; the batch says the rest.
//
//   %rows TO FROM : ...   a map between spaces (ir/spaces.h), i32
//   %last.D               where the last element of each example lies in the stack of space D, -1: none; i32
//   %length.D             elements of each example along D; f32
//   %order.FROM.TO        for each place in the order of TO the place in that of FROM, i32
//   %row, %row.D          the number of each row in the data; with two columns and the element in its example
//   %left.L, %right.L     of each node by levels the row of its child in the next level, -1: none; i32
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/spaces.h"
#include "runtime/program.h"

namespace rnnc {

/// A batch as its examples are: what BatchRows reads, and their numbers. Slots stand in the order of sequence
/// 0, longest first.
struct Examples {
  int64_t count = 0;
  std::vector<std::vector<int32_t>> lengths;  // of the data's sequences
  std::vector<TreeNodes> trees;               // of those that are trees; else empty
  std::vector<int32_t> numbers;               // `%row`; empty: 0, 1, 2, ...
};

Rows rows_of_range(const RowRange& range);
/// The row tables of a program; they point into `rows`.
RowTables row_tables(const BatchRows& rows);

class RowInputs {
 public:
  explicit RowInputs(std::vector<Space> spaces) : spaces_(std::move(spaces)) {}

  /// The batch that is asked for from now on, for programs with these steps of each space.
  void take(Examples examples, std::span<const int32_t> capacity);
  const std::vector<Space>& spaces() const { return spaces_; }
  const BatchRows& rows() const { return *rows_; }
  const Examples& examples() const { return examples_; }
  /// The number in the data of an example.
  int32_t number(int64_t slot) const {
    return examples_.numbers.empty() ? int32_t(slot) : examples_.numbers[size_t(slot)];
  }

  struct Values {
    std::vector<int32_t> ids;
    std::vector<float> numbers;  // of `%length`; else there are ids
  };
  /// What an input brings in this batch, null if its name is none of those above. `rows` and `cols` are its
  /// shape. Valid until the next batch.
  const Values* find(const std::string& input, Rows rows, int32_t cols);
  /// Sets the rows of the session and all inputs of its program that are found.
  void set(Session& session);

 private:
  struct Input {
    enum Kind { None, Map, Last, Length, Order, Number, Left, Right } kind = None;
    int space = 0, to = 0;
    RowMap map;
    bool constant = false;  // the same for all batches of `made_for` examples
    int64_t made_for = -1;
    int64_t batch = -1;  // made for this batch
    Values values;
  };
  static Input parse(const std::string& name);
  void fill(Input& input, Rows rows, int32_t cols);
  void fill_numbers(Input& input, Rows rows, int32_t cols) const;

  std::vector<Space> spaces_;
  Examples examples_;
  std::unique_ptr<BatchRows> rows_;
  std::map<std::string, Input> inputs_;
  int64_t batch_ = 0;  // counted
};

/// Values that stand example after example (in the order of the slots, example s from `first[s]` on),
/// row-major over its dimensions, in the order of `rows`.
template <typename T>
void pack_rows(const BatchRows& batch, Rows rows, std::span<const int64_t> first, std::span<const T> values,
               size_t cols, std::vector<T>& to) {
  to.clear();
  batch.for_each(rows, [&](int32_t slot, int64_t element) {
    const auto at = values.begin() + (first[size_t(slot)] + element) * int64_t(cols);
    to.insert(to.end(), at, at + int64_t(cols));
  });
}

}  // namespace rnnc
