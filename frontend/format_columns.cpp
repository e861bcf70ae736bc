// Marks in one column: see format_columns.h.
#include "frontend/format_columns.h"

#include <algorithm>
#include <map>

namespace rnnc::formatting {

std::vector<uint32_t> line_up(std::span<const Mark> marks) {
  uint32_t column = 0;
  for (const Mark& mark : marks) column = std::max(column, mark.width + mark.space);
  return std::vector<uint32_t>(marks.size(), column);
}

std::vector<uint32_t> keep_lined_up(std::span<const Mark> marks) {
  struct Votes {
    int lines = 0;
    bool by_hand = false;
  };
  std::map<uint32_t, Votes> votes;
  for (const Mark& mark : marks) {
    if (!mark.column) continue;
    Votes& at = votes[*mark.column];
    ++at.lines;
    at.by_hand = at.by_hand || mark.gap > mark.space;
  }
  const std::pair<const uint32_t, Votes>* best = nullptr;
  for (const auto& entry : votes)
    if (entry.second.by_hand && entry.second.lines >= 2 && (!best || entry.second.lines > best->second.lines))
      best = &entry;
  std::vector<uint32_t> columns;
  for (const Mark& mark : marks) {
    const uint32_t natural = mark.width + mark.space;
    columns.push_back(best && best->first >= natural ? best->first : natural);
  }
  return columns;
}

}  // namespace rnnc::formatting
