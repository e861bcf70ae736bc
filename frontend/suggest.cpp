// "did you mean ...": edit distance by the usual table.
#include "frontend/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "frontend/utf8.h"

namespace rnnc {

size_t edit_distance(std::string_view a, std::string_view b) {
  const std::u32string x = decode_utf8(a), y = decode_utf8(b);
  std::vector<std::vector<size_t>> d(x.size() + 1, std::vector<size_t>(y.size() + 1));
  for (size_t i = 0; i <= x.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= y.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= x.size(); ++i) {
    for (size_t j = 1; j <= y.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (x[i - 1] != y[j - 1])});
      const bool exchanged = i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1];
      if (exchanged) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[x.size()][y.size()];
}

std::string suggest(std::string_view written, std::span<const std::string> known) {
  constexpr size_t kLongest = 200;  // longer words are no slips of names, and the table is quadratic
  const size_t length = decode_utf8(written).size();
  if (length < 2 || length > kLongest) return {};
  const size_t limit = std::max<size_t>(1, length / 3);
  const std::string* best = nullptr;
  size_t best_distance = limit + 1;
  for (const std::string& name : known) {
    if (name.size() > 4 * kLongest) continue;
    const size_t distance = edit_distance(written, name);
    if (distance < best_distance || (best && distance == best_distance && name < *best)) {
      best = &name;
      best_distance = distance;
    }
  }
  return best ? fmt::format("did you mean `{}`?", *best) : std::string();
}

}  // namespace rnnc
