// From the rows of one space to those of another, for one batch: see spaces.h. Attention asks for thousands
// of them every step, so what an example has in common is worked out once for it.
#include <algorithm>

#include "ir/spaces.h"

namespace rnnc {
namespace {

bool constant_order(std::span<const Space> spaces, size_t space) {
  const Space& s = spaces[space];
  switch (s.kind) {
    case Space::Sequence: return space == 0;  // the order of the examples themselves
    case Space::Levels:
    case Space::Nested: return false;
    case Space::Derived:
    case Space::Constant:
    case Space::Inner: break;
  }
  return size_t(s.base) >= space || constant_order(spaces, size_t(s.base));
}

bool constant_steps(std::span<const Space> spaces, size_t space) {
  const Space& s = spaces[space];
  return s.kind == Space::Constant || (s.kind == Space::Inner && constant_steps(spaces, size_t(s.base)));
}

bool constant_size(std::span<const Space> spaces, const Extent& extent) {
  return std::ranges::all_of(extent.of, [&](int space) { return constant_steps(spaces, size_t(space)); });
}

bool constant_rows(std::span<const Space> spaces, Rows rows) {
  if (rows.kind == Rows::Fixed) return true;
  if (spaces.empty()) return true;  // only `B`
  if (!constant_order(spaces, rows.dim)) return false;
  if (spaces[rows.dim].kind == Space::Inner && !constant_size(spaces, spaces[rows.dim].inside)) return false;
  return rows.kind == Rows::Batch || constant_steps(spaces, rows.dim);
}

}  // namespace

bool same_for_all(const RowMap& map, std::span<const Space> spaces) {
  const auto constant = [&](const Extent& extent) { return constant_size(spaces, extent); };
  return constant_rows(spaces, map.to) && constant_rows(spaces, map.from) &&
         std::ranges::all_of(map.dims, constant) &&
         std::ranges::all_of(map.sources, [&](const RowMap::From& f) { return constant(f.size); });
}

int64_t BatchRows::row(Rows rows, int32_t slot, int64_t element) const {
  if (rows.kind == Rows::Fixed) return element < rows.begin ? element : -1;
  const Of& of = spaces_[rows.dim];
  if (of.tree >= 0) {
    const TreeNodes& nodes = trees_[size_t(of.tree)];
    const int64_t node = nodes.offset[size_t(slot)] + element;
    if (node >= nodes.offset[size_t(slot) + 1]) return -1;
    return of.row_offset[size_t(of.level[size_t(node)])] + of.in_level[size_t(node)];
  }
  if (of.nested()) return row_of_nested(of, rows.kind, slot, element);
  const auto place = size_t(of.place[size_t(slot)]);
  const int64_t inside = of.inside[place];
  if (rows.kind == Rows::Batch) return element < inside ? of.before[place] + element : -1;
  if (inside == 0) return -1;
  const int64_t t = inside == 1 ? element : element / inside;
  if (t >= of.length[size_t(slot)] || t + 1 >= int64_t(of.row_offset.size())) return -1;
  return of.row_offset[size_t(t)] + of.before[place] + (element - t * inside);
}

int64_t BatchRows::row_of_nested(const Of& of, Rows::Kind kind, int32_t slot, int64_t element) {
  const int64_t first = of.first[size_t(slot)], end = of.first[size_t(slot) + 1];
  if (first == end) return -1;
  const int64_t inside = of.inside[size_t(of.place[size_t(first)])];  // the same for all items of an example
  if (inside == 0) return -1;
  const int64_t at = element / inside, within = element % inside;
  const int64_t steps = kind == Rows::Batch ? 1 : of.longest[size_t(slot)];
  if (steps == 0) return -1;
  const int64_t item = first + at / steps, t = at % steps;
  if (item >= end) return -1;
  const int64_t before = of.before[size_t(of.place[size_t(item)])] + within;
  if (kind == Rows::Batch) return before;
  if (t >= of.length[size_t(item)] || t + 1 >= int64_t(of.row_offset.size())) return -1;
  return of.row_offset[size_t(t)] + before;
}

/// How many positions dimension `source` of `map.from` has: `size`, or of a nested sequence as many as it has
/// in the element that the dimensions before it say.
int64_t BatchRows::size_at(const RowMap& map, size_t source, int32_t slot, int64_t size,
                           int64_t element) const {
  if (source != 1 || map.from.kind != Rows::Steps) return size;
  const Of& of = spaces_[map.from.dim];
  if (!of.nested()) return size;
  const int64_t item = of.first[size_t(slot)] + element;
  return item < of.first[size_t(slot) + 1] ? of.length[size_t(item)] : 0;
}

std::vector<int32_t> BatchRows::rows_of(const RowMap& map) const {
  const size_t dims = map.dims.size(), sources = map.sources.size();
  std::vector<int64_t> size(size_t(batch_) * dims), source_size(size_t(batch_) * sources);
  for (int32_t slot = 0; slot < batch_; ++slot) {
    for (size_t d = 0; d < dims; ++d)
      size[size_t(slot) * dims + d] = std::max<int64_t>(1, size_of(map.dims[d], slot));
    for (size_t s = 0; s < sources; ++s)
      source_size[size_t(slot) * sources + s] = size_of(map.sources[s].size, slot);
  }
  std::vector<int32_t> result;
  result.reserve(
      size_t(map.to.kind == Rows::Batch ? batch_rows_[map.to.dim] : row_offset(map.to.dim).back()));
  std::vector<int64_t> position(dims);
  for_each_run(map.to, [&](int32_t slot, int64_t element, int64_t count) {
    const int64_t* const of = size.data() + size_t(slot) * dims;
    const int64_t* const in = source_size.data() + size_t(slot) * sources;
    for (size_t d = dims; d-- > 0;) {
      const int64_t above = element < of[d] ? 0 : element / of[d];
      position[d] = element - above * of[d];
      element = above;
    }
    for (int64_t i = 0; i < count; ++i) {
      int64_t source = 0;
      bool there = true;
      for (size_t s = 0; s < sources; ++s) {
        const RowMap::From& f = map.sources[s];
        if (!there) break;
        const int64_t here = size_at(map, s, slot, in[s], source);
        const int64_t at = f.dim == RowMap::kFirst  ? 0
                           : f.dim == RowMap::kLast ? here - 1
                                                    : position[size_t(f.dim)] * f.step + f.offset;
        there = at >= 0 && at < here;
        source = source * in[s] + at;
      }
      result.push_back(there ? int32_t(row(map.from, slot, source)) : -1);
      for (size_t d = dims; d-- > 0;) {
        if (++position[d] < of[d]) break;
        position[d] = 0;
      }
    }
  });
  return result;
}

std::vector<int32_t> BatchRows::child(size_t levels, bool right) const {
  const Of& of = spaces_[levels];
  const TreeNodes& nodes = trees_[size_t(of.tree)];
  std::vector<int32_t> result;
  result.reserve(of.nodes.size());
  for (const Node& at : of.nodes) {
    const int64_t first = nodes.offset[size_t(at.slot)];
    const int32_t child = (right ? nodes.right : nodes.left)[size_t(first + at.number)];
    result.push_back(child < 0 ? -1 : of.in_level[size_t(first + child)]);
  }
  return result;
}

}  // namespace rnnc
