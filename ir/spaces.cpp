// Orders, offsets and maps of a batch: see spaces.h.
#include "ir/spaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

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
    rows.push_back(s.kind == Space::Inner ? s.times : 1);
    for (int d : s.inner) rows.back() *= steps[size_t(d)];
  }
  return rows;
}

std::string to_string(const Selection& s) {
  if (s.time) return fmt::format("time {} {} {}", s.step, s.offset, int(s.back));
  return fmt::format("axis {} {} {} {} {} {}", s.step, s.offset, int(s.back), s.after, s.from, s.to);
}

Selection parse_selection(std::string_view how) {
  std::istringstream in{std::string(how)};
  Selection s;
  std::string kind;
  int back = 0;
  in >> kind >> s.step >> s.offset >> back;
  s.time = kind == "time";
  s.back = back != 0;
  if (!s.time) in >> s.after >> s.from >> s.to;
  if (in.fail() || (kind != "time" && kind != "axis") || s.step < 1 || s.after < 1)
    throw GraphError(fmt::format("`{}` selects nothing", how));
  return s;
}

std::string reversed(std::string_view how) {
  Selection s = parse_selection(how);
  s.back = !s.back;
  return to_string(s);
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
  table.spaces = this;
  return table;
}

void BatchRows::fill(size_t space, std::span<const Space> spaces,
                     std::span<const std::vector<int32_t>> lengths, int32_t capacity) {
  const Space& s = spaces[space];
  Of& of = spaces_[space];
  if (s.kind == Space::Levels) return fill_levels(of, s.base, capacity);
  const auto n = size_t(batch_);
  of.inside.assign(n, 1);
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
  of.place.resize(n);
  of.before.assign(n + 1, 0);
  for (size_t p = 0; p < n; ++p) {
    const auto slot = size_t(of.order[p]);
    of.place[slot] = int32_t(p);
    if (s.kind == Space::Inner) {
      of.inside[p] = s.times;
      for (int d : s.inner) of.inside[p] *= spaces_[size_t(d)].length[slot];
    }
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
      for (int32_t child : {nodes.left[size_t(i)], nodes.right[size_t(i)]}) {
        if (child >= 0) of.level[size_t(i)] = std::max(of.level[size_t(i)], of.level[size_t(first + child)] + 1);
      }
      of.in_level[size_t(i)] = int32_t(count[size_t(of.level[size_t(i)])]++);
    }
  }
  of.row_offset.assign(1, 0);
  for (int32_t t = 0; t < capacity; ++t) of.row_offset.push_back(of.row_offset.back() + count[size_t(t)]);
}

/// The row of an element (counted within its example) in `rows`, -1 if it is not there.
int64_t BatchRows::row(Rows rows, int32_t slot, int64_t element) const {
  const Of& of = spaces_[rows.dim];
  if (of.tree >= 0) {
    const auto node = size_t(trees_[size_t(of.tree)].offset[size_t(slot)] + element);
    const int32_t t = of.level[node];
    if (t < rows.begin || t >= rows.end) return -1;
    return of.row_offset[size_t(t)] - of.row_offset[size_t(rows.begin)] + of.in_level[node];
  }
  const auto place = size_t(of.place[size_t(slot)]);
  const int64_t inside = of.inside[place];
  if (rows.kind == Rows::Batch) return element < inside ? of.before[place] + element : -1;
  if (inside == 0) return -1;
  const int64_t t = element / inside;
  if (t < rows.begin || t >= rows.end || t >= of.length[size_t(slot)]) return -1;
  return of.row_offset[size_t(t)] - of.row_offset[size_t(rows.begin)] + of.before[place] + element % inside;
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
    const int64_t end = of.row_offset[std::min(size_t(rows.end), of.row_offset.size() - 1)];
    for (int64_t r = of.row_offset[size_t(rows.begin)]; r < end; ++r) f(at[size_t(r)].first, at[size_t(r)].second);
    return;
  }
  const auto one_step = [&](int32_t t) {
    for (size_t p = 0; p < of.order.size(); ++p) {
      if (rows.kind == Rows::Steps && of.length[size_t(of.order[p])] <= t) break;
      for (int64_t i = 0; i < of.inside[p]; ++i) f(of.order[p], int64_t(t) * of.inside[p] + i);
    }
  };
  if (rows.kind == Rows::Batch) return one_step(0);
  for (int32_t t = rows.begin; t < rows.end; ++t) one_step(t);
}

