// Data of the format `stream`: the texts of a part are one sequence of symbols, cut in order.
#pragma once

#include <span>

#include "runtime/dataset.h"
#include "runtime/readers.h"

namespace rnnc {

/// A table and the part to which its rows go.
struct SourceTable {
  Table table;
  Part part;
};

/// The parts of `n` elements that are cut in order, in the order in which `shares` names them: at
/// round(n * share), shares added up.
std::vector<std::pair<Part, int64_t>> cut_in_order(int64_t n, std::span<const Share> shares);

/// Makes a row of each part that has symbols: fills rows, parts, vocabularies, data. Throws DataError: fields
/// of unequal length.
void encode_streams(const DataSpec& spec, std::span<const SourceTable> tables, const Learned& others,
                    Dataset& dataset);

}  // namespace rnnc
