// Orders, offsets and maps of a batch: see spaces.h.
#include "ir/spaces.h"

#include <algorithm>
#include <numeric>

#include "ir/graph.h"

namespace rnnc {

namespace {

/// Of trees of so many nodes that have two children or none, or as it is known.
TreeSize size_of_trees(int base, int32_t nodes, std::span<const TreeSize> trees) {
  if (size_t(base) < trees.size()) return trees[size_t(base)];
  const int32_t leaves = std::max(1, (nodes + 1) / 2);
  return {leaves, leaves};
}

/// The distance of each node from its root. Parents come after their children.
std::vector<int32_t> levels_of(const TreeNodes& nodes) {
  std::vector<int32_t> level(nodes.left.size());
  for (size_t slot = nodes.offset.empty() ? 0 : nodes.offset.size() - 1; slot-- > 0;) {
    const int64_t first = nodes.offset[slot];
    for (int64_t i = nodes.offset[slot + 1]; i-- > first;) {
      for (int32_t child : {nodes.left[size_t(i)], nodes.right[size_t(i)]})
        if (child >= 0) level[size_t(first + child)] = level[size_t(i)] + 1;
    }
  }
  return level;
}

}  // namespace

std::vector<Space> sequence_spaces(const std::vector<std::string>& names, std::span<const int> within) {
  std::vector<Space> spaces;
  for (size_t d = 0; d < names.size(); ++d) {
    const int around = d < within.size() ? within[d] : -1;
    spaces.push_back({.kind = around < 0 ? Space::Sequence : Space::Nested,
                      .name = names[d],
                      .base = std::max(around, 0),
                      .inside = {}});
  }
  return spaces;
}

std::vector<int32_t> space_steps(std::span<const Space> spaces, std::span<const int32_t> longest,
                                 std::span<const TreeSize> trees) {
  std::vector<int32_t> steps;
  for (size_t i = 0; i < spaces.size(); ++i) {
    const Space& s = spaces[i];
    switch (s.kind) {
      case Space::Sequence:
      case Space::Nested: steps.push_back(longest[i]); break;
      case Space::Derived:
        steps.push_back(std::max(1, (steps[size_t(s.base)] + s.add + s.divide - 1) / s.divide));
        break;
      case Space::Constant: steps.push_back(s.steps); break;
      case Space::Inner: steps.push_back(steps[size_t(s.base)]); break;
      case Space::Levels: steps.push_back(size_of_trees(s.base, steps[size_t(s.base)], trees).depth); break;
    }
  }
  return steps;
}

std::vector<int64_t> inner_rows(std::span<const Space> spaces, std::span<const int32_t> steps,
                                std::span<const TreeSize> trees) {
  std::vector<int64_t> rows;
  for (const Space& s : spaces) {
    const bool first = size_t(s.base) >= rows.size();  // a first space of a constant is its own base
    const int64_t base = first ? 1 : rows[size_t(s.base)];
    rows.push_back(1);
    switch (s.kind) {
      case Space::Sequence: break;
      case Space::Derived:
      case Space::Constant: rows.back() = base; break;
      case Space::Levels: rows.back() = size_of_trees(s.base, steps[size_t(s.base)], trees).width; break;
      case Space::Nested: rows.back() = base * steps[size_t(s.base)]; break;
      case Space::Inner:
        rows.back() = base * s.inside.times;
        for (int d : s.inside.of) rows.back() *= steps[size_t(d)];
        break;
    }
  }
  return rows;
}

TreeSize tree_size(const TreeNodes& nodes) {
  const std::vector<int32_t> level = levels_of(nodes);
  TreeSize size;
  std::vector<int32_t> count;
  for (size_t slot = 0; slot + 1 < nodes.offset.size(); ++slot) {
    count.clear();
    for (int64_t i = nodes.offset[slot]; i < nodes.offset[slot + 1]; ++i) {
      const auto at = size_t(level[size_t(i)]);
      if (at >= count.size()) count.resize(at + 1);
      size.width = std::max(size.width, ++count[at]);
    }
    size.depth = std::max(size.depth, int32_t(count.size()));
  }
  return size;
}

BatchRows::BatchRows(std::span<const Space> spaces, int64_t batch,
                     std::span<const std::vector<int32_t>> lengths, std::span<const int32_t> capacity,
                     std::span<const TreeNodes> trees)
    : batch_(batch), spaces_(spaces.size()), trees_(trees.begin(), trees.end()) {
  static const std::vector<Space> examples{{.kind = Space::Constant, .name = {}, .steps = 1, .inside = {}}};
  if (spaces.empty()) {  // a model without steps: `B` is all there is
    spaces = examples;
    spaces_.resize(1);
    capacity_ = {1};
    capacity = capacity_;
  }
  if (capacity_.empty()) capacity_.assign(capacity.begin(), capacity.end());
  for (size_t i = 0; i < spaces.size(); ++i) {
    fill(i, spaces, lengths, capacity[i]);
    batch_rows_.push_back(spaces_[i].before.empty() ? batch : spaces_[i].before.back());
  }
  for (const Of& of : spaces_) offsets_.push_back(of.row_offset.data());
}

RowTable BatchRows::table() const {
  RowTable table;
  table.batch = batch_;
  table.row_offset = offsets_.data();
  table.capacity = capacity_.data();
  table.batch_rows = batch_rows_.data();
  return table;
}

void BatchRows::fill(size_t space, std::span<const Space> spaces,
                     std::span<const std::vector<int32_t>> lengths, int32_t capacity) {
  const Space& s = spaces[space];
  Of& of = spaces_[space];
  if (s.kind == Space::Levels) return fill_levels(of, s.base, capacity);
  const bool own = s.kind == Space::Sequence || s.kind == Space::Nested;
  if (!own && size_t(s.base) < space) {  // a first space of a constant is its own base
    const Of& base = spaces_[size_t(s.base)];
    of.order = base.order;
    of.length = base.length;
    of.first = base.first;
    of.slot = base.slot;
  }
  if (own) of.length = lengths[space];
  if (s.kind == Space::Nested) fill_nested(of, size_t(s.base));
  const size_t n = of.nested() ? of.slot.size() : size_t(batch_);
  if (s.kind == Space::Derived)
    for (int32_t& length : of.length) length = std::max(0, (length + s.add + s.divide - 1) / s.divide);
  if (s.kind == Space::Constant) of.length.assign(n, s.steps);
  if (of.order.empty()) {
    of.order.resize(n);
    std::iota(of.order.begin(), of.order.end(), 0);
    std::stable_sort(of.order.begin(), of.order.end(),
                     [&](int32_t a, int32_t b) { return of.length[size_t(a)] > of.length[size_t(b)]; });
  }
  if (of.nested()) {
    of.longest.assign(size_t(batch_), 0);
    for (size_t item = 0; item < n; ++item) {
      int32_t& longest = of.longest[size_t(of.slot[item])];
      longest = std::max(longest, of.length[item]);
    }
  }
  of.inside.assign(n, 1);
  of.place.resize(n);
  of.before.assign(n + 1, 0);
  for (size_t p = 0; p < n; ++p) {
    const auto item = size_t(of.order[p]);
    of.place[item] = int32_t(p);
    if (s.kind == Space::Inner) of.inside[p] = int32_t(size_of(s.inside, of.slot_of(int32_t(item))));
    of.before[p + 1] = of.before[p] + of.inside[p];
  }
  of.row_offset.assign(1, 0);
  size_t running = n;
  for (int32_t t = 0; t < capacity; ++t) {
    while (running > 0 && of.length[size_t(of.order[running - 1])] <= t) --running;
    of.row_offset.push_back(of.row_offset.back() + of.before[running]);
  }
}

/// Which elements around it are the items of a nested space.
void BatchRows::fill_nested(Of& of, size_t around) {
  const std::vector<int32_t>& elements = spaces_[around].length;
  of.first.assign(1, 0);
  for (size_t slot = 0; slot < elements.size(); ++slot) {
    of.slot.insert(of.slot.end(), size_t(elements[slot]), int32_t(slot));
    of.first.push_back(int32_t(of.slot.size()));
  }
  if (of.length.size() != of.slot.size())
    throw GraphError("as many nested sequences as there are elements around them");
}

void BatchRows::fill_levels(Of& of, int tree, int32_t capacity) {
  of.tree = tree;
  const TreeNodes& nodes = trees_[size_t(tree)];
  const auto total = size_t(nodes.offset.empty() ? 0 : nodes.offset.back());
  of.order.resize(size_t(batch_));
  std::iota(of.order.begin(), of.order.end(), 0);
  of.level = levels_of(nodes);
  of.in_level.assign(total, 0);
  std::vector<int64_t> count(static_cast<size_t>(capacity));
  for (size_t slot = 0; slot + 1 < nodes.offset.size(); ++slot) {
    of.length.push_back(0);
    for (int64_t i = nodes.offset[slot]; i < nodes.offset[slot + 1]; ++i) {
      const int32_t level = of.level[size_t(i)];
      if (level >= capacity) throw GraphError("a tree is deeper than the program has room for");
      of.in_level[size_t(i)] = int32_t(count[size_t(level)]++);
      of.length.back() = std::max(of.length.back(), level + 1);
    }
  }
  of.row_offset.assign(1, 0);
  for (int32_t t = 0; t < capacity; ++t) of.row_offset.push_back(of.row_offset.back() + count[size_t(t)]);
  of.nodes.resize(total);
  for (size_t slot = 0; slot + 1 < nodes.offset.size(); ++slot) {
    for (int64_t i = nodes.offset[slot]; i < nodes.offset[slot + 1]; ++i)
      of.nodes[size_t(of.row_offset[size_t(of.level[size_t(i)])] + of.in_level[size_t(i)])] = {
          int32_t(slot), int32_t(i - nodes.offset[slot])};
  }
}

int64_t BatchRows::size_of(const Extent& extent, int32_t slot) const {
  int64_t n = extent.times;
  for (int space : extent.of) {
    const Of& of = spaces_[size_t(space)];
    n *= (of.nested() ? of.longest : of.length)[size_t(slot)];
  }
  return n;
}

}  // namespace rnnc
