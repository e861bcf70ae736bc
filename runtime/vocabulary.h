// The entries of one vocabulary: text <-> number.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rnnc {

/// Lets a map of strings be asked with a string_view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// How often each text was seen.
using Counts = std::unordered_map<std::string, int64_t, TextHash, std::equal_to<>>;

inline constexpr std::string_view kBlank = "<blank>";
inline constexpr std::string_view kPad = "<pad>";
inline constexpr std::string_view kUnk = "<unk>";
inline constexpr std::string_view kBos = "<bos>";
inline constexpr std::string_view kEos = "<eos>";

/// Entries are numbered from 0: first the special ones (<blank>, <pad>, <unk>, <bos>, <eos>, as
/// far as it has them).
class Vocabulary {
 public:
  Vocabulary() = default;
  /// Throws std::invalid_argument if an entry stands twice.
  explicit Vocabulary(std::vector<std::string> entries);

  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  const std::vector<std::string>& entries() const { return entries_; }
  const std::string& text(int32_t id) const { return entries_.at(static_cast<size_t>(id)); }

  /// The number of an entry, -1 if there is none.
  int32_t find(std::string_view text) const;
  /// The number of an entry; if there is none that of <unk>; -1 without <unk>.
  int32_t find_or_unk(std::string_view text) const;

  bool operator==(const Vocabulary& other) const { return entries_ == other.entries_; }

 private:
  std::vector<std::string> entries_;
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> ids_;
};

/// A vocabulary of symbols: the special entries in their order, then the counted ones, the most frequent
/// first, ties by code point; at most `max` of those (negative: all), seen at least `min` times.
Vocabulary make_vocabulary(const Counts& counts, std::span<const std::string_view> special, int64_t max = -1,
                           int64_t min = 1);

/// The entries of a category: alphabetical by code point, or by value if all are numbers.
Vocabulary make_category(const Counts& counts);

nlohmann::json to_json(const Vocabulary& vocabulary);
/// Throws std::invalid_argument if the JSON is not one made by to_json.
Vocabulary vocabulary_from_json(const nlohmann::json& json);

}  // namespace rnnc
