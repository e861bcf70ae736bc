// The data of a block: files read, rows dealt, vocabularies made, fields encoded.
#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "runtime/deal.h"
#include "runtime/encode_fields.h"
#include "runtime/readers.h"
#include "runtime/spec_check.h"

namespace rnnc {
namespace {

struct SourceTable {
  Table table;
  Part part;
};

// All rows that were taken, with the part they go to.
struct TakenRows {
  std::vector<RowView> rows;
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

std::vector<SourceTable> read_tables(const DataSpec& spec, const DataFolder& folder, Dataset& dataset) {
  std::vector<SourceTable> tables;
  for (const DataSource& source : spec.sources) {
    for (const DataFile& file : find_files(spec, source, folder)) {
      tables.push_back({read_table(file, source), source.part});
      const Table& table = tables.back().table;
      check_columns(spec, table, spec.fields);
      if (table.rows() == 0)
        dataset.warnings.push_back(
            {.file = file.name, .message = "no rows", .notes = {}, .help = {}, .warning = true});
    }
  }
  return tables;
}

// The rows of all files in their order, less those that `take` leaves out, dealt to the parts.
TakenRows take_and_deal(const DataSpec& spec, std::span<const SourceTable> tables) {
  TakenRows taken;
  for (const SourceTable& source : tables) {
    const auto count = static_cast<int64_t>(source.table.rows());
    for (const int64_t row : take_rows(count, spec.take.value_or(count))) {
      taken.rows.push_back({.table = &source.table,
                            .index = static_cast<size_t>(row),
                            .number = static_cast<int64_t>(taken.rows.size()),
                            .values = {},
                            .names = {},
                            .origin = {}});
      taken.parts.push_back(source.part);
    }
  }
  const Part dealt = dealt_part(spec);
  const std::vector<Part> dealing = deal_rows(std::ranges::count(taken.parts, dealt), shares_of(spec));
  size_t next = 0;
  for (Part& part : taken.parts)
    if (part == dealt) part = dealing[next++];
  return taken;
}

std::vector<std::string_view> special_entries(const DataSpec& spec, const std::string& vocabulary) {
  bool pad = false, end = false, bos = false;
  for (const DataField& field : spec.fields) {
    if (field.kind != FieldKind::Sequence || field.vocabulary != vocabulary) continue;
    pad = pad || length_setting(spec.pads, field.dimension) != nullptr;
    end = end || field.value.end;
  }
  for (const VocabularySpec& setting : spec.vocabularies)
    bos = bos || (setting.name == vocabulary && setting.bos);
  std::vector<std::string_view> special;
  if (pad) special.push_back(kPad);
  special.push_back(kUnk);
  if (bos) special.push_back(kBos);
  if (end) special.push_back(kEos);
  return special;
}

void make_vocabularies(const DataSpec& spec, std::span<const RowView> rows, Dataset& dataset) {
  const Encoder encoder(spec, dataset.learned.columns);
  std::map<std::string, Counts> counts;
  std::set<std::string> categories;
  for (const DataField& field : spec.fields) {
    if (field.kind == FieldKind::Numbers) continue;
    if (field.kind == FieldKind::Category) categories.insert(field.vocabulary);
    Counts& count = counts[field.vocabulary];
    const auto see = [&count](std::string_view symbol) {
      const auto found = count.find(symbol);
      if (found != count.end()) ++found->second;
      else count.emplace(symbol, 1);
    };
    for (const int64_t r : dataset.train) {
      const RowView& row = rows[static_cast<size_t>(r)];
      if (field.kind == FieldKind::Category) see(encoder.label(field, row));
      else encoder.symbols(field, row, see);
    }
  }
  for (const auto& [name, count] : counts) {
    Vocabulary& vocabulary = dataset.learned.vocabularies[name];
    if (categories.contains(name)) {
      vocabulary = make_category(count);
      if (vocabulary.size() > 1) continue;
      const auto field = std::ranges::find(spec.fields, name, &DataField::vocabulary);
      DataMessage message =
          at(spec, field->place,
             fmt::format("category {} has one value only: {}", name, in_quotes(vocabulary.text(0))));
      message.notes.push_back("in the training part; there is nothing to choose between");
      throw DataError(std::move(message));
    }
    const auto setting = std::ranges::find(spec.vocabularies, name, &VocabularySpec::name);
    const bool set = setting != spec.vocabularies.end();
    vocabulary = make_vocabulary(count, special_entries(spec, name), set ? setting->max.value_or(-1) : -1,
                                 set ? setting->min : 1);
  }
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
  for (const Share& share : spec.split) {
    if (share.share == 0 || !dataset.part(share.part).empty()) continue;
    DataMessage message = at(spec, place,
                             fmt::format("the {} part is empty: {} rows are too few for a share of {}",
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

Dataset load_dataset(const DataSpec& spec, const DataFolder& folder) {
  check_spec(spec);
  Dataset dataset;
  dataset.fields = spec.fields;
  const std::vector<SourceTable> tables = read_tables(spec, folder, dataset);
  const TakenRows taken = take_and_deal(spec, tables);
  dataset.rows = static_cast<int64_t>(taken.rows.size());
  for (size_t r = 0; r < taken.parts.size(); ++r) {
    std::vector<int64_t>& part = taken.parts[r] == Part::Train   ? dataset.train
                                 : taken.parts[r] == Part::Valid ? dataset.valid
                                                                 : dataset.test;
    part.push_back(static_cast<int64_t>(r));
  }
  check_parts(spec, dataset);
  remember_columns(spec, tables, dataset.learned);
  make_vocabularies(spec, taken.rows, dataset);
  encode_fields(spec, taken.rows, dataset.learned, dataset);
  return dataset;
}

}  // namespace rnnc
