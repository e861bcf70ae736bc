// Rows to the columns of a Dataset, with what was learned from the training part.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/dataset.h"
#include "runtime/encode.h"

namespace rnnc {

/// The rows of a dataset and where their values lie.
struct RowSet {
  std::vector<RowView> records;  // of the files
  /// With `chunk` or `sample` a row of the dataset is the records first[r] .. first[r + 1] - 1, an element
  /// each; else this is empty, and a record is a row.
  std::vector<int64_t> first;

  int64_t rows() const { return static_cast<int64_t>(first.empty() ? records.size() : first.size() - 1); }
};

/// Calls f(RowView) for each element of a row.
template <class F>
void for_each_element(const RowSet& rows, const Encoder& encoder, int64_t row, const F& f) {
  const auto r = static_cast<size_t>(row);
  if (!rows.first.empty()) {
    for (int64_t i = rows.first[r]; i < rows.first[r + 1]; ++i) f(rows.records[static_cast<size_t>(i)]);
    return;
  }
  RowView view = rows.records[r];
  const size_t count = encoder.elements(view);
  for (view.element = 0; view.element < count; ++view.element) f(view);
}

/// Every column that the fields read is in the table; else DataError at the `col` in the .rnn file.
void check_columns(const DataSpec& spec, const Table& table, std::span<const DataField> fields);

/// The shapes of the fields that read arrays: learned.shapes, and the widths of `fields`. Throws DataError if
/// they are not what the field's type says, or not those of another file.
void find_shapes(const DataSpec& spec, std::span<const Table* const> tables, std::span<DataField> fields,
                 Learned& learned);
/// The widths by shapes that are known.
void set_widths(const Learned& learned, std::span<DataField> fields);

/// `category L has: a, b, c`, cut if it is long.
std::string label_list(const Vocabulary& vocabulary);

/// Encodes all rows for `dataset.fields`: fills data, dimensions, rows. `learned.normalisation` of fields
/// that have none yet is computed over the rows of dataset.train. Throws DataError: a label that was not
/// seen, text that is no number, sequences along one dimension of unequal length.
void encode_fields(const DataSpec& spec, const RowSet& rows, Learned& learned, Dataset& dataset);

}  // namespace rnnc
