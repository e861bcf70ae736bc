// Spaces of rows: how many rows each example has, in which order they lie, and how the same elements are
// found in another space.
//
//   0  T        a sequence dimension: one row an example and step, packed time-major, longest example first
//   1  S        another one, with an order of its own
//   2  T: S     inside T: every row of T has one row for each element of S
//   3  28       a constant number of steps
//   4  (T-2)/1  derived from T: the same order, other lengths
//   5  levels N the nodes of trees by depth: a level is a step, the roots are step 0
//
// Rows (ir/shape.h) name a space by its number, in two forms: `B2`, all rows inside one example, one example
// after the other, and steps of it. What runs at step t of a space is a prefix of what runs before, inside or
// not, so one table of offsets a space says all. Only levels of trees grow and shrink from step to step:
// their rows find each other by index.
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
  // Derived: of which sequence; Constant: whose order its rows keep; Inner: the space around it; Levels: the
  // nodes' dimension
  int base = 0;
  int32_t add = 0;  // Derived: ceil((length + add) / divide), at least 0
  int32_t divide = 1;
  int32_t steps = 1;  // Constant
  Extent inside;      // Inner: how many rows for each row of `base`
  bool operator==(const Space&) const = default;
};

/// The spaces of a model with these sequence dimensions, before it makes any of its own.
std::vector<Space> sequence_spaces(const std::vector<std::string>& names);

/// Binary trees of a batch, the nodes of one after the other, children before parents, the root last: the
/// children of each node, counted from the tree's first, or -1.
struct TreeNodes {
  std::vector<int64_t> offset;  // of each example (in the order of sequence 0), and the end
  std::vector<int32_t> left, right;
};

/// What trees need room for: levels, and nodes of one example in a level.
struct TreeSize {
  int32_t depth = 1, width = 1;
};
TreeSize tree_size(const TreeNodes& nodes);

/// Steps that each space needs if the data's sequences, the first of the spaces, need `longest`, and those
/// that are trees `trees[dim]`; by default trees of so many nodes that have two children or none.
std::vector<int32_t> space_steps(std::span<const Space> spaces, std::span<const int32_t> longest,
                                 std::span<const TreeSize> trees = {});
/// The most rows inside one row of each space, if it has these steps.
std::vector<int64_t> inner_rows(std::span<const Space> spaces, std::span<const int32_t> steps,
                                std::span<const TreeSize> trees = {});

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
/// Whether the map is the same for all batches of as many rows: no length takes part in it.
bool same_for_all(const RowMap& map, std::span<const Space> spaces);

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
  /// Steps of an example; of levels: the depth of its tree.
  int32_t length(size_t space, int64_t slot) const { return spaces_[space].length[size_t(slot)]; }
  /// What the interpreter and the shapes read; valid as long as this is.
  RowTable table() const;

  /// The row of an example's element in `rows`, -1 if it is not there.
  int64_t row(Rows rows, int32_t slot, int64_t element) const;
  /// Calls f(slot, element) for each row of `rows`, all steps or all of the batch, in its order.
  template <typename F>
  void for_each(Rows rows, F f) const {
    for_each_run(rows, [&](int32_t slot, int64_t element, int64_t count) {
      for (int64_t i = 0; i < count; ++i) f(slot, element + i);
    });
  }
  /// For each row of `map.to` the row of `map.from`, -1 for none.
  std::vector<int32_t> rows_of(const RowMap& map) const;
  /// Of each node in the order of the levels: which row of the next level its child is, -1: it has none.
  std::vector<int32_t> child(size_t levels, bool right) const;

 private:
  struct Node {
    int32_t slot, number;
  };
  struct Of {
    std::vector<int32_t> order, place;  // slot of a place, place of a slot
    std::vector<int32_t> length;        // steps of a slot
    std::vector<int32_t> inside;        // rows of a place in each of its steps
    std::vector<int64_t> before;        // rows of the places before it; one more: of all
    std::vector<int64_t> row_offset;
    // levels: of each node of each slot (as in TreeNodes) its level and place there, and the nodes by levels
    std::vector<int32_t> level, in_level;
    std::vector<Node> nodes;
    int tree = -1;
  };
  void fill(size_t space, std::span<const Space> spaces, std::span<const std::vector<int32_t>> lengths,
            int32_t capacity);
  void fill_levels(Of& of, int tree, int32_t capacity);
  int64_t size_of(const Extent& extent, int32_t slot) const;

  /// Calls f(slot, element, count) for each run of elements in the order of the rows.
  template <typename F>
  void for_each_run(Rows rows, F f) const {
    const Of& of = spaces_[rows.dim];
    if (of.tree >= 0) {
      for (const Node& node : of.nodes) f(node.slot, int64_t(node.number), int64_t(1));
      return;
    }
    const int32_t steps = rows.kind == Rows::Batch ? 1 : int32_t(of.row_offset.size()) - 1;
    for (int32_t t = 0; t < steps; ++t) {
      for (size_t p = 0; p < of.order.size(); ++p) {
        if (rows.kind == Rows::Steps && of.length[size_t(of.order[p])] <= t) break;
        f(of.order[p], int64_t(t) * of.inside[p], int64_t(of.inside[p]));
      }
    }
  }

  int64_t batch_ = 0;
  std::vector<Of> spaces_;
  std::vector<int64_t> batch_rows_;
  std::vector<TreeNodes> trees_;
  std::vector<const int64_t*> offsets_;
  std::vector<int32_t> capacity_;
};

}  // namespace rnnc
