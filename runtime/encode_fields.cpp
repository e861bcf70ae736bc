// Rows to the columns of a Dataset.
#include "runtime/encode_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "runtime/errors.h"
#include "runtime/spec_check.h"

namespace rnnc {
namespace {

constexpr size_t kMostLabels = 20;  // of a category, in a message

std::string label_list(const Vocabulary& vocabulary) {
  const auto& entries = vocabulary.entries();
  const size_t shown = std::min(entries.size(), kMostLabels);
  std::string text =
      fmt::format("{}", fmt::join(entries.begin(), entries.begin() + static_cast<long>(shown), ", "));
  return shown < entries.size() ? text + ", ..." : text;
}

class FieldEncoder {
 public:
  FieldEncoder(const DataSpec& spec, std::span<const RowView> rows, Learned& learned, Dataset& dataset)
      : spec_(spec), rows_(rows), learned_(learned), dataset_(dataset), encoder_(spec, learned.columns) {}

  void encode(const DataField& field, FieldData& data) {
    switch (field.kind) {
      case FieldKind::Numbers: numbers(field, data); break;
      case FieldKind::Category: category(field, data); break;
      case FieldKind::Sequence: sequence(field, data); break;
    }
  }

 private:
  void numbers(const DataField& field, FieldData& data) {
    const auto width = static_cast<size_t>(field.width);
    std::vector<double> values(rows_.size() * width);
    for (size_t r = 0; r < rows_.size(); ++r)
      encoder_.numbers(field, rows_[r], std::span(values).subspan(r * width, width));
    if (field.value.op == EncodeOp::Standardize) {
      if (!learned_.normalisation.contains(field.name))
        learned_.normalisation[field.name] = measure(values, width);
      const Normalisation& norm = learned_.normalisation.at(field.name);
      if (norm.mean.size() != width)
        throw std::invalid_argument("normalisation of another width for field " + field.name);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = (values[i] - norm.mean[i % width]) / norm.deviation[i % width];
    }
    data.numbers.assign(values.begin(), values.end());
  }

  // Mean and deviation (of the population) of each column over the training rows, in two passes.
  Normalisation measure(std::span<const double> values, size_t width) const {
    Normalisation norm{.mean = std::vector<double>(width), .deviation = std::vector<double>(width, 1.0)};
    const auto count = static_cast<double>(dataset_.train.size());
    if (dataset_.train.empty()) return norm;
    for (size_t i = 0; i < width; ++i) {
      const auto value = [&](int64_t row) { return values[static_cast<size_t>(row) * width + i]; };
      const double first = value(dataset_.train[0]);
      bool changes = false;
      for (const int64_t row : dataset_.train) {
        norm.mean[i] += value(row);
        changes = changes || value(row) != first;
      }
      norm.mean[i] /= count;
      if (!changes) {
        norm.mean[i] = first;  // without the rounding of the sum
        continue;
      }
      double squares = 0;
      for (const int64_t row : dataset_.train)
        squares += (value(row) - norm.mean[i]) * (value(row) - norm.mean[i]);
      norm.deviation[i] = std::sqrt(squares / count);
      if (norm.deviation[i] == 0)
        norm.deviation[i] = 1;  // differences below the square root of the smallest number
    }
    return norm;
  }

  void category(const DataField& field, FieldData& data) {
    const Vocabulary& vocabulary = vocabulary_of(field);
    data.ids.reserve(rows_.size());
    for (const RowView& row : rows_) {
      const std::string label = encoder_.label(field, row);
      const int32_t id = vocabulary.find(label);
      if (id < 0)
        encoder_.refuse(field, row,
                        fmt::format("label {} was not seen in the training part   (category {} has: {})",
                                    in_quotes(label), field.vocabulary, label_list(vocabulary)));
      data.ids.push_back(id);
    }
  }

