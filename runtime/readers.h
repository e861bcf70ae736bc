// Files of rows: `lines`, `csv`, `tsv`, `columns`.
//
// What a row is, beyond the language reference:
//   - lines: what stands before a line end is a row, empty lines too; nothing stands after the last line end,
//   so a
//     file that ends in one has no empty last row, and a file that does not loses none.
//   - csv, tsv, columns: lines without a sign are no rows. All rows of a csv or tsv file have as many columns
//   as the
//     first.
//   - csv: as RFC 4180, LF as well as CR LF; a quote inside an unquoted field is a sign like any other. A
//   quoted field
//     keeps its line ends as they are.
//   - a byte-order mark is dropped, a NUL byte refused.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/data_files.h"
#include "runtime/data_spec.h"
#include "runtime/text.h"

namespace rnnc {

/// The rows of one file.
class Table {
 public:
  Table(std::string name, std::string stem, DataFormat format)
      : name_(std::move(name)), stem_(std::move(stem)), format_(format) {}

  const std::string& name() const { return name_; }
  const std::string& stem() const { return stem_; }
  DataFormat format() const { return format_; }
  size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  /// csv, tsv: columns of every row; 0 without rows and header. lines, columns: 1.
  size_t columns() const { return columns_; }
  /// The names of the columns, without blanks around them; empty without `header = yes`.
  const std::vector<std::string>& header() const { return header_; }

  /// The whole line of a row (lines, columns).
  std::string_view line(size_t row) const;
  /// Column n (from 1) of a row. Throws DataError if the row has fewer (`columns` only; elsewhere it must
  /// exist).
  std::string column(size_t row, size_t n) const;
  /// From column n to the end of the line (columns).
  std::string rest(size_t row, size_t n) const;
  /// Where column n (0: the row) begins.
  TextPlace place(size_t row, size_t n) const;
  /// The first line of the file as columns, for messages: "size(sqft), bedrooms, floors"; and where it
  /// stands.
  std::string first_row_text() const;

 private:
  friend class TableReader;
  friend Table parse_table(const std::string&, std::string, const DataSource&);
  struct Cell {
    size_t begin = 0, end = 0;  // in text_, without the quotes around it
    bool doubled = false;       // has quotes that are written twice
  };
  std::string cell_text(const Cell& cell) const;
  std::string_view find_column(size_t row, size_t n) const;

  std::string name_, stem_;
  DataFormat format_;
  std::string text_;         // the whole file, UTF-8
  std::vector<Cell> cells_;  // [rows][columns]
  size_t columns_ = 0;
  std::vector<std::string> header_;
};

/// Reads a file. Throws DataError: cannot be read, not UTF-8, malformed, rows of unequal length.
Table read_table(const DataFile& file, const DataSource& source);

/// The same from text (`text` as it is in the file), for tests.
Table parse_table(const std::string& name, std::string text, const DataSource& source);

/// `lines(latin1 = yes)`: the format as it is written, with the options it has and `extra`.
std::string format_text(const DataSource& source, std::string_view extra);

}  // namespace rnnc
