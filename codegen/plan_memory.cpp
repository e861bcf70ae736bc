// See plan_memory.h.
#include "codegen/plan_memory.h"

#include <algorithm>
#include <map>
#include <utility>

namespace rnnc::planning {
namespace {

constexpr int64_t kAlign = 64;  // bytes

/// Bytes of a slab in the arena.
int64_t room_for(const Slab& slab) {
  return (slab.bytes + kOverread * 4 + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

void mark_barriers(Program& program, const std::vector<std::vector<bool>>& written) {
  std::map<int32_t, bool> touched;  // slab -> written
  for (size_t i = 0; i < program.commands.size(); ++i) {
    Command& c = program.commands[i];
    std::vector<std::pair<int32_t, bool>> accesses;
    for (size_t k = 0; k < c.operands.size(); ++k) accesses.push_back({c.operands[k].slab, written[i][k]});
    for (const PlacedPiece& piece : c.pieces) accesses.push_back({piece.place.slab, false});
    for (auto [slab, write] : accesses) {
      const auto it = touched.find(slab);
      c.barrier = c.barrier || (it != touched.end() && (write || it->second));
      // A slab that begins its life may lie where another one just ended.
      const Slab& s = program.slabs[size_t(slab)];
      c.barrier = c.barrier || (write && s.variable < 0 && s.first == int32_t(i) && !touched.empty());
    }
    if (c.barrier) touched.clear();
    for (auto [slab, write] : accesses) touched[slab] = touched[slab] || write;
  }
}

void assign_offsets(Program& program) {
  std::vector<Slab*> order;
  for (Slab& s : program.slabs) {
    if (s.variable >= 0) continue;
    s.first = std::max(s.first, 0);
    order.push_back(&s);
  }
  std::ranges::stable_sort(order, std::greater(), &Slab::bytes);
  std::vector<Slab*> placed;  // by offset
  for (Slab* s : order) {
    int64_t at = 0;
    for (const Slab* o : placed) {
      if (o->last < s->first || s->last < o->first) continue;
      if (o->offset >= at + room_for(*s)) break;
      at = std::max(at, o->offset + room_for(*o));
    }
    s->offset = at;
    placed.insert(std::ranges::upper_bound(placed, at, {}, &Slab::offset), s);
    program.arena_bytes = std::max(program.arena_bytes, at + room_for(*s));
  }
}

}  // namespace rnnc::planning
