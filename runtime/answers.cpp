// Answers of `next`: see answers.h.
#include "runtime/answers.h"

namespace rnnc {

Answers next_elements(std::span<const int64_t> row_offset, std::span<const int32_t> ids, int64_t n) {
  Answers answers{std::vector<int32_t>(ids.size(), -1), std::vector<float>(ids.size(), 0)};
  const auto steps = static_cast<int64_t>(row_offset.size()) - 1;
  const auto begin = [&](int64_t t) { return row_offset[static_cast<size_t>(t)]; };
  for (int64_t t = 0; t < steps; ++t) {
    const int64_t later = t + n;
    if (later < 0 || later >= steps) continue;
    const int64_t running = begin(t + 1) - begin(t), still_running = begin(later + 1) - begin(later);
    for (int64_t b = 0; b < running && b < still_running; ++b) {
      answers.ids[static_cast<size_t>(begin(t) + b)] = ids[static_cast<size_t>(begin(later) + b)];
      answers.has[static_cast<size_t>(begin(t) + b)] = 1;
    }
  }
  return answers;
}

}  // namespace rnnc
