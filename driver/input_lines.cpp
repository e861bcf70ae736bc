// Rows on standard input: see input_lines.h.
#include "driver/input_lines.h"

#include <iostream>

#include "runtime/dataset.h"

namespace rnnc {

void read_rows(std::istream& in, size_t needed,
               const std::function<void(const std::vector<std::vector<std::string>>&, int64_t)>& use) {
  constexpr size_t kMostAhead = 256;
  std::ios::sync_with_stdio(false);
  int64_t count = 0;
  std::string line;
  for (bool more = true; more;) {
    std::vector<std::vector<std::string>> rows;
    const int64_t first = count;
    while (rows.size() < kMostAhead && (rows.empty() || in.rdbuf()->in_avail() > 0)) {
      more = static_cast<bool>(std::getline(in, line));
      if (!more) break;
      ++count;
      rows.push_back(split_values(line, needed));
    }
    if (rows.empty()) break;
    try {
      use(rows, first);
    } catch (const DataError& problem) {
      DataMessage message = problem.message();
      if (message.line > 0 && message.file == kStandardInput) message.line += static_cast<int>(first);
      throw DataError(message);
    }
  }
}

}  // namespace rnnc
