// Spaces of rows: how many rows each example has, in which order they lie, and how the same elements are
// found in another space.
//
//   0  T        a sequence dimension: one row an example and step, packed time-major, longest example first
//   1  S        another one, with an order of its own
//   2  T: S     inside T: every row of T has one row for each element of S
//   3  28       a constant number of steps
//   4  (T-2)/1  derived from T: the same order, other lengths
//   5  levels N the nodes of trees by height: a level is a step
//
// Rows (ir/shape.h) name a space by its number, in two forms: `B2`, all rows inside one example, one example
// after the other, and steps of it. What runs at step t of a space is a prefix of what runs before, inside or
// not, so one table of offsets a space says all.
//
// An *element* is counted within its example, row-major over its dimensions, wherever its rows stand: element
// 7 of `T0.*` is step 7, and so it is of `B` rows inside which T lies. So a map between spaces says only how
// the dimensions of the one are found in the other.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/shape.h"

namespace rnnc {

/// A number of elements: `times`, times the example's lengths of the spaces `of`. Text: `3`, `#0`, `2*#0*#1`.
struct Extent {
  int32_t times = 1;
  std::vector<int> of;
  bool operator==(const Extent&) const = default;
};
Extent operator*(Extent a, const Extent& b);
std::string to_string(const Extent& extent);

struct Space {
  enum Kind : uint8_t { Sequence, Derived, Constant, Inner, Levels } kind = Sequence;
  std::string name;
  int base = 0;     // Derived: of which sequence; Inner: the space around it; Levels: the nodes' dimension
  int32_t add = 0;  // Derived: ceil((length + add) / divide), at least 0
  int32_t divide = 1;
  int32_t steps = 1;  // Constant
  Extent inside;      // Inner: how many rows for each row of `base`
  bool operator==(const Space&) const = default;
};

/// Steps that each space needs if the data's sequences, the first of the spaces, need `longest`.
std::vector<int32_t> space_steps(std::span<const Space> spaces, std::span<const int32_t> longest);
/// The most rows inside one row of each space, if it has these steps.
std::vector<int64_t> inner_rows(std::span<const Space> spaces, std::span<const int32_t> steps);

/// For each row of a space the row of another one that belongs to it, as an index for `gather` and `scatter`.
/// The name of the input that brings it says all:
///
///   %rows TO FROM : DIMENSIONS OF TO : DIMENSIONS OF FROM
///
///   %rows T2.* B : #0 4 : 1        row (t, i) of T2, i below 4, belongs to row i of the example
///   %rows T0.* T0.* : #0 : 0*1-1<#0    element t to element t - 1; none to the first
///   %rows B T0.* : : last<#0       an example to its last element
struct RowMap {
  struct From {   // position of one dimension of `from`: position `dim` of `to`, times `step`, plus `offset`
    int dim = 0;  // kFirst, kLast: the first, the last
    int32_t step = 1, offset = 0;
    Extent size;  // a position outside of it: none
    bool operator==(const From&) const = default;
  };
  static constexpr int kFirst = -1, kLast = -2;
  Rows to, from;
  std::vector<Extent> dims;  // of `to`, without the step if it is the step at hand
  std::vector<From> sources;
  bool operator==(const RowMap&) const = default;
};
std::string to_string(const RowMap& map);
bool is_row_map(std::string_view input);
/// Throws GraphError if it is none.
RowMap parse_row_map(std::string_view input);

/// Binary trees of a batch, the nodes of one after the other, children before parents: the children of each
/// node, counted from the tree's first, or -1.
struct TreeNodes {
  std::vector<int64_t> offset;  // of each example (in the order of sequence 0), and the end
  std::vector<int32_t> left, right;
};

/// The rows of one batch in every space.
class BatchRows {
 public:
  /// `lengths[d][slot]`: of the data's sequences, the first of the spaces; a slot is an example in the order
  /// of sequence 0, longest first. `capacity` is the steps of each space that the tables go to. `trees[d]`:
  /// of the sequences that are trees.
  BatchRows(std::span<const Space> spaces, int64_t batch, std::span<const std::vector<int32_t>> lengths,
            std::span<const int32_t> capacity, std::span<const TreeNodes> trees = {});
  BatchRows(const BatchRows&) = delete;
  BatchRows& operator=(const BatchRows&) = delete;

  int64_t batch() const { return batch_; }
  size_t size() const { return spaces_.size(); }
  const std::vector<int64_t>& row_offset(size_t space) const { return spaces_[space].row_offset; }
  std::span<const int64_t> batch_rows() const { return batch_rows_; }
  /// The examples in the order of a space.
  const std::vector<int32_t>& order(size_t space) const { return spaces_[space].order; }
  int32_t length(size_t space, int64_t slot) const { return spaces_[space].length[size_t(slot)]; }
  /// What the interpreter and the shapes read; valid as long as this is.
  RowTable table() const;

  /// For each row of `map.to` the row of `map.from`, -1 for none.
  std::vector<int32_t> rows_of(const RowMap& map) const;
  /// Of each node in the order of the levels: where its child lies among them, -1: it has none.
  std::vector<int32_t> child(size_t levels, bool right) const;

 private:
  struct Of {
    std::vector<int32_t> order, place;  // slot of a place, place of a slot
    std::vector<int32_t> length;        // steps of a slot
    std::vector<int32_t> inside;        // rows of a place in each of its steps
    std::vector<int64_t> before;        // rows of the places before it; one more: of all
    std::vector<int64_t> row_offset;
    // levels: of each node of each slot (as in TreeNodes) its level and place there
    std::vector<int32_t> level, in_level;
    int tree = -1;
  };
  void fill(size_t space, std::span<const Space> spaces, std::span<const std::vector<int32_t>> lengths,
            int32_t capacity);
  void fill_levels(Of& of, int tree, int32_t capacity);
  int64_t size_of(const Extent& extent, int32_t slot) const;
  int64_t row(Rows rows, int32_t slot, int64_t element) const;
  template <typename F>
  void for_each(Rows rows, F f) const;

  int64_t batch_ = 0;
  std::vector<Of> spaces_;
  std::vector<int64_t> batch_rows_;
  std::vector<TreeNodes> trees_;
  std::vector<const int64_t*> offsets_;
  std::vector<int32_t> capacity_;
};

}  // namespace rnnc
