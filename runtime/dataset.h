// The encoded data of a data block: files read, rows dealt to the parts, vocabularies made, every field as
// numbers in memory.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/data_files.h"
#include "runtime/data_spec.h"
#include "runtime/errors.h"
#include "runtime/ids.h"
#include "runtime/vocabulary.h"

namespace rnnc {

/// One field, all rows. Only what its kind needs is filled. Along a dimension the elements of all rows stand
/// one row after the other: row r has the elements offsets[r] .. offsets[r + 1] - 1.
struct FieldData {
  std::vector<float> numbers;    // Numbers: [rows or elements][width]
  Ids ids;                       // Category, Sequence, Tree: [rows or elements]; Nested: all symbols
  std::vector<int64_t> offsets;  // along a dimension: rows + 1 of them
  std::vector<int64_t> inner;    // Nested: where the symbols of each element begin in `ids`, and the end
  std::vector<int32_t> left,
      right;  // Tree, Links: the children of each node, counted within its row; -1: none
};

/// Mean and deviation of each number of a `standardize` field, over the training part.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> deviation;  // 1 where a column never changes
};

/// What was learned from the training part: with the data block's text it is all that encoding new rows
/// needs.
struct Learned {
  std::map<std::string, Vocabulary> vocabularies;      // by vocabulary
  std::map<std::string, Normalisation> normalisation;  // by field
  std::map<std::string, int64_t> columns;              // col("name"): its number, counted from 1
  std::map<std::string, int64_t> longest;              // by sequence dimension: the longest row of all parts
  std::map<std::string, std::vector<int64_t>> shapes;  // by field of numbers: its fixed dimensions
  std::map<std::string, std::vector<std::string>> lists;  // by file: the words of `words(..., list = ...)`
};

nlohmann::json to_json(const Learned& learned);
/// Throws std::invalid_argument if the JSON is not one made by to_json.
Learned learned_from_json(const nlohmann::json& json);

/// A data block in memory.
struct Dataset {
  std::vector<DataField> fields;        // what is encoded here, in the order of the data block
  std::vector<FieldData> data;          // as `fields`
  std::vector<std::string> dimensions;  // sequence dimensions, in the order in which they first appear
  std::vector<int>
      within;  // of each: the dimension within whose elements it lies, -1: none; so all at its end
  int64_t rows = 0;
  std::vector<int64_t> train, valid, test;  // the rows of each part, ascending; with `pieces` one at most
  PieceSetting pieces;                      // set: a row is a part, read in pieces
  Learned learned;
  std::vector<DataMessage> warnings;

  /// The rows of a part (All: all rows cannot be asked for; std::invalid_argument).
  const std::vector<int64_t>& part(Part part) const;
  /// The index of a field, -1 if there is none.
  int find(std::string_view field) const;
  /// Elements of field `field`, which runs along a dimension, in row `row`.
  int64_t length(size_t field, int64_t row) const;
  /// Names the dimensions of a field that are not known yet.
  void add_dimensions(const DataField& field);
  /// The dimension within whose elements this one lies, -1: it is one of the rows.
  int around(size_t dimension) const { return dimension < within.size() ? within[dimension] : -1; }
  /// The longest sequence along a dimension.
  int64_t longest(std::string_view dimension) const;
  /// The children of the nodes along a tree dimension: FieldData::left and right; null if it is none.
  const FieldData* tree(std::string_view dimension) const;
};

/// Reads, deals and encodes the data of a block. `others` has the vocabularies that belong to other blocks
/// (VocabularySpec::same). Throws DataError: what is wrong, and where.
Dataset load_dataset(const DataSpec& spec, const DataFolder& folder, const Learned& others = {});

/// What a row of `predict` has to give for the fields named: `line`, then the columns in the order of their
/// numbers, then `file`; as they are written in the data block. `row` is counted, never given.
std::vector<std::string> needed_values(const DataSpec& spec, const Learned& learned,
                                       std::span<const std::string> fields);

/// Rows of source values given by the user, for the fields named: values[r] are the needed_values of row r.
/// `origin` stands for the file in messages ("standard input"). All rows are in `test`. Unseen symbols become
/// <unk>.
Dataset encode_values(const DataSpec& spec, const Learned& learned, std::span<const std::string> fields,
                      std::span<const std::vector<std::string>> values, const std::string& origin);

/// Cuts a line of standard input at its tabs into the values for encode_values (one value: the whole line).
std::vector<std::string> split_values(std::string_view line, size_t needed);

/// Rows of files in the format of the data block's first source, for the fields named. All rows are in
/// `test`.
Dataset encode_files(const DataSpec& spec, const Learned& learned, std::span<const std::string> fields,
                     std::span<const std::string> files);

}  // namespace rnnc
