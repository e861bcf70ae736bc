// Reader of vectors: see word_vectors.h.
#include "runtime/word_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "runtime/errors.h"

namespace rnnc {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Cuts the next word off the line; empty at its end.
std::string_view next_word(std::string_view& line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  size_t n = 0;
  while (n < line.size() && !is_blank(line[n])) ++n;
  const std::string_view word = line.substr(0, n);
  line.remove_prefix(n);
  return word;
}

template <typename Number>
bool is_number(std::string_view word, Number& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return !word.empty() && error == std::errc() && end == word.data() + word.size();
}

}  // namespace

int64_t read_vectors(std::string_view text, const std::string& name, const Vocabulary& vocabulary,
                     int64_t cols, std::span<float> values) {
  std::vector<bool> seen(static_cast<size_t>(vocabulary.size()));
  std::vector<float> numbers;
  int64_t set = 0;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view entry = next_word(line);
    if (entry.empty()) continue;
    numbers.clear();
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
      float value = 0;
      if (!is_number(word, value))
        throw DataError({.file = name,
                         .line = number,
                         .message = fmt::format("`{}` is not a number", word),
                         .notes = {},
                         .help = {}});
      numbers.push_back(value);
    }
    int64_t counts = 0;
    if (number == 1 && numbers.size() == 1 && cols != 1 && is_number(entry, counts)) continue;
    if (static_cast<int64_t>(numbers.size()) != cols)
      throw DataError(
          {.file = name,
           .line = number,
           .message = fmt::format("{} numbers behind `{}`, but {} are wanted", numbers.size(), entry, cols),
           .notes = {},
           .help = {}});
    const int32_t id = vocabulary.find(entry);
    if (id < 0 || seen[static_cast<size_t>(id)]) continue;
    seen[static_cast<size_t>(id)] = true;
    std::copy(numbers.begin(), numbers.end(), values.begin() + id * cols);
    ++set;
  }
  return set;
}

}  // namespace rnnc
