// Files of rows: all formats of data blocks.
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
//   - blocks: a line without a sign ends a block, several in a row end one only.
//   - stream: the whole text is the only row; CR before LF is dropped.
//   - trees: see trees.h; idx, npy: see arrays.h. Several files of a source stand side by side there.
//   - a byte-order mark is dropped, a NUL byte refused.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/arrays.h"
#include "runtime/data_files.h"
#include "runtime/data_spec.h"
#include "runtime/text.h"
#include "runtime/trees.h"

namespace rnnc {

/// The rows of one file.
class Table {
 public:
  Table(std::string name, std::string stem, DataFormat format)
      : name_(std::move(name)), stem_(std::move(stem)), format_(format) {}

  const std::string& name() const { return name_; }
  const std::string& stem() const { return stem_; }
  DataFormat format() const { return format_; }
  size_t rows() const;
  /// Lines of a block, nodes of a tree; 1 elsewhere.
  size_t elements(size_t row) const;
  /// csv, tsv: columns of every row; 0 without rows and header. idx, npy: the files. lines, columns: 1.
  size_t columns() const { return columns_; }
  /// The names of the columns, without blanks around them; empty without `header = yes`.
  const std::vector<std::string>& header() const { return header_; }

  /// The whole line of a row (lines, columns).
  std::string_view line(size_t row) const;
  /// Column n (from 1) of a row, or of an element of it. Throws DataError if there are fewer (`columns`,
  /// `blocks`; elsewhere it must exist).
  std::string column(size_t row, size_t n, size_t element = 0) const;
  /// From column n to the end of the line (columns).
  std::string rest(size_t row, size_t n) const;
  /// The text (stream).
  const std::string& text() const { return text_; }
  /// A node of a tree (trees), its label and its word, empty if it has none.
  const TreeNode& node(size_t row, size_t element) const;
  std::string label(size_t row, size_t element) const;
  std::string leaf(size_t row, size_t element) const;
  /// The files side by side (idx, npy).
  const std::vector<NumberArray>& arrays() const { return arrays_; }
  /// Where column n (0: the row) begins; line 0 where there are none.
  TextPlace place(size_t row, size_t n, size_t element = 0) const;
  /// The first line of the file as columns, for messages: "size(sqft), bedrooms, floors"; and where it
  /// stands.
  std::string first_row_text() const;

 private:
  friend class TableReader;
  friend Table parse_table(const std::string&, std::string, const DataSource&);
  friend Table side_by_side(const DataSource&, std::vector<NumberArray>);
  struct Cell {
    size_t begin = 0;        // in text_, without the quotes around it
    size_t end : 63 = 0;     // there may be many millions
    size_t doubled : 1 = 0;  // has quotes that are written twice
  };
  std::string cell_text(const Cell& cell) const;
  size_t cell_of(size_t row, size_t element) const;
  std::string_view find_column(size_t row, size_t n, size_t element) const;

  std::string name_, stem_;
  DataFormat format_;
  std::string text_;         // the whole file, UTF-8
  std::vector<Cell> cells_;  // [rows][columns]
  size_t columns_ = 0;
  std::vector<std::string> header_;
  std::vector<size_t> blocks_;  // blocks: row r is cells_[blocks_[r]] .. cells_[blocks_[r + 1] - 1]
  TreeBank trees_;
  std::vector<NumberArray> arrays_;
};

/// Reads a file of text. Throws DataError: cannot be read, not UTF-8, malformed, rows of unequal length.
Table read_table(const DataFile& file, const DataSource& source);

/// Reads the files of a source: a table each, or one for all that stand side by side.
std::vector<Table> read_tables(const std::vector<DataFile>& files, const DataSource& source);

/// One file of text (`text` as it is in the file).
Table parse_table(const std::string& name, std::string text, const DataSource& source);

/// Files of numbers as one table. Throws DataError if they have unequal numbers of rows.
Table side_by_side(const DataSource& source, std::vector<NumberArray> arrays);

/// `lines(latin1 = yes)`: the format as it is written, with the options it has and `extra`.
std::string format_text(const DataSource& source, std::string_view extra);

}  // namespace rnnc
