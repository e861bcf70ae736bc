// Orders, offsets and maps of a batch: see spaces.h.
#include "ir/spaces.h"

#include <algorithm>
#include <numeric>

#include "ir/graph.h"

namespace rnnc {

std::vector<int32_t> space_steps(std::span<const Space> spaces, std::span<const int32_t> longest) {
  std::vector<int32_t> steps;
  for (size_t i = 0; i < spaces.size(); ++i) {
    const Space& s = spaces[i];
    switch (s.kind) {
      case Space::Sequence: steps.push_back(longest[i]); break;
      case Space::Derived:
        steps.push_back(std::max(1, (steps[size_t(s.base)] + s.add + s.divide - 1) / s.divide));
        break;
      case Space::Constant: steps.push_back(s.steps); break;
      case Space::Inner:
      case Space::Levels: steps.push_back(steps[size_t(s.base)]); break;
    }
  }
  return steps;
}

std::vector<int64_t> inner_rows(std::span<const Space> spaces, std::span<const int32_t> steps) {
  std::vector<int64_t> rows;
  for (const Space& s : spaces) {
    rows.push_back(s.kind == Space::Inner ? s.inside.times : 1);
    if (s.kind != Space::Inner) continue;
    for (int d : s.inside.of) rows.back() *= steps[size_t(d)];
  }
  return rows;
}

BatchRows::BatchRows(std::span<const Space> spaces, int64_t batch,
                     std::span<const std::vector<int32_t>> lengths, std::span<const int32_t> capacity,
                     std::span<const TreeNodes> trees)
    : batch_(batch), spaces_(spaces.size()), trees_(trees.begin(), trees.end()) {
  capacity_.assign(capacity.begin(), capacity.end());
  for (size_t i = 0; i < spaces.size(); ++i) {
    fill(i, spaces, lengths, capacity[i]);
    batch_rows_.push_back(spaces_[i].before.empty() ? batch : spaces_[i].before.back());
  }
  if (batch_rows_.empty()) batch_rows_.push_back(batch);
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
  const auto n = size_t(batch_);
  if (s.kind == Space::Inner || s.kind == Space::Derived) {
    const Of& base = spaces_[size_t(s.base)];
    of.order = base.order;
    of.length = base.length;
  }
  if (s.kind == Space::Derived)
    for (int32_t& length : of.length) length = std::max(0, (length + s.add + s.divide - 1) / s.divide);
  if (s.kind == Space::Sequence) of.length = lengths[space];
  if (s.kind == Space::Constant) of.length.assign(n, s.steps);
  if (of.order.empty()) {
    of.order.resize(n);
    std::iota(of.order.begin(), of.order.end(), 0);
    std::stable_sort(of.order.begin(), of.order.end(),
                     [&](int32_t a, int32_t b) { return of.length[size_t(a)] > of.length[size_t(b)]; });
  }
  of.inside.assign(n, 1);
  of.place.resize(n);
  of.before.assign(n + 1, 0);
  for (size_t p = 0; p < n; ++p) {
    const auto slot = size_t(of.order[p]);
    of.place[slot] = int32_t(p);
    if (s.kind == Space::Inner) of.inside[p] = int32_t(size_of(s.inside, int32_t(slot)));
    of.before[p + 1] = of.before[p] + of.inside[p];
  }
  of.row_offset.assign(1, 0);
  size_t running = n;
  for (int32_t t = 0; t < capacity; ++t) {
    while (running > 0 && of.length[size_t(of.order[running - 1])] <= t) --running;
    of.row_offset.push_back(of.row_offset.back() + of.before[running]);
  }
}

void BatchRows::fill_levels(Of& of, int tree, int32_t capacity) {
  of.tree = tree;
  const TreeNodes& nodes = trees_[size_t(tree)];
  const auto total = size_t(nodes.offset.empty() ? 0 : nodes.offset.back());
  of.level.assign(total, 0);
  of.in_level.assign(total, 0);
  std::vector<int64_t> count(size_t(capacity) + 1);
  for (size_t slot = 0; slot + 1 < nodes.offset.size(); ++slot) {
    const int64_t first = nodes.offset[slot];
    for (int64_t i = first; i < nodes.offset[slot + 1]; ++i) {
      int32_t& level = of.level[size_t(i)];
      for (int32_t child : {nodes.left[size_t(i)], nodes.right[size_t(i)]}) {
        if (child >= 0) level = std::max(level, of.level[size_t(first + child)] + 1);
      }
      if (level >= capacity) throw GraphError("a tree is higher than the program has room for");
      of.in_level[size_t(i)] = int32_t(count[size_t(level)]++);
    }
  }
  of.row_offset.assign(1, 0);
  for (int32_t t = 0; t < capacity; ++t) of.row_offset.push_back(of.row_offset.back() + count[size_t(t)]);
}

int64_t BatchRows::size_of(const Extent& extent, int32_t slot) const {
  int64_t n = extent.times;
  for (int space : extent.of) n *= spaces_[size_t(space)].length[size_t(slot)];
  return n;
}

/// The row of an element in `rows`, -1 if it is not there.
int64_t BatchRows::row(Rows rows, int32_t slot, int64_t element) const {
  if (rows.kind == Rows::Fixed) return element < rows.begin ? element : -1;
  const Of& of = spaces_[rows.dim];
  if (of.tree >= 0) {
    const auto node = size_t(trees_[size_t(of.tree)].offset[size_t(slot)] + element);
    return of.row_offset[size_t(of.level[node])] + of.in_level[node];
  }
  const auto place = size_t(of.place[size_t(slot)]);
  const int64_t inside = of.inside[place];
  if (rows.kind == Rows::Batch) return element < inside ? of.before[place] + element : -1;
  if (inside == 0) return -1;
  const int64_t t = element / inside;
  if (t >= of.length[size_t(slot)] || t + 1 >= int64_t(of.row_offset.size())) return -1;
  return of.row_offset[size_t(t)] + of.before[place] + element % inside;
}

/// Calls f(slot, element) for each row in its order.
template <typename F>
void BatchRows::for_each(Rows rows, F f) const {
  const Of& of = spaces_[rows.dim];
  if (of.tree >= 0) {  // in the order of the levels, each in that of slots and nodes
    const TreeNodes& nodes = trees_[size_t(of.tree)];
    std::vector<std::pair<int32_t, int32_t>> at(size_t(of.row_offset.back()));
    for (size_t slot = 0; slot + 1 < nodes.offset.size(); ++slot) {
      for (int64_t i = nodes.offset[slot]; i < nodes.offset[slot + 1]; ++i)
        at[size_t(of.row_offset[size_t(of.level[size_t(i)])] + of.in_level[size_t(i)])] = {
            int32_t(slot), int32_t(i - nodes.offset[slot])};
    }
    for (auto [slot, element] : at) f(slot, element);
    return;
  }
  const int32_t steps = rows.kind == Rows::Batch ? 1 : int32_t(of.row_offset.size()) - 1;
  for (int32_t t = 0; t < steps; ++t) {
    for (size_t p = 0; p < of.order.size(); ++p) {
      if (rows.kind == Rows::Steps && of.length[size_t(of.order[p])] <= t) break;
      for (int64_t i = 0; i < of.inside[p]; ++i) f(of.order[p], int64_t(t) * of.inside[p] + i);
    }
  }
}

std::vector<int32_t> BatchRows::rows_of(const RowMap& map) const {
  std::vector<int32_t> result;
  std::vector<int64_t> position(map.dims.size());
  for_each(map.to, [&](int32_t slot, int64_t element) {
    for (size_t d = map.dims.size(); d-- > 0;) {
      const int64_t size = std::max<int64_t>(1, size_of(map.dims[d], slot));
      position[d] = element % size;
      element /= size;
    }
    int64_t source = 0;
    bool there = true;
    for (const RowMap::From& f : map.sources) {
      const int64_t size = size_of(f.size, slot);
      const int64_t at = f.dim == RowMap::kFirst  ? 0
                         : f.dim == RowMap::kLast ? size - 1
                                                  : position[size_t(f.dim)] * f.step + f.offset;
      there = there && at >= 0 && at < size;
      source = source * size + at;
    }
    result.push_back(there ? int32_t(row(map.from, slot, source)) : -1);
  });
  return result;
}

std::vector<int32_t> BatchRows::child(size_t levels, bool right) const {
  const TreeNodes& nodes = trees_[size_t(spaces_[levels].tree)];
  const Rows all = Rows::all(int(levels));
  std::vector<int32_t> result;
  for_each(all, [&](int32_t slot, int64_t e) {
    const auto node = size_t(nodes.offset[size_t(slot)] + e);
    const int32_t child = (right ? nodes.right : nodes.left)[node];
    result.push_back(child < 0 ? -1 : int32_t(row(all, slot, child)));
  });
  return result;
}

}  // namespace rnnc
