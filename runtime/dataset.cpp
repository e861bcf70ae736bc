// The data of a block: files read, rows dealt, vocabularies made, fields encoded.
#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/deal.h"
#include "runtime/encode_fields.h"
#include "runtime/files.h"
#include "runtime/learn_vocabularies.h"
#include "runtime/readers.h"
#include "runtime/spec_check.h"
#include "runtime/streams.h"

namespace rnnc {
namespace {

// All rows that were taken, with the part they go to.
struct TakenRows {
  RowSet set;
  std::vector<Part> parts;
};

DataMessage at(const DataSpec& spec, SpecPlace place, std::string message) {
  return {.file = spec.file,
          .line = place.line,
          .column = place.column,
          .message = std::move(message),
          .notes = {},
          .help = {}};
}

std::vector<SourceTable> read_sources(const DataSpec& spec, const DataFolder& folder, Dataset& dataset) {
  std::vector<SourceTable> tables;
  for (const DataSource& source : spec.sources) {
    for (Table& table : read_tables(find_files(spec, source, folder), source)) {
      check_columns(spec, table, spec.fields);
      if (table.rows() == 0)
        dataset.warnings.push_back(
            {.file = table.name(), .message = "no rows", .notes = {}, .help = {}, .warning = true});
      tables.push_back({std::move(table), source.part});
    }
  }
  return tables;
}

// The word lists that fields name: a word a line, up to the first blank.
void read_lists(const DataSpec& spec, const DataFolder& folder, Learned& learned) {
  for (const DataField& field : spec.fields) {
    walk(field.value, [&](const EncodeExpr& expr) {
      if (expr.list.empty() || learned.lists.contains(expr.list)) return;
      DataSource source;
      source.patterns = {expr.list};
      source.place = expr.place;
      source.format = DataFormat::Columns;
      std::vector<std::string>& words = learned.lists[expr.list];
      for (const DataFile& file : find_files(spec, source, folder)) {
        const Table table = read_table(file, source);
        for (size_t r = 0; r < table.rows(); ++r) words.push_back(table.column(r, 1));
      }
    });
  }
}

// The rows of all files in their order, less those that `take` leaves out, dealt to the parts: by their
// number, or, where all rows are one sequence, in order.
TakenRows take_and_deal(const DataSpec& spec, std::span<const SourceTable> tables) {
  TakenRows taken;
  std::vector<RowView>& rows = taken.set.records;
  for (const SourceTable& source : tables) {
    const auto count = static_cast<int64_t>(source.table.rows());
    for (const int64_t row : take_rows(count, spec.take.value_or(count))) {
      rows.push_back({.table = &source.table,
                      .index = static_cast<size_t>(row),
                      .number = static_cast<int64_t>(rows.size())});
      taken.parts.push_back(source.part);
    }
  }
  const Part dealt = dealt_part(spec);
  const int64_t count = std::ranges::count(taken.parts, dealt);
  std::vector<Part> dealing;
  if (!spec.pieces) dealing = deal_rows(count, shares_of(spec));
  else
    for (const auto& [part, n] : cut_in_order(count, shares_of(spec)))
      dealing.insert(dealing.end(), static_cast<size_t>(n), part);
  size_t next = 0;
  for (Part& part : taken.parts)
    if (part == dealt) part = dealing[next++];
  return taken;
}

std::vector<int64_t>& rows_of(Dataset& dataset, Part part) {
  return part == Part::Train ? dataset.train : part == Part::Valid ? dataset.valid : dataset.test;
}

// Makes one row of all records of a part.
void join_parts(TakenRows& taken, Dataset& dataset) {
  std::vector<RowView> joined;
  taken.set.first = {0};
  for (const Part part : kParts) {
    for (size_t r = 0; r < taken.parts.size(); ++r)
      if (taken.parts[r] == part) joined.push_back(taken.set.records[r]);
    if (static_cast<int64_t>(joined.size()) == taken.set.first.back()) continue;
    taken.set.first.push_back(static_cast<int64_t>(joined.size()));
    rows_of(dataset, part).push_back(dataset.rows++);
  }
  taken.set.records = std::move(joined);
}

VocabularyCounts count_training_part(const DataSpec& spec, const RowSet& rows, const Dataset& dataset) {
  const Encoder encoder(spec, dataset.learned);
  VocabularyCounts counts;
  for (const DataField& field : spec.fields) {
    if (field.vocabulary.empty()) continue;
    Counts& count = counts[field.vocabulary];
    const auto see_all = [&](const RowView& row) {
      if (field.kind == FieldKind::Category) see(count, encoder.label(field, row));
      else encoder.symbols(field, row, [&](std::string_view symbol) { see(count, symbol); });
    };
    for (const int64_t r : dataset.train) {
      if (runs_over_elements(spec, field)) for_each_element(rows, encoder, r, see_all);
      else see_all(rows.records[static_cast<size_t>(r)]);
    }
  }
  return counts;
}

// A part that was asked for and is empty.
void check_parts(const DataSpec& spec, Dataset& dataset) {
  const SpecPlace place = spec.split.empty() ? spec.sources[0].place : spec.split_place;
  if (dataset.train.empty()) {
    DataMessage message = at(spec, place, "the training part is empty");
    message.notes.push_back(fmt::format("the files of data block `{}` have {} row{}", spec.name, dataset.rows,
                                        dataset.rows == 1 ? "" : "s"));
    throw DataError(std::move(message));
  }
  if (spec.pieces) {
    const int64_t elements = dataset.data.empty() ? 0 : dataset.length(0, dataset.train[0]);
    if (elements < spec.pieces.offset + spec.pieces.length)
      throw DataError(at(spec, spec.pieces.place,
                         fmt::format("the training part has {} element{}, a piece needs {}", elements,
                                     elements == 1 ? "" : "s", spec.pieces.offset + spec.pieces.length)));
  }
  for (const Share& share : spec.split) {
    if (share.share == 0 || !dataset.part(share.part).empty()) continue;
    DataMessage message =
        at(spec, place,
           spec.pieces ? fmt::format("the {} part is empty", part_name(share.part))
                       : fmt::format("the {} part is empty: {} rows are too few for a share of {}",
                                     part_name(share.part), dataset.rows, share.share));
    message.warning = true;
    dataset.warnings.push_back(std::move(message));
  }
}

void remember_columns(const DataSpec& spec, std::span<const SourceTable> tables, Learned& learned) {
  for (const DataField& field : spec.fields) {
    walk(field.value, [&](const EncodeExpr& expr) {
      if (expr.op != EncodeOp::Column || expr.number > 0) return;
      for (const SourceTable& source : tables)
        if (const int64_t column = find_column(expr, source.table); column > 0) {
          learned.columns.emplace(expr.text, column);
          return;
        }
    });
  }
}

}  // namespace

const std::vector<int64_t>& Dataset::part(Part part) const {
  switch (part) {
    case Part::Train: return train;
    case Part::Valid: return valid;
    case Part::Test: return test;
    case Part::All: break;
  }
  throw std::invalid_argument("a dataset has the parts train, valid and test");
}

int Dataset::find(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &DataField::name);
  return found == fields.end() ? -1 : static_cast<int>(found - fields.begin());
}

