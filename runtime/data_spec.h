// What a data block says, as plain values: the readers' side of the language.
//
// The driver translates the syntax tree of a data block to a DataSpec, so that the runtime need not know
// the syntax tree. Everything carries its place in the .rnn file, for messages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

/// A place in the .rnn file, counted from 1.
struct SpecPlace {
  int line = 0;
  int column = 0;
};

/// To which part the rows of a source go; All: they are dealt by `split`.
enum class Part { Train, Valid, Test, All };

inline constexpr std::array<Part, 3> kParts = {Part::Train, Part::Valid, Part::Test};

/// "train", "valid", "test"; "read" for All.
std::string_view part_name(Part part);

enum class DataFormat { Lines, Csv, Tsv, Columns, Blocks, Stream, Trees, Idx, Npy };

inline constexpr std::array<DataFormat, 9> kFormats = {
    DataFormat::Lines,  DataFormat::Csv,   DataFormat::Tsv, DataFormat::Columns, DataFormat::Blocks,
    DataFormat::Stream, DataFormat::Trees, DataFormat::Idx, DataFormat::Npy};

/// "lines", "csv", "tsv", ...
std::string_view format_name(DataFormat format);

/// idx, npy: an entry is numbers, not text, and may have dimensions of its own.
inline bool is_array(DataFormat format) {
  return format == DataFormat::Idx || format == DataFormat::Npy;
}
/// blocks, trees: a row has several elements, each with values of its own.
inline bool has_elements(DataFormat format) {
  return format == DataFormat::Blocks || format == DataFormat::Trees;
}

/// `read "a/*.txt", "b.txt" as csv(header = yes)`
struct DataSource {
  Part part = Part::All;
  std::vector<std::string> patterns;
  DataFormat format = DataFormat::Lines;
  bool header = false;  // csv, tsv: the first record names the columns
  bool latin1 = false;
  SpecPlace place;  // of `read`, `train`, `valid` or `test`
};

/// What an encoder expression is made of. In parentheses: the operands.
enum class EncodeOp {
  Line,         // the line: text
  File,         // the file's name without folder and ending: text
  Row,          // the number of the row: number
  Column,       // col(number) or col("text"): text
  Rest,         // rest(number), of `columns`: text
  WholeText,    // text, of `stream`: the whole text
  Leaf,         // leaf, of `trees`: the word of a node
  Label,        // label, of `trees`
  Links,        // links, of `trees`: for each two nodes 1 if one is the other's child, else 0
  Text,         // a constant
  Number,       // a constant
  Lower,        // (text) -> text
  Chars,        // (text) -> symbols, one a code point
  Words,        // (text) -> symbols
  Bytes,        // (text) -> symbols
  Category,     // (text or number) -> one entry of a vocabulary
  ToNumber,     // number(text) -> number
  Numbers,      // (text or number, ...) -> one number each
  Standardize,  // (text or number, ...) -> one number each, mean 0 and deviation 1 in the training part
  Equals,       // (value, constant, ...) -> 1 or 0
  Add,
  Subtract,
  Multiply,
  Divide,
  Power,
  Negate,
  Sin,
  Cos,
  Log,
  Sqrt,
  Abs
};

/// The tree of an encoder: `chars(lower(line), end = yes)`.
struct EncodeExpr {
  EncodeOp op = EncodeOp::Line;
  std::vector<EncodeExpr> operands;
  double number = 0;   // Number: the value; Column, Rest: counted from 1, 0 if named by `text`
  std::string text;    // Text: the value; Column: the name in the header
  bool end = false;    // Chars, Words, Bytes: append <eos>
  bool marks = false;  // Words: signs are words of their own
  std::string list;    // Words: the file of a word list, empty without
  SpecPlace place;
};

/// As it stands in the file, for messages: `col("Temp")`.
std::string to_text(const EncodeExpr& expr);

enum class FieldKind {
  Numbers,   // float [width] a row, or an element of `dimension`; `[]` is width 1
  Category,  // one id a row, or an element of `dimension`
  Sequence,  // ids of the symbols of a text, along `dimension`
  Nested,    // ids of the symbols of each word of a text: along `inside`, within each element of `dimension`
  Tree,      // one id a node (-1: none) along `dimension`, with the nodes' children
  Links      // float [n][n] a row of n elements of `dimension`
};

/// `x: C[T] = chars(line)`
struct DataField {
  std::string name;
  FieldKind kind = FieldKind::Numbers;
  std::string vocabulary;  // Category, Sequence, Nested, Tree
  std::string dimension;   // the sequence or tree along which it runs; empty: one value a row
  std::string inside;      // Nested: the sequence within each element
  int64_t width = 1;       // Numbers: how many; of arrays known when they are read
  std::vector<std::optional<int64_t>>
      sizes;  // Numbers: the fixed dimensions; without a number if it has a name
  EncodeExpr value;
  SpecPlace place;
};

/// `split train = 0.8`
struct Share {
  Part part = Part::Train;
  double share = 0;
};

/// `limit T = 24`, `pad T = 10`
struct LengthSetting {
  std::string dimension;
  int64_t length = 0;
  SpecPlace place;
};

/// `chunk T = n`, `sample T = n`: the rows of a part are one sequence, which is read in pieces.
struct PieceSetting {
  std::string dimension;  // empty: rows are not joined
  int64_t length = 0;
  bool sample = false;  // pieces in random order
  int64_t offset = 0;   // elements left out in training
  bool random_offset = false;
  SpecPlace place;

  explicit operator bool() const { return !dimension.empty(); }
};

/// `vocab C(max = n, min = m, same = block)`, and what else the file asks of a vocabulary.
struct VocabularySpec {
  std::string name;
  std::optional<int64_t> max;  // the most frequent
  int64_t min = 1;             // seen at least as often
  bool bos = false;            // `delay` is used on it: it has <bos>
  bool blank = false;          // `ctc` is used on it: it has <blank>
  std::string same;            // the data block whose vocabulary it is; empty: it is made here
  SpecPlace place;
};

/// A data block.
struct DataSpec {
  std::string file;  // the .rnn file as messages name it
  std::string name;  // of the block
  SpecPlace place;
  std::vector<DataSource> sources;
  std::vector<DataField> fields;
  std::vector<Share> split;  // in the order in which they are named
  SpecPlace split_place;
  std::vector<LengthSetting> limits;
  std::vector<LengthSetting> pads;
  PieceSetting pieces;
  std::vector<VocabularySpec> vocabularies;  // those with a setting or a need of their own
  std::optional<int64_t> take;
};

}  // namespace rnnc
