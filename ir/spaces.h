// Spaces of rows: how many rows each example has, in which order they lie, and how the same elements are found
// in another space.
//
//   0  T        a sequence dimension: one row an example and step, packed time-major, longest example first
//   1  S        another one, with an order of its own
//   2  T * S    inside T: every row of T has one row for each element of S; row-major within the example
//   3  28       a constant number of steps
//   4  (T-2)/1  derived from T: the same order, other lengths
//   5  levels N the nodes of trees by height: a level is a step
//
// Rows (ir/shape.h) name a space by its number, in two forms: `B2`, all rows of one example after the other, and
// steps of it. What runs at step t of a space is a prefix of what runs before, inside or not, so one table of
// offsets a space says all.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

struct Space {
  enum Kind : uint8_t { Sequence, Derived, Constant, Inner, Levels } kind = Sequence;
  std::string name;
  int base = 0;            // Derived: of which sequence; Inner: the space around it; Levels: the nodes' dimension
  int32_t add = 0;         // Derived: ceil((length + add) / divide), at least 0
  int32_t divide = 1;
  int32_t steps = 1;       // Constant
  int32_t times = 1;       // Inner: how many rows for each row of `base`,
  std::vector<int> inner;  //   times the example's lengths of these sequences
  bool operator==(const Space&) const = default;

  bool is_sequence() const { return kind != Inner && kind != Levels; }
};

/// Steps that each space needs if the data's sequences, the first of the spaces, need `longest`.
std::vector<int32_t> space_steps(std::span<const Space> spaces, std::span<const int32_t> longest);
/// The most rows inside one row of each space.
std::vector<int64_t> inner_rows(std::span<const Space> spaces, std::span<const int32_t> steps);

/// Binary trees of a batch, the nodes of one after the other, children before parents: the children of each node,
/// counted from the tree's first, or -1.
struct TreeNodes {
  std::vector<int64_t> offset;  // of each example, and the end
  std::vector<int32_t> left, right;
};

/// What `select` takes: `time STEP OFFSET BACK` or `axis STEP OFFSET BACK AFTER FROM TO`.
///
///   to[j] = from[j * step + offset], 0 where there is none; with `back` the adjoint: to[j * step + offset] = from[j]
///
/// along time, or along an inner dimension with `after` rows inside each of its elements; FROM and TO are its sizes,
/// -1-d for the length of sequence d.
struct Selection {
  bool time = true;
  int32_t step = 1, offset = 0;
  bool back = false;
  int32_t after = 1, from = 1, to = 1;
};
std::string to_string(const Selection& selection);
/// Throws GraphError if it is none.
Selection parse_selection(std::string_view how);
/// The name of the adjoint.
std::string reversed(std::string_view how);

/// An op between spaces, as it is applied to rows: what the runtime needs a table for.
struct SpaceMap {
  Op op = Op::Reorder;
  Rows from, to;
  int32_t offset = 0;
  std::string how;
  bool operator==(const SpaceMap&) const = default;
};

/// The rows of one batch in every space.
class BatchRows {
 public:
  /// `lengths[d][slot]`: of the data's sequences, the first of the spaces; a slot is an example in the order of
  /// sequence 0, longest first. `capacity` is the steps of each space that the tables go to. `trees[d]`: of the
  /// sequences that are trees.
  BatchRows(std::span<const Space> spaces, int64_t batch, std::span<const std::vector<int32_t>> lengths,
            std::span<const int32_t> capacity, std::span<const TreeNodes> trees = {});

  int64_t batch() const { return batch_; }
  size_t size() const { return spaces_.size(); }
  const std::vector<int64_t>& row_offset(size_t space) const { return spaces_[space].row_offset; }
  std::span<const int64_t> batch_rows() const { return batch_rows_; }
  /// The examples in the order of a space.
  const std::vector<int32_t>& order(size_t space) const { return spaces_[space].order; }
  int32_t length(size_t space, int64_t slot) const { return spaces_[space].length[size_t(slot)]; }
  RowTable table() const;

  /// For each row of `map.to` the row of `map.from` it takes, -1 for none; of groups: first, count and distance of
  /// the rows it joins.
  std::vector<int32_t> rows_of(const SpaceMap& map) const;
  /// Of each node in the order of the levels: where its child lies among them (-1: none), and the other way round:
  /// which place of (left, right), pairs in the order of the levels, a node is the child at.
  std::vector<int32_t> children(size_t levels) const;
  std::vector<int32_t> child_of(size_t levels) const;

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
