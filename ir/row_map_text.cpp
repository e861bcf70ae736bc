// Row maps as names of inputs, and back: see spaces.h.
#include <fmt/format.h>

#include <charconv>

#include "ir/graph.h"
#include "ir/spaces.h"

namespace rnnc {
namespace {

constexpr std::string_view kPrefix = "%rows ";

class Reader {
 public:
  explicit Reader(std::string_view text) : whole_(text), rest_(text) {}

  bool accept(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) fail();
  }
  int32_t number() {
    accept("+");
    int32_t n = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
    if (error != std::errc()) fail();
    rest_.remove_prefix(size_t(end - rest_.data()));
    return n;
  }
  /// Of a space or a dimension.
  int32_t index() {
    const int32_t n = number();
    if (n < 0 || n > 255) fail();
    return n;
  }
  Extent extent() {
    Extent e;
    do {
      if (accept("#")) e.of.push_back(index());
      else e.times *= number();
    } while (accept("*"));
    return e;
  }
  Rows rows() {
    const bool batch = accept("B");
    if (batch) return Rows::batch(rest_.starts_with(' ') ? 0 : index());
    if (accept("T")) {
      const int dim = index();
      expect(".*");
      return Rows::all(dim);
    }
    return Rows::fixed(number());
  }
  RowMap::From from() {
    RowMap::From f;
    if (accept("first")) f.dim = RowMap::kFirst;
    else if (accept("last")) f.dim = RowMap::kLast;
    else f.dim = index();
    if (f.dim >= 0 && accept("*")) {
      f.step = number();
      f.offset = number();
    }
    expect("<");
    f.size = extent();
    return f;
  }
  bool done() const { return rest_.empty(); }
  [[noreturn]] void fail() const { throw GraphError(fmt::format("`{}` is no map of rows", whole_)); }

 private:
  std::string_view whole_, rest_;
};

std::string from_text(const RowMap::From& f) {
  if (f.dim == RowMap::kFirst) return "first<" + to_string(f.size);
  if (f.dim == RowMap::kLast) return "last<" + to_string(f.size);
  const std::string stride = f.step == 1 && f.offset == 0 ? "" : fmt::format("*{}{:+}", f.step, f.offset);
  return fmt::format("{}{}<{}", f.dim, stride, to_string(f.size));
}

}  // namespace

Extent operator*(Extent a, const Extent& b) {
  a.times *= b.times;
  a.of.insert(a.of.end(), b.of.begin(), b.of.end());
  return a;
}

std::string to_string(const Extent& extent) {
  std::string text = extent.times == 1 && !extent.of.empty() ? "" : std::to_string(extent.times);
  for (int space : extent.of) text += fmt::format("{}#{}", text.empty() ? "" : "*", space);
  return text;
}

std::string to_string(const RowMap& map) {
  std::string text = fmt::format("{}{} {} :", kPrefix, to_string(map.to), to_string(map.from));
  for (const Extent& e : map.dims) text += " " + to_string(e);
  text += " :";
  for (const RowMap::From& f : map.sources) text += " " + from_text(f);
  return text;
}

bool is_row_map(std::string_view input) {
  return input.starts_with(kPrefix);
}

RowMap parse_row_map(std::string_view input) {
  Reader r(input);
  RowMap map;
  r.expect(kPrefix);
  map.to = r.rows();
  r.expect(" ");
  map.from = r.rows();
  r.expect(" :");
  while (!r.accept(" :")) {
    r.expect(" ");
    map.dims.push_back(r.extent());
  }
  while (r.accept(" ")) map.sources.push_back(r.from());
  if (!r.done() || map.to.kind == Rows::Fixed) r.fail();
  for (const RowMap::From& f : map.sources)
    if (f.dim >= int(map.dims.size())) r.fail();
  return map;
}

}  // namespace rnnc
