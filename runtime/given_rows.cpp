// Rows for `predict` and `generate`: values that the user gives, or files, encoded with what a saved model
// knows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "runtime/dataset.h"
#include "runtime/encode_fields.h"
#include "runtime/readers.h"
#include "runtime/spec_check.h"

namespace rnnc {
namespace {

std::vector<DataField> chosen_fields(const DataSpec& spec, std::span<const std::string> names) {
  std::vector<DataField> fields;
  for (const DataField& field : spec.fields)
    if (std::ranges::find(names, field.name) != names.end()) fields.push_back(field);
  if (fields.size() != names.size())
    throw std::invalid_argument("data block " + spec.name + " lacks a field asked for");
  return fields;
}

// With `chunk` or `sample` all records are one row, which is not cut into pieces; a text is a row in any
// case.
Dataset encode(const DataSpec& spec, const Learned& learned, std::vector<DataField> fields,
               std::vector<RowView> records) {
  Dataset dataset;
  dataset.fields = std::move(fields);
  dataset.learned = learned;
  set_widths(learned, dataset.fields);
  DataSpec whole = spec;
  whole.pieces = {};
  RowSet rows{std::move(records), {}};
  if (spec.pieces && spec.sources.at(0).format != DataFormat::Stream)
    rows.first = {0, static_cast<int64_t>(rows.records.size())};
  for (int64_t r = 0; r < rows.rows(); ++r) dataset.test.push_back(r);
  encode_fields(whole, rows, dataset.learned, dataset);
  return dataset;
}

DataMessage in_row(const std::string& origin, size_t row, std::string message) {
  return {.file = origin,
          .line = static_cast<int>(row) + 1,
          .message = std::move(message),
          .notes = {},
          .help = {}};
}

}  // namespace

std::vector<std::string> needed_values(const DataSpec& spec, const Learned& learned,
                                       std::span<const std::string> fields) {
  bool line = false, file = false, text = false, tree = false;
  std::multimap<int64_t, std::string> columns;  // by number
  for (const DataField& field : chosen_fields(spec, fields)) {
    walk(field.value, [&](const EncodeExpr& expr) {
      line = line || expr.op == EncodeOp::Line;
      file = file || expr.op == EncodeOp::File;
      text = text || expr.op == EncodeOp::WholeText;
      tree = tree || expr.op == EncodeOp::Leaf || expr.op == EncodeOp::Label || expr.op == EncodeOp::Links;
      if (expr.op != EncodeOp::Column && expr.op != EncodeOp::Rest) return;
      auto number = static_cast<int64_t>(expr.number);
      if (const auto named = learned.columns.find(expr.text); number == 0 && named != learned.columns.end())
        number = named->second;
      const std::string text = to_text(expr);
      const auto [begin, end] = columns.equal_range(number);
      if (std::none_of(begin, end, [&](const auto& known) { return known.second == text; }))
        columns.emplace(number, text);
    });
  }
  std::vector<std::string> names;
  if (line) names.emplace_back("line");
  if (text) names.emplace_back("text");
  if (tree) names.emplace_back("tree");
  for (const auto& [number, text] : columns) names.push_back(text);
  if (file) names.emplace_back("file");
  return names;
}

std::vector<std::string> split_values(std::string_view line, size_t needed) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string> values;
  while (needed > 1 && line.find('\t') != std::string_view::npos) {
    const size_t tab = line.find('\t');
    values.emplace_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  values.emplace_back(line);
  return values;
}

Dataset encode_values(const DataSpec& spec, const Learned& learned, std::span<const std::string> fields,
                      std::span<const std::vector<std::string>> values, const std::string& origin) {
  const std::vector<std::string> names = needed_values(spec, learned, fields);
  std::vector<RowView> rows;
  std::vector<Table> trees;  // of the rows, where these are trees
  trees.reserve(values.size());
  std::vector<GivenRow> given;
  given.reserve(values.size());
  for (size_t r = 0; r < values.size(); ++r) {
    if (values[r].size() != names.size())
      throw DataError(
          in_row(origin, r,
                 fmt::format("{} value{} needed ({}), this row has {}", names.size(),
                             names.size() == 1 ? " is" : "s are", fmt::join(names, ", "), values[r].size())));
    for (const std::string& value : values[r])
      if (const size_t bad = invalid_utf8(value); bad != std::string::npos)
        throw DataError(in_row(
            origin, r, fmt::format("not UTF-8 (byte 0x{:02X})", static_cast<unsigned char>(value[bad]))));
    const auto tree = std::ranges::find(names, "tree");
    if (tree != names.end()) {
      const std::string& text = values[r][static_cast<size_t>(tree - names.begin())];
      trees.push_back(parse_table(origin, std::string(r, '\n') + text, spec.sources.at(0)));
      if (trees.back().rows() != 1) throw DataError(in_row(origin, r, "a row is one bracketed tree"));
    }
    given.push_back({.values = values[r], .names = names, .origin = origin});
    rows.push_back({.table = tree != names.end() ? &trees.back() : nullptr,
                    .given = &given.back(),
                    .index = tree != names.end() ? 0 : r,
                    .number = static_cast<int64_t>(r)});
  }
  return encode(spec, learned, chosen_fields(spec, fields), std::move(rows));
}

Dataset encode_files(const DataSpec& spec, const Learned& learned, std::span<const std::string> fields,
                     std::span<const std::string> files) {
  const std::vector<DataField> chosen = chosen_fields(spec, fields);
  std::vector<DataFile> named;
  for (const std::string& name : files) named.push_back(data_file("", name));
  const std::vector<Table> tables = read_tables(named, spec.sources.at(0));
  Learned known = learned;
  std::vector<DataField> shaped = chosen;
  std::vector<const Table*> all;
  for (const Table& table : tables) {
    check_columns(spec, table, chosen);
    all.push_back(&table);
  }
  find_shapes(spec, all, shaped, known);  // those that the model was trained on
  std::vector<RowView> rows;
  for (const Table& table : tables)
    for (size_t r = 0; r < table.rows(); ++r)
      rows.push_back({.table = &table, .index = r, .number = static_cast<int64_t>(rows.size())});
  return encode(spec, learned, chosen, std::move(rows));
}

}  // namespace rnnc
