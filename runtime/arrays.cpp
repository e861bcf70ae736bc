// Readers of arrays: see arrays.h.
#include "runtime/arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "runtime/errors.h"

namespace rnnc {
namespace {

static_assert(std::endian::native == std::endian::little);

/// The word after `'key':` of the header, a Python dictionary: up to `end`.
std::string_view item(std::string_view header, std::string_view key, std::string_view end) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
  return rest.substr(0, rest.find(end));
}

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

NumberArray read_npy(std::string_view bytes, const std::string& name) {
  const auto refuse = [&](const std::string& why) { throw DataError({.file = name, .message = why}); };
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12) refuse("this is no .npy file");
  const bool is_long = bytes[6] > 1;  // the header's length in 4 bytes instead of 2
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, is_long ? 4 : 2);
  const size_t begin = is_long ? 12 : 10;
  if (bytes.size() < begin + length) refuse("the file ends in its header");
  const std::string_view header = bytes.substr(begin, length);
  const std::string_view type = item(header, "'descr'", ",");
  const bool wide = type == "'<f8'";
  if (!wide && type != "'<f4'") refuse(fmt::format("numbers of type {}, not float32 or float64", type));
  if (item(header, "'fortran_order'", ",") != "False") refuse("the array is not in C order");

  NumberArray array;
  std::string_view shape = item(header, "'shape'", ")");
  int64_t count = 1;
  for (shape.remove_prefix(std::min<size_t>(1, shape.size())); !shape.empty();) {
    const std::string_view part = shape.substr(0, shape.find(','));
    shape.remove_prefix(std::min(part.size() + 1, shape.size()));
    std::string_view rest = part;
    int64_t n = 0;
    const std::string_view word = next_word(rest);
    if (word.empty()) continue;
    if (!is_number(word, n) || n < 0 || (n > 0 && count > INT64_MAX / 8 / n)) refuse("a shape that is none");
    array.shape.push_back(n);
    count *= n;
  }
  const std::string_view data = bytes.substr(begin + length);
  if (data.size() != static_cast<size_t>(count) * (wide ? 8 : 4))
    refuse(fmt::format("{} bytes for {} numbers", data.size(), count));
  array.values.resize(static_cast<size_t>(count));
  if (!wide) {
    std::memcpy(array.values.data(), data.data(), data.size());
    return array;
  }
  for (size_t i = 0; i < array.values.size(); ++i) {
    double value = 0;
    std::memcpy(&value, data.data() + 8 * i, 8);
    array.values[i] = static_cast<float>(value);
  }
  return array;
}

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
        throw DataError({.file = name, .line = number, .message = fmt::format("`{}` is not a number", word)});
      numbers.push_back(value);
    }
    int64_t counts = 0;
    if (number == 1 && numbers.size() == 1 && cols != 1 && is_number(entry, counts)) continue;
    if (static_cast<int64_t>(numbers.size()) != cols)
      throw DataError(
          {.file = name,
           .line = number,
           .message = fmt::format("{} numbers behind `{}`, but {} are wanted", numbers.size(), entry, cols)});
    const int32_t id = vocabulary.find(entry);
    if (id < 0 || seen[static_cast<size_t>(id)]) continue;
    seen[static_cast<size_t>(id)] = true;
    std::copy(numbers.begin(), numbers.end(), values.begin() + id * cols);
    ++set;
  }
  return set;
}

}  // namespace rnnc
