// Dealing rows to the training, valid and test part.
#include "runtime/deal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rnnc {

std::vector<Part> deal_rows(int64_t rows, std::span<const Share> shares) {
  constexpr double kUnits = 1e9;
  std::vector<int64_t> units;   // of each share
  std::vector<int64_t> behind;  // how far each part is behind, in units
  for (const Share& share : shares) units.push_back(std::llround(share.share * kUnits));
  const int64_t whole = std::accumulate(units.begin(), units.end(), int64_t{0});
  behind.assign(units.size(), 0);

  std::vector<Part> parts(static_cast<size_t>(rows), Part::Train);
  if (shares.empty()) return parts;
  for (Part& part : parts) {
    size_t furthest = 0;
    for (size_t i = 0; i < units.size(); ++i) {
      behind[i] += units[i];
      if (behind[i] > behind[furthest]) furthest = i;
    }
    behind[furthest] -= whole;
    part = shares[furthest].part;
  }
  return parts;
}

std::vector<int64_t> take_rows(int64_t rows, int64_t n) {
  std::vector<int64_t> taken(static_cast<size_t>(std::min(rows, n)));
  std::iota(taken.begin(), taken.end(), int64_t{0});
  if (rows > n)
    for (int64_t& row : taken) row = row * rows / n;
  return taken;
}

}  // namespace rnnc
