// The entries of one vocabulary.
#include "runtime/vocabulary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "runtime/text.h"

namespace rnnc {

Vocabulary::Vocabulary(std::vector<std::string> entries) : entries_(std::move(entries)) {
  ids_.reserve(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i)
    if (!ids_.emplace(entries_[i], static_cast<int32_t>(i)).second)
      throw std::invalid_argument("a vocabulary has \"" + entries_[i] + "\" twice");
}

int32_t Vocabulary::find(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? -1 : found->second;
}

int32_t Vocabulary::find_or_unk(std::string_view text) const {
  const int32_t id = find(text);
  return id >= 0 ? id : find(kUnk);
}

Vocabulary make_vocabulary(const Counts& counts, std::span<const std::string_view> special, int64_t max,
                           int64_t min) {
  std::vector<std::pair<std::string_view, int64_t>> counted;
  for (const auto& [text, count] : counts)
    if (count >= min && std::ranges::find(special, text) == special.end()) counted.emplace_back(text, count);
  // Bytes of UTF-8 compare as code points do.
  std::ranges::sort(counted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (max >= 0 && counted.size() > static_cast<size_t>(max)) counted.resize(static_cast<size_t>(max));
  std::vector<std::string> entries(special.begin(), special.end());
  for (const auto& [text, count] : counted) entries.emplace_back(text);
  return Vocabulary(std::move(entries));
}

Vocabulary make_category(const Counts& counts) {
  std::vector<std::pair<double, std::string>> entries;
  bool numbers = true;
  for (const auto& [text, count] : counts) {
    const std::optional<double> value = parse_number(text);
    numbers = numbers && value.has_value();
    entries.emplace_back(value.value_or(0), text);
  }
  if (!numbers)
    for (auto& entry : entries) entry.first = 0;
  std::ranges::sort(entries);
  std::vector<std::string> texts;
  for (auto& entry : entries) texts.push_back(std::move(entry.second));
  return Vocabulary(std::move(texts));
}

nlohmann::json to_json(const Vocabulary& vocabulary) {
  return vocabulary.entries();
}

Vocabulary vocabulary_from_json(const nlohmann::json& json) {
  if (!json.is_array() || !std::ranges::all_of(json, [](const auto& entry) { return entry.is_string(); }))
    throw std::invalid_argument("a vocabulary is no list of texts");
  return Vocabulary(json.get<std::vector<std::string>>());
}

}  // namespace rnnc