int64_t Dataset::length(size_t field, int64_t row) const {
  const auto& offsets = data.at(field).offsets;
  return offsets.at(static_cast<size_t>(row) + 1) - offsets.at(static_cast<size_t>(row));
}

void Dataset::add_dimensions(const DataField& field) {
  const auto add = [&](const std::string& name, int around) {
    if (name.empty() || std::ranges::find(dimensions, name) != dimensions.end()) return;
    dimensions.push_back(name);
    within.resize(dimensions.size(), -1);
    within.back() = around;
  };
  add(field.dimension, -1);
  add(field.inside, static_cast<int>(std::ranges::find(dimensions, field.dimension) - dimensions.begin()));
}

int64_t Dataset::longest(std::string_view dimension) const {
  int64_t most = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].dimension == dimension)
      for (int64_t row = 0; row < rows; ++row) most = std::max(most, length(i, row));
    if (fields[i].inside != dimension) continue;
    for (size_t e = 1; e < data[i].inner.size(); ++e)
      most = std::max(most, data[i].inner[e] - data[i].inner[e - 1]);
  }
  return most;
}

const FieldData* Dataset::tree(std::string_view dimension) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].dimension == dimension && !data[i].left.empty()) return &data[i];
  return nullptr;
}

Dataset load_dataset(const DataSpec& spec, const DataFolder& folder, const Learned& others) {
  check_spec(spec);
  Dataset dataset;
  dataset.fields = spec.fields;
  dataset.pieces = spec.pieces;
  const std::vector<SourceTable> tables = read_sources(spec, folder, dataset);
  read_lists(spec, folder, dataset.learned);
  if (spec.sources[0].format == DataFormat::Stream) {
    encode_streams(spec, tables, others, dataset);
    check_parts(spec, dataset);
    return dataset;
  }
  std::vector<const Table*> all;
  for (const SourceTable& source : tables) all.push_back(&source.table);
  find_shapes(spec, all, dataset.fields, dataset.learned);
  TakenRows taken = take_and_deal(spec, tables);
  if (spec.pieces) {
    join_parts(taken, dataset);
  } else {
    dataset.rows = taken.set.rows();
    for (size_t r = 0; r < taken.parts.size(); ++r)
      rows_of(dataset, taken.parts[r]).push_back(static_cast<int64_t>(r));
    check_parts(spec, dataset);
  }
  remember_columns(spec, tables, dataset.learned);
  learn_vocabularies(spec, count_training_part(spec, taken.set, dataset), others, dataset.learned);
  encode_fields(spec, taken.set, dataset.learned, dataset);
  if (spec.pieces) check_parts(spec, dataset);
  return dataset;
}

}  // namespace rnnc