  void sequence(const DataField& field, FieldData& data) {
    const Vocabulary& vocabulary = vocabulary_of(field);
    const LengthSetting* limit = length_setting(spec_.limits, field.dimension);
    const LengthSetting* pad = length_setting(spec_.pads, field.dimension);
    const int64_t most = pad != nullptr     ? pad->length
                         : limit != nullptr ? limit->length
                                            : std::numeric_limits<int64_t>::max();
    const int32_t filling = pad != nullptr ? vocabulary.find(kPad) : 0;
    int64_t& longest = longest_[field.dimension];
    data.offsets.push_back(0);
    for (size_t r = 0; r < rows_.size(); ++r) {
      int64_t length = 0;
      encoder_.symbols(field, rows_[r], [&](std::string_view symbol) {
        if (length++ < most) data.ids.push_back(vocabulary.find_or_unk(symbol));
      });
      check_length(field, r, length);
      int64_t kept = std::min(length, most);
      if (pad != nullptr)
        for (; kept < most; ++kept) data.ids.push_back(filling);
      longest = std::max(longest, kept);
      data.offsets.push_back(static_cast<int64_t>(data.ids.size()));
    }
    int64_t& known = learned_.longest[field.dimension];
    known = std::max(known, longest);
  }

  // Sequences along one dimension have the same length, before anything is cut.
  void check_length(const DataField& field, size_t r, int64_t length) {
    auto& lengths = lengths_[field.dimension];
    if (lengths.size() == r) {
      lengths.push_back(length);
      return;
    }
    if (lengths[r] == length) return;
    const auto other = std::ranges::find_if(dataset_.fields, [&](const DataField& f) {
      return f.kind == FieldKind::Sequence && f.dimension == field.dimension;
    });
    const RowView& row = rows_[r];
    const std::string where = row.table != nullptr ? fmt::format("{}, line {}", row.table->name(),
                                                                 row.table->place(row.index, 0).line)
                                                   : fmt::format("{}, line {}", row.origin, row.index + 1);
    throw DataError(
        {.file = spec_.file,
         .line = field.place.line,
         .column = field.place.column,
         .message = fmt::format("`{}` has another length than `{}` in both of {}   ({} and {}, {})",
                                field.name, other->name, field.dimension, length, lengths[r], where),
         .notes = {},
         .help = {}});
  }

  const Vocabulary& vocabulary_of(const DataField& field) const {
    const auto found = learned_.vocabularies.find(field.vocabulary);
    if (found == learned_.vocabularies.end())
      throw std::invalid_argument("no vocabulary " + field.vocabulary);
    return found->second;
  }

  const DataSpec& spec_;
  std::span<const RowView> rows_;
  Learned& learned_;
  Dataset& dataset_;
  Encoder encoder_;
  std::map<std::string, std::vector<int64_t>> lengths_;  // by dimension: of each row, before cutting
  std::map<std::string, int64_t> longest_;
};

}  // namespace

void check_columns(const DataSpec& spec, const Table& table, std::span<const DataField> fields) {
  if (table.format() != DataFormat::Csv && table.format() != DataFormat::Tsv) return;
  if (table.columns() == 0) return;  // an empty file
  for (const DataField& field : fields) {
    walk(field.value, [&](const EncodeExpr& expr) {
      if (expr.op != EncodeOp::Column) return;
      const int64_t column = find_column(expr, table);
      if (column > 0 && column <= static_cast<int64_t>(table.columns())) return;
      const std::string why = column < 0 ? "these rows have no column of this name"
                                         : fmt::format("these rows have {} column{}", table.columns(),
                                                       table.columns() == 1 ? "" : "s");
      throw DataError({.file = spec.file,
                       .line = expr.place.line,
                       .column = expr.place.column,
                       .message = fmt::format("`{}`: {}", to_text(expr), why),
                       .notes = {fmt::format("{}, line 1: {}", table.name(), table.first_row_text())},
                       .help = {}});
    });
  }
}

void encode_fields(const DataSpec& spec, std::span<const RowView> rows, Learned& learned, Dataset& dataset) {
  dataset.rows = static_cast<int64_t>(rows.size());
  dataset.data.resize(dataset.fields.size());
  FieldEncoder encoder(spec, rows, learned, dataset);
  for (size_t i = 0; i < dataset.fields.size(); ++i) {
    const DataField& field = dataset.fields[i];
    if (field.kind == FieldKind::Sequence &&
        std::ranges::find(dataset.dimensions, field.dimension) == dataset.dimensions.end())
      dataset.dimensions.push_back(field.dimension);
    encoder.encode(field, dataset.data[i]);
  }
}

}  // namespace rnnc