std::vector<int32_t> BatchRows::rows_of(const SpaceMap& map) const {
  std::vector<int32_t> result;
  const Of &from = spaces_[map.from.dim], &to = spaces_[map.to.dim];
  const auto inside = [&](const Of& of, int32_t slot) { return int64_t(of.inside[size_t(of.place[size_t(slot)])]); };
  // Rows inside each of the elements that are repeated.
  const auto tail = [&](int32_t slot) {
    return map.offset == 0 ? int64_t{1} : std::max<int64_t>(1, inside(spaces_[size_t(map.offset - 1)], slot));
  };
  switch (map.op) {
    case Op::Reorder:
      for_each(map.to, [&](int32_t slot, int64_t e) { result.push_back(int32_t(row(map.from, slot, e))); });
      return result;
    case Op::Repeat:
      for_each(map.to, [&](int32_t slot, int64_t e) {
        const int64_t many = inside(to, slot), few = inside(from, slot), q = tail(slot), i = e % many;
        const int64_t source = i / (many / few * q) * q + i % q;
        result.push_back(int32_t(row(map.from, slot, e / many * few + source)));
      });
      return result;
    case Op::SumGroup:
    case Op::MaxGroup:
      for_each(map.to, [&](int32_t slot, int64_t e) {
        const int64_t many = inside(from, slot), few = inside(to, slot), q = tail(slot), i = e % few;
        const int64_t count = many / few, first = i / q * count * q + i % q;
        result.push_back(count == 0 ? 0 : int32_t(row(map.from, slot, e / few * many + first)));
        result.push_back(int32_t(count));
        result.push_back(int32_t(q));
      });
      return result;
    case Op::Select: {
      const Selection s = parse_selection(map.how);
      const auto source = [&](int64_t j) -> int64_t {
        if (!s.back) return j * s.step + s.offset;
        return (j - s.offset) % s.step == 0 ? (j - s.offset) / s.step : -1;
      };
      for_each(map.to, [&](int32_t slot, int64_t e) {
        const int64_t many = std::max<int64_t>(1, inside(to, slot));
        if (s.time) {
          const int64_t t = source(e / many);
          const bool there = t >= 0 && t < from.length[size_t(slot)];
          result.push_back(there ? int32_t(row(map.from, slot, t * many + e % many)) : -1);
          return;
        }
        const auto size = [&](int32_t n) {
          return n >= 0 ? int64_t(n) : int64_t(spaces_[size_t(-1 - n)].length[size_t(slot)]);
        };
        const int64_t here = size(s.back ? s.from : s.to), there = size(s.back ? s.to : s.from);
        const int64_t i = e % many, j = source(i / s.after % here);
        if (j < 0 || j >= there) return result.push_back(-1);
        const int64_t at = (i / (s.after * here) * there + j) * s.after + i % s.after;
        result.push_back(int32_t(row(map.from, slot, e / many * inside(from, slot) + at)));
      });
      return result;
    }
    default: break;
  }
  throw GraphError(fmt::format("`{}` does not lead from one space to another", info(map.op).name));
}

std::vector<int32_t> BatchRows::children(size_t levels) const {
  const Of& of = spaces_[levels];
  const TreeNodes& nodes = trees_[size_t(of.tree)];
  const Rows all = Rows::steps(int(levels), 0, int32_t(of.row_offset.size()) - 1);
  std::vector<int32_t> result;
  for_each(all, [&](int32_t slot, int64_t e) {
    const auto node = size_t(nodes.offset[size_t(slot)] + e);
    for (int32_t child : {nodes.left[node], nodes.right[node]})
      result.push_back(child < 0 ? -1 : int32_t(row(all, slot, child)));
  });
  return result;
}

std::vector<int32_t> BatchRows::child_of(size_t levels) const {
  const std::vector<int32_t> child = children(levels);
  std::vector<int32_t> result(child.size() / 2, -1);
  for (size_t i = 0; i < child.size(); ++i)
    if (child[i] >= 0) result[size_t(child[i])] = int32_t(i);
  return result;
}

}  // namespace rnnc
