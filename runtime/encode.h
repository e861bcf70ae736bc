// What an encoder expression makes of one row: text, symbols, a label, numbers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/data_spec.h"
#include "runtime/dataset.h"
#include "runtime/readers.h"
#include "runtime/text.h"

namespace rnnc {

/// Where the values of a row come from: a row of a file, or values that the user gives.
struct RowView {
  const Table* table = nullptr;
  size_t index = 0;    // row of the table, or of what was given
  int64_t number = 0;  // `row`

  // Without a table:
  std::span<const std::string> values;
  std::span<const std::string> names;  // what each value stands for, as needed_values names it
  std::string_view origin;
};

/// Evaluates the expressions of one data block. All functions throw DataError with the place in the data, or,
/// if the data block is to blame, in the .rnn file.
class Encoder {
 public:
  /// `columns` are the numbers of named columns for rows without a header. Both must outlive this.
  Encoder(const DataSpec& spec, const std::map<std::string, int64_t>& columns)
      : spec_(spec), columns_(columns) {}

  /// The symbols of a Sequence field, with <eos> at the end if it asks for it.
  void symbols(const DataField& field, const RowView& row, const SymbolSink& sink) const;
  /// The text of a Category field.
  std::string label(const DataField& field, const RowView& row) const;
  /// The numbers of a Numbers field, `width` of them, before standardizing. Each is finite as a float.
  void numbers(const DataField& field, const RowView& row, std::span<double> values) const;

  /// A message about a field at the place of its value in the data.
  [[noreturn]] void refuse(const DataField& field, const RowView& row, std::string message) const;

 private:
  std::string text(const EncodeExpr& expr, const RowView& row) const;
  double number(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  double equals(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  const std::string& given(const EncodeExpr& expr, const RowView& row) const;
  size_t column_number(const EncodeExpr& expr, const RowView& row) const;
  [[noreturn]] void refuse_at(const EncodeExpr& expr, const RowView& row, const DataField& field,
                              std::string message) const;

  const DataSpec& spec_;
  const std::map<std::string, int64_t>& columns_;
};

/// The type of an expression: text or number (Chars, Words, Bytes and Category have neither).
bool is_text(const EncodeExpr& expr);

/// The number of a column in a table, -1 if it is named and the header has no such name.
int64_t find_column(const EncodeExpr& column, const Table& table);

}  // namespace rnnc
