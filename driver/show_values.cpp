// Shown values: see show_values.h.
#include "driver/show_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "driver/symbol_text.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

std::string number_text(float value) {
  return fmt::format("{:.4g}", value);
}

// Scores of `top` are mostly probabilities: two digits behind the point.
std::string score_text(float value) {
  const float size = std::abs(value);
  return size >= 0.01f && size <= 1 ? fmt::format("{:.2f}", value) : fmt::format("{:.2g}", value);
}

/// The entries with the largest scores, the largest first.
std::vector<size_t> best_entries(std::span<const float> scores, size_t count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Equal scores in the order of the vocabulary; what is not a number comes last.
  const auto key = [&](size_t i) { return std::isnan(scores[i]) ? -INFINITY : scores[i]; };
  std::ranges::sort(order, [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  order.resize(std::min(count, order.size()));
  return order;
}

const std::string& category(const Learned& learned, const std::string& vocabulary, size_t entry) {
  return learned.vocabularies.at(vocabulary).text(static_cast<int32_t>(entry));
}

std::string element_text(const Show& show, std::span<const float> values, const Learned& learned) {
  std::string text;
  if (show.top > 0) {
    for (const size_t entry : best_entries(values, static_cast<size_t>(show.top)))
      text += fmt::format(
          "{}{} {}", text.empty() ? "" : "  ",
          show.vocabulary.empty() ? fmt::format("{}", entry) : category(learned, show.vocabulary, entry),
          score_text(values[entry]));
    return text;
  }
  for (const float value : values) {
    if (!text.empty()) text += ' ';
    text += show.vocabulary.empty() ? number_text(value)
                                    : category(learned, show.vocabulary, static_cast<size_t>(value));
  }
  return text;
}

Json element_json(const Show& show, std::span<const float> values, const Learned& learned) {
  Json list = Json::array();
  if (show.top > 0) {
    for (const size_t entry : best_entries(values, static_cast<size_t>(show.top))) {
      const Json name =
          show.vocabulary.empty() ? Json(entry) : Json(category(learned, show.vocabulary, entry));
      list.push_back({{"value", name}, {"score", values[entry]}});
    }
    return list;
  }
  for (const float value : values) {
    if (show.vocabulary.empty()) list.push_back(value);
    else list.push_back(category(learned, show.vocabulary, static_cast<size_t>(value)));
  }
  return values.size() == 1 ? list[0] : list;
}

std::span<const float> element(std::span<const float> values, size_t elements, size_t i) {
  const size_t cols = values.size() / elements;
  return values.subspan(i * cols, cols);
}

}  // namespace

std::string show_text(const Show& show, std::span<const float> values, size_t elements, const DataSpec& spec,
                      const Learned& learned) {
  if (show.sequence < 0) return element_text(show, values, learned);
  if (show.top == 0 && !show.vocabulary.empty()) {
    const std::vector<int32_t> symbols(values.begin(), values.end());
    return SymbolText(spec, show.vocabulary, learned.vocabularies.at(show.vocabulary)).text(symbols);
  }
  const bool numbers = show.top == 0 && values.size() == elements;
  std::string text;
  for (size_t i = 0; i < elements; ++i)
    text += (i == 0 ? "" : numbers ? " " : " | ") + element_text(show, element(values, elements, i), learned);
  return text;
}

Json show_json(const Show& show, std::span<const float> values, size_t elements, const Learned& learned) {
  if (show.sequence < 0) return element_json(show, values, learned);
  Json list = Json::array();
  for (size_t i = 0; i < elements; ++i)
    list.push_back(element_json(show, element(values, elements, i), learned));
  return list;
}

}  // namespace rnnc
