// See inverse_map.h.
#include "ir/inverse_map.h"

namespace rnnc {

std::optional<RowMap> inverse(const RowMap& map) {
  if (map.from.kind == Rows::Fixed || map.sources.size() != map.dims.size()) return {};
  RowMap::From none;
  none.dim = RowMap::kFirst;
  RowMap back{map.from, map.to, {}, std::vector<RowMap::From>(map.dims.size(), none)};
  for (size_t s = 0; s < map.sources.size(); ++s) {
    const RowMap::From& f = map.sources[s];
    if (f.dim < 0 || f.step != 1) return {};
    RowMap::From& source = back.sources[size_t(f.dim)];
    if (source.dim != RowMap::kFirst) return {};  // a diagonal
    source = {int(s), 1, -f.offset, map.dims[size_t(f.dim)]};
    back.dims.push_back(f.size);
  }
  return back;
}

}  // namespace rnnc
