// What an encoder expression makes of one row.
#include "runtime/encode.h"

#include <fmt/format.h>

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
  return op == EncodeOp::Line || op == EncodeOp::File || op == EncodeOp::Column || op == EncodeOp::Rest;
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

void Encoder::refuse_at(const EncodeExpr& expr, const RowView& row, const DataField& field,
                        std::string message) const {
  DataMessage text{.file = std::string(row.origin),
                   .line = static_cast<int>(row.index) + 1,
                   .column = 1,
                   .message = std::move(message),
                   .notes = {fmt::format("`{}` in line {} of {}", field.name, field.place.line, spec_.file)},
                   .help = {}};
  if (row.table != nullptr) {
    const EncodeExpr* source = first_source(expr);
    size_t column = 0;
    if (source != nullptr && source->op == EncodeOp::Column) column = column_number(*source, row);
    const TextPlace place = row.table->place(row.index, column);
    text.file = row.table->name();
    text.line = place.line;
    text.column = place.column;
  }
  throw DataError(std::move(text));
}

void Encoder::refuse(const DataField& field, const RowView& row, std::string message) const {
  refuse_at(field.value, row, field, std::move(message));
}

size_t Encoder::column_number(const EncodeExpr& expr, const RowView& row) const {
  if (row.table != nullptr)
    if (const int64_t found = find_column(expr, *row.table); found > 0) return static_cast<size_t>(found);
  const auto found = columns_.find(expr.text);
  return found == columns_.end() ? 1 : static_cast<size_t>(found->second);
}

const std::string& Encoder::given(const EncodeExpr& expr, const RowView& row) const {
  const auto found = std::ranges::find(row.names, to_text(expr));
  if (found == row.names.end()) throw std::invalid_argument("no value is given for " + to_text(expr));
  return row.values[static_cast<size_t>(found - row.names.begin())];
}

std::string Encoder::text(const EncodeExpr& expr, const RowView& row) const {
  switch (expr.op) {
    case EncodeOp::Text: return expr.text;
    case EncodeOp::Number: return fmt::format("{}", expr.number);
    case EncodeOp::Row: return fmt::format("{}", row.number);
    case EncodeOp::Lower: return lower(text(expr.operands[0], row));
    case EncodeOp::Line:
    case EncodeOp::File:
    case EncodeOp::Column:
    case EncodeOp::Rest: break;
    default:
      throw DataError({.file = spec_.file,
                       .line = expr.place.line,
                       .column = expr.place.column,
                       .message = fmt::format("`{}` is no text", to_text(expr)),
                       .notes = {},
                       .help = {}});
  }
  if (row.table == nullptr) return given(expr, row);
  if (expr.op == EncodeOp::Line) return std::string(row.table->line(row.index));
  if (expr.op == EncodeOp::File) return row.table->stem();
  if (expr.op == EncodeOp::Rest) return row.table->rest(row.index, static_cast<size_t>(expr.number));
  return row.table->column(row.index, column_number(expr, row));
}

void Encoder::symbols(const DataField& field, const RowView& row, const SymbolSink& sink) const {
  const EncodeExpr& expr = field.value;
  const std::string value = text(expr.operands[0], row);
  switch (expr.op) {
    case EncodeOp::Chars: for_each_char(value, sink); break;
    case EncodeOp::Words: for_each_word(value, expr.marks, sink); break;
    case EncodeOp::Bytes: for_each_byte(value, sink); break;
    default: throw std::invalid_argument("no sequence: " + to_text(expr));
  }
  if (expr.end) sink(kEos);
}

std::string Encoder::label(const DataField& field, const RowView& row) const {
  const EncodeExpr& operand = field.value.operands[0];
  if (is_text(operand)) return text(operand, row);
  return fmt::format("{}", number(field, operand, row));
}

void Encoder::numbers(const DataField& field, const RowView& row, std::span<double> values) const {
  const EncodeExpr& expr = field.value;
  const bool several = expr.op == EncodeOp::Numbers || expr.op == EncodeOp::Standardize;
  for (size_t i = 0; i < values.size(); ++i) {
    const EncodeExpr& part = several ? expr.operands[i] : expr;
    values[i] = number(field, part, row);
    if (!(std::abs(values[i]) <= kLargest))  // also for NaN
      refuse_at(part, row, field,
                fmt::format("`{}` is {}, which is no 32-bit number", to_text(part), values[i]));
  }
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
  if (is_text(expr)) {
    const std::string value = text(expr, row);
    const std::optional<double> parsed = parse_number(value);
    if (!parsed && trim(value).empty()) refuse_at(expr, row, field, "this is empty, a number is needed");
    if (!parsed) refuse_at(expr, row, field, fmt::format("{} is not a number", in_quotes(value)));
    if (std::abs(*parsed) > kLargest)
      refuse_at(expr, row, field, fmt::format("{} is too large for a 32-bit number", in_quotes(value)));
    return *parsed;
  }
  const auto operand = [&](size_t i) { return number(field, expr.operands[i], row); };
  switch (expr.op) {
    case EncodeOp::Number: return expr.number;
    case EncodeOp::Row: return static_cast<double>(row.number);
    case EncodeOp::ToNumber: return operand(0);
    case EncodeOp::Equals: return equals(field, expr, row);
    case EncodeOp::Add: return operand(0) + operand(1);
    case EncodeOp::Subtract: return operand(0) - operand(1);
    case EncodeOp::Multiply: return operand(0) * operand(1);
    case EncodeOp::Divide: return operand(0) / operand(1);
    case EncodeOp::Power: return std::pow(operand(0), operand(1));
    case EncodeOp::Negate: return -operand(0);
    case EncodeOp::Sin: return std::sin(operand(0));
    case EncodeOp::Cos: return std::cos(operand(0));
    case EncodeOp::Log: return std::log(operand(0));
    case EncodeOp::Sqrt: return std::sqrt(operand(0));
    case EncodeOp::Abs: return std::abs(operand(0));
    default:
      throw DataError({.file = spec_.file,
                       .line = expr.place.line,
                       .column = expr.place.column,
                       .message = fmt::format("`{}` is no number", to_text(expr)),
                       .notes = {},
                       .help = {}});
  }
}

}  // namespace rnnc
