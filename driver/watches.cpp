// Sums over the rows of each step: see watches.h.
#include "driver/watches.h"

namespace rnnc {
namespace {

std::vector<float> counts(const int64_t* offset, size_t steps) {
  std::vector<float> result;
  for (size_t t = 0; t < steps; ++t) result.push_back(static_cast<float>(offset[t + 1] - offset[t]));
  return result;
}

std::vector<float> sums(const std::vector<float>& values, const int64_t* offset, size_t steps) {
  const auto rows = static_cast<size_t>(offset[steps]);
  const size_t cols = rows == 0 ? 1 : values.size() / rows;
  std::vector<float> result;
  for (size_t t = 0; t < steps; ++t) {
    std::vector<double> sum(cols);
    for (auto row = static_cast<size_t>(offset[t]); row < static_cast<size_t>(offset[t + 1]); ++row)
      for (size_t c = 0; c < cols; ++c) sum[c] += values[row * cols + c];
    result.insert(result.end(), sum.begin(), sum.end());
  }
  return result;
}

}  // namespace

std::vector<float> figure_output(const Session& session, const std::vector<Watch>& watches,
                                 const std::string& root) {
  for (const Watch& watch : watches) {
    if (watch.dim < 0 || (root != watch.sum_root && root != watch.count_root)) continue;
    const int64_t* offset = session.rows().row_offset[static_cast<size_t>(watch.dim)];
    const auto steps = static_cast<size_t>(session.program().capacity[static_cast<size_t>(watch.dim)]);
    return root == watch.sum_root ? sums(session.output(root), offset, steps) : counts(offset, steps);
  }
  return session.output(root);
}

}  // namespace rnnc
