// What an encoder expression makes of one row: text, symbols, a label, numbers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/data_spec.h"
#include "runtime/dataset.h"
#include "runtime/readers.h"
#include "runtime/text.h"

namespace rnnc {

/// A row that the user gives.
struct GivenRow {
  std::span<const std::string> values;
  std::span<const std::string> names;  // what each value stands for, as needed_values names it
  std::string_view origin;
};

/// Where the values of a row come from: a row of a file, or else values that the user gives.
struct RowView {
  const Table* table = nullptr;
  const GivenRow* given = nullptr;
  size_t index = 0;    // row of the table, or of what was given
  size_t element = 0;  // line of a block, node of a tree
  int64_t number = 0;  // `row`
};

/// Evaluates the expressions of one data block. All functions throw DataError with the place in the data, or,
/// if the data block is to blame, in the .rnn file.
class Encoder {
 public:
  /// Of `learned` it takes the numbers of named columns, for rows without a header, the word lists and the
  /// shapes of arrays. Both must outlive this.
  Encoder(const DataSpec& spec, const Learned& learned);

  /// The symbols of each word of a Nested field; `begin` is called before them. An element of a row is one
  /// word.
  void words(const DataField& field, const RowView& row, const std::function<void()>& begin,
             const SymbolSink& sink) const;
  /// The symbols of a Sequence or Tree field, of a Nested one those of all words, with <eos> at the end (of a
  /// stream: of every line) if it asks for it.
  void symbols(const DataField& field, const RowView& row, const SymbolSink& sink) const;
  /// The text of a Category field.
  std::string label(const DataField& field, const RowView& row) const;
  /// The numbers of a Numbers field, `width` of them, before standardizing. Each is finite as a float.
  void numbers(const DataField& field, const RowView& row, std::span<double> values) const;
  /// How many elements a row has: lines of a block, nodes of a tree; else 1.
  size_t elements(const RowView& row) const;

  /// A message about a field at the place of its value in the data. `with_field`: a note says which.
  [[noreturn]] void refuse(const DataField& field, const RowView& row, std::string message,
                           bool with_field = true) const;

 private:
  std::string text(const EncodeExpr& expr, const RowView& row) const;
  double number(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  double equals(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  bool has_arrays(const RowView& row) const;
  std::vector<double> entry(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  std::vector<double> given_entry(const DataField& field, const EncodeExpr& expr, const RowView& row) const;
  void cut(const EncodeExpr& expr, std::string_view value, const SymbolSink& sink) const;
  const std::string& given(const EncodeExpr& expr, const RowView& row) const;
  size_t column_number(const EncodeExpr& expr, const RowView& row) const;
  [[noreturn]] void refuse_at(const EncodeExpr& expr, const RowView& row, const DataField& field,
                              std::string message, bool with_field = true) const;

  const DataSpec& spec_;
  const Learned& learned_;
  std::map<std::string, WordList> lists_;
};

/// The dimensions of an expression over the arrays of a table: of the first `col` in it that has some. Throws
/// DataError at the expression if another has others.
std::vector<int64_t> entry_shape(const DataSpec& spec, const EncodeExpr& expr, const Table& table);

/// The type of an expression: text or number (Chars, Words, Bytes and Category have neither).
bool is_text(const EncodeExpr& expr);

/// The number of a column in a table, -1 if it is named and the header has no such name.
int64_t find_column(const EncodeExpr& column, const Table& table);

}  // namespace rnnc
