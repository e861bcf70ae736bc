// Rows to the columns of a Dataset, with what was learned from the training part.
#pragma once

#include <span>

#include "runtime/dataset.h"
#include "runtime/encode.h"

namespace rnnc {

/// Every column that the fields read is in the table; else DataError at the `col` in the .rnn file.
void check_columns(const DataSpec& spec, const Table& table, std::span<const DataField> fields);

/// Encodes all rows for `dataset.fields`: fills data, dimensions, rows. `learned.normalisation` of fields
/// that have none yet is computed over the rows of dataset.train. Throws DataError: a label that was not
/// seen, text that is no number, sequences along one dimension of unequal length.
void encode_fields(const DataSpec& spec, std::span<const RowView> rows, Learned& learned, Dataset& dataset);

}  // namespace rnnc
