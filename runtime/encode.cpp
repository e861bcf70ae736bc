// What an encoder expression makes of one row.
#include "runtime/encode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "runtime/errors.h"
#include "runtime/vocabulary.h"

namespace rnnc {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

bool is_source(EncodeOp op) {
  switch (op) {
    case EncodeOp::Line:
    case EncodeOp::File:
    case EncodeOp::Column:
    case EncodeOp::Rest:
    case EncodeOp::WholeText:
    case EncodeOp::Leaf:
    case EncodeOp::Label: return true;
    default: return false;
  }
}

DataError in_spec(const DataSpec& spec, const EncodeExpr& expr, std::string message) {
  return DataError({.file = spec.file,
                    .line = expr.place.line,
                    .column = expr.place.column,
                    .message = std::move(message),
                    .notes = {},
                    .help = {}});
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// One number by an operation of one or two.
std::optional<double> apply(EncodeOp op, double a, double b) {
  switch (op) {
    case EncodeOp::Add: return a + b;
    case EncodeOp::Subtract: return a - b;
    case EncodeOp::Multiply: return a * b;
    case EncodeOp::Divide: return a / b;
    case EncodeOp::Power: return std::pow(a, b);
    case EncodeOp::ToNumber: return a;
    case EncodeOp::Negate: return -a;
    case EncodeOp::Sin: return std::sin(a);
    case EncodeOp::Cos: return std::cos(a);
    case EncodeOp::Log: return std::log(a);
    case EncodeOp::Sqrt: return std::sqrt(a);
    case EncodeOp::Abs: return std::abs(a);
    default: return std::nullopt;
  }
}

// The first value of the row that an expression reads, for the place of a message; null if it reads none.
const EncodeExpr* first_source(const EncodeExpr& expr) {
  if (is_source(expr.op)) return &expr;
  for (const EncodeExpr& operand : expr.operands)
    if (const EncodeExpr* found = first_source(operand)) return found;
  return nullptr;
}

}  // namespace

bool is_text(const EncodeExpr& expr) {
  return is_source(expr.op) || expr.op == EncodeOp::Text || expr.op == EncodeOp::Lower;
}

int64_t find_column(const EncodeExpr& column, const Table& table) {
  if (column.number > 0) return static_cast<int64_t>(column.number);
  const auto found = std::ranges::find(table.header(), column.text);
  return found == table.header().end() ? -1 : found - table.header().begin() + 1;
}

std::vector<int64_t> entry_shape(const DataSpec& spec, const EncodeExpr& expr, const Table& table) {
  if (expr.op == EncodeOp::Column) {
    const auto shape = table.arrays().at(static_cast<size_t>(expr.number) - 1).shape();
    return {shape.begin(), shape.end()};
  }
  std::vector<int64_t> found;
  for (const EncodeExpr& operand : expr.operands) {
    std::vector<int64_t> shape = entry_shape(spec, operand, table);
    if (shape.empty() || shape == found) continue;
    if (!found.empty())
      throw in_spec(spec, operand,
                    fmt::format("entries of {} and {} in one `{}`", shape_text(found), shape_text(shape),
                                to_text(expr)));
    found = std::move(shape);
  }
  return found;
}

Encoder::Encoder(const DataSpec& spec, const Learned& learned) : spec_(spec), learned_(learned) {
  for (const auto& [file, words] : learned.lists) lists_.emplace(file, words);
}

size_t Encoder::elements(const RowView& row) const {
  if (row.table != nullptr) return row.table->elements(row.index);
  if (spec_.sources.empty() || spec_.sources[0].format != DataFormat::Blocks || row.given->values.empty())
    return 1;
  size_t count = 0;
  for_each_word(row.given->values[0], false, [&](std::string_view) { ++count; });
  return count;
}

bool Encoder::has_arrays(const RowView& row) const {
  return is_array(row.table != nullptr ? row.table->format() : spec_.sources.at(0).format);
}

void Encoder::refuse_at(const EncodeExpr& expr, const RowView& row, const DataField& field,
                        std::string message, bool with_field) const {
  DataMessage text{.file = row.given != nullptr ? std::string(row.given->origin) : std::string(),
                   .line = static_cast<int>(row.index) + 1,
                   .column = 1,
                   .message = std::move(message),
                   .notes = {},
                   .help = {}};
  if (with_field)
    text.notes.push_back(fmt::format("`{}` in line {} of {}", field.name, field.place.line, spec_.file));
  if (row.table != nullptr) {
    const EncodeExpr* source = first_source(expr);
    size_t column = 0;
    if (source != nullptr && source->op == EncodeOp::Column) column = column_number(*source, row);
    const TextPlace place = row.table->place(row.index, column, row.element);
    text.file = row.table->name();
    if (has_arrays(row)) {
      if (column > 0) text.file = row.table->arrays()[column - 1].name();
      text.message = fmt::format("entry {}: {}", row.index, text.message);
    }
    text.line = place.line;
    text.column = place.column;
  }
  throw DataError(std::move(text));
}

void Encoder::refuse(const DataField& field, const RowView& row, std::string message, bool with_field) const {
  refuse_at(field.value, row, field, std::move(message), with_field);
}

size_t Encoder::column_number(const EncodeExpr& expr, const RowView& row) const {
  if (row.table != nullptr)
    if (const int64_t found = find_column(expr, *row.table); found > 0) return static_cast<size_t>(found);
  const auto found = learned_.columns.find(expr.text);
  return found == learned_.columns.end() ? 1 : static_cast<size_t>(found->second);
}

const std::string& Encoder::given(const EncodeExpr& expr, const RowView& row) const {
  const auto found = std::ranges::find(row.given->names, to_text(expr));
  if (found == row.given->names.end()) throw std::invalid_argument("no value is given for " + to_text(expr));
  return row.given->values[static_cast<size_t>(found - row.given->names.begin())];
}

std::string Encoder::text(const EncodeExpr& expr, const RowView& row) const {
  switch (expr.op) {
    case EncodeOp::Text: return expr.text;
    case EncodeOp::Number: return fmt::format("{}", expr.number);
    case EncodeOp::Row: return fmt::format("{}", row.number);
    case EncodeOp::Lower: return lower(text(expr.operands[0], row));
    default: break;
  }
  if (!is_source(expr.op)) throw in_spec(spec_, expr, fmt::format("`{}` is no text", to_text(expr)));
  if (row.table == nullptr) {
    const std::string& value = given(expr, row);
    if (expr.op != EncodeOp::Column || spec_.sources.at(0).format != DataFormat::Blocks) return value;
    std::string token;  // of this element
    size_t at = 0;
    for_each_word(value, false, [&](std::string_view word) {
      if (at++ == row.element) token = word;
    });
    return token;
  }
  if (expr.op == EncodeOp::Line) return std::string(row.table->line(row.index));
  if (expr.op == EncodeOp::File) return row.table->stem();
  if (expr.op == EncodeOp::Rest) return row.table->rest(row.index, static_cast<size_t>(expr.number));
  if (expr.op == EncodeOp::WholeText) return row.table->text();
  if (expr.op == EncodeOp::Leaf) return row.table->leaf(row.index, row.element);
  if (expr.op == EncodeOp::Label) return row.table->label(row.index, row.element);
  return row.table->column(row.index, column_number(expr, row), row.element);
}

void Encoder::cut(const EncodeExpr& expr, std::string_view value, const SymbolSink& sink) const {
  switch (expr.op) {
    case EncodeOp::Chars: return for_each_char(value, sink);
    case EncodeOp::Bytes: return for_each_byte(value, sink);
    case EncodeOp::Words:
      if (!expr.list.empty()) return for_each_listed_word(value, lists_.at(expr.list), sink);
      return for_each_word(value, expr.marks, sink);
    default: throw std::invalid_argument("no sequence: " + to_text(expr));
  }
}

void Encoder::words(const DataField& field, const RowView& row, const std::function<void()>& begin,
                    const SymbolSink& sink) const {
  const EncodeExpr &expr = field.value, &inner = expr.operands[0];
  const auto word = [&](std::string_view letters) {
    begin();
    cut(expr, letters, sink);
    if (expr.end) sink(kEos);
  };
  if (inner.op == EncodeOp::Words) cut(inner, text(inner.operands[0], row), word);
  else word(text(inner, row));
}

void Encoder::symbols(const DataField& field, const RowView& row, const SymbolSink& sink) const {
  if (field.kind == FieldKind::Nested)
    return words(
        field, row, [] {}, sink);
  const EncodeExpr& expr = field.value;
  const EncodeExpr& source = expr.operands[0];
  const bool whole = source.op == EncodeOp::WholeText && row.table != nullptr;
  const std::string own = whole ? std::string() : text(source, row);
  const std::string_view value = whole ? std::string_view(row.table->text()) : own;  // a text may be large
  if (field.kind == FieldKind::Tree) {  // a node is one symbol: of a leaf of several ("8 1/2") the first
    bool first = true;
    cut(expr, value, [&](std::string_view symbol) {
      if (std::exchange(first, false)) sink(symbol);
    });
    return;
  }
  const bool lines = expr.end && row.table != nullptr && row.table->format() == DataFormat::Stream;
  if (!lines) {
    cut(expr, value, sink);
    if (expr.end && row.table != nullptr) sink(kEos);
    else if (expr.end && spec_.sources.at(0).format != DataFormat::Stream) sink(kEos);
    return;
  }
  // The sign of the line end is not a symbol beside <eos>. A last line without one ends all the same.
  for (std::string_view rest = value; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    cut(expr, rest.substr(0, end), sink);
    sink(kEos);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string Encoder::label(const DataField& field, const RowView& row) const {
  const EncodeExpr& operand = field.value.operands[0];
  if (is_text(operand) && !has_arrays(row)) return text(operand, row);
  if (operand.op == EncodeOp::File) return text(operand, row);
  return fmt::format("{}", number(field, operand, row));
}

void Encoder::numbers(const DataField& field, const RowView& row, std::span<double> values) const {
  const EncodeExpr& expr = field.value;
  const bool several = expr.op == EncodeOp::Numbers || expr.op == EncodeOp::Standardize;
  const auto check = [&](const EncodeExpr& part, double value) {
    if (std::abs(value) <= kLargest) return;  // not for NaN
    refuse_at(part, row, field, fmt::format("`{}` is {}, which is no 32-bit number", to_text(part), value));
  };
  size_t at = 0;
  const auto put = [&](const EncodeExpr& part) {
    if (!has_arrays(row)) {
      values[at] = number(field, part, row);
      check(part, values[at++]);
      return;
    }
    for (const double value : entry(field, part, row)) {
      check(part, value);
      values[at++] = value;
    }
  };
  if (!several) return put(expr);
  for (const EncodeExpr& part : expr.operands) put(part);
}

// An entry that the user gives: its numbers with blanks between.
std::vector<double> Encoder::given_entry(const DataField& field, const EncodeExpr& expr,
                                         const RowView& row) const {
  std::vector<double> values;
  for_each_word(given(expr, row), false, [&](std::string_view word) {
    const std::optional<double> value = parse_number(word);
    if (!value) refuse_at(expr, row, field, fmt::format("{} is not a number", in_quotes(word)));
    values.push_back(*value);
  });
  const auto shape = learned_.shapes.find(field.name);
  int64_t width = 1;
  if (shape != learned_.shapes.end())
    for (const int64_t size : shape->second) width *= size;
  if (static_cast<int64_t>(values.size()) != width)
    refuse_at(expr, row, field,
              fmt::format("{} number{} needed here, these are {}", width, width == 1 ? " is" : "s are",
                          values.size()));
  return values;
}

// An expression over the entries of arrays: one number for each of the entry's, or one alone.
std::vector<double> Encoder::entry(const DataField& field, const EncodeExpr& expr, const RowView& row) const {
  if (expr.op == EncodeOp::Column) {
    if (row.table == nullptr) return given_entry(field, expr, row);
    const NumberArray& array = row.table->arrays()[column_number(expr, row) - 1];
    std::vector<double> values(static_cast<size_t>(array.width()));
    array.entry(static_cast<int64_t>(row.index), values);
    return values;
  }
  if (expr.op == EncodeOp::Number) return {expr.number};
  if (expr.op == EncodeOp::Row) return {static_cast<double>(row.number)};
  if (expr.op == EncodeOp::File || expr.op == EncodeOp::Text) return {number(field, expr, row)};
  if (expr.op == EncodeOp::Equals) {
    std::vector<double> values = entry(field, expr.operands[0], row);
    std::vector<double> wanted;
    for (size_t i = 1; i < expr.operands.size(); ++i)
      for (const double value : entry(field, expr.operands[i], row)) wanted.push_back(value);
    for (double& value : values) value = std::ranges::find(wanted, value) != wanted.end() ? 1 : 0;
    return values;
  }
  std::vector<double> a = entry(field, expr.operands.at(0), row);
  const std::vector<double> b =
      expr.operands.size() > 1 ? entry(field, expr.operands[1], row) : std::vector<double>(1);
  if (a.size() < b.size()) a.resize(b.size(), a[0]);
  for (size_t i = 0; i < a.size(); ++i) {
    const std::optional<double> value = apply(expr.op, a[i], b[b.size() == 1 ? 0 : i]);
    if (!value) throw in_spec(spec_, expr, fmt::format("`{}` is no number", to_text(expr)));
    a[i] = *value;
  }
  return a;
}

double Encoder::equals(const DataField& field, const EncodeExpr& expr, const RowView& row) const {
  const EncodeExpr& left = expr.operands[0];
  for (size_t i = 1; i < expr.operands.size(); ++i) {
    const EncodeExpr& right = expr.operands[i];
    if (is_text(left) && is_text(right)) {
      if (text(left, row) == text(right, row)) return 1;
      continue;
    }
    // A text that is no number equals no number.
    const std::optional<double> a = is_text(left) ? parse_number(text(left, row)) : number(field, left, row);
    const std::optional<double> b =
        is_text(right) ? parse_number(text(right, row)) : number(field, right, row);
    if (a && b && *a == *b) return 1;
  }
  return 0;
}

double Encoder::number(const DataField& field, const EncodeExpr& expr, const RowView& row) const {
  if (expr.op == EncodeOp::Column && has_arrays(row)) {
    const std::vector<double> values = entry(field, expr, row);
    if (values.size() == 1) return values[0];
    throw in_spec(spec_, expr,
                  fmt::format("`{}`: an entry has {} numbers, one is needed", to_text(expr), values.size()));
  }
  if (is_text(expr)) {
    const std::string value = text(expr, row);
    const std::optional<double> parsed = parse_number(value);
    if (!parsed && trim(value).empty()) refuse_at(expr, row, field, "this is empty, a number is needed");
    if (!parsed) refuse_at(expr, row, field, fmt::format("{} is not a number", in_quotes(value)));
    if (std::abs(*parsed) > kLargest)
      refuse_at(expr, row, field, fmt::format("{} is too large for a 32-bit number", in_quotes(value)));
    return *parsed;
  }
  if (expr.op == EncodeOp::Number) return expr.number;
  if (expr.op == EncodeOp::Row) return static_cast<double>(row.number);
  if (expr.op == EncodeOp::Equals) return equals(field, expr, row);
  const auto operand = [&](size_t i) {
    return i < expr.operands.size() ? number(field, expr.operands[i], row) : 0.0;
  };
  if (const std::optional<double> value =
          expr.operands.empty() ? std::nullopt : apply(expr.op, operand(0), operand(1)))
    return *value;
  throw in_spec(spec_, expr, fmt::format("`{}` is no number", to_text(expr)));
}

}  // namespace rnnc
