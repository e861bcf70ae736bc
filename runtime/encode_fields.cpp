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

class FieldEncoder {
 public:
  FieldEncoder(const DataSpec& spec, const RowSet& rows, Learned& learned, Dataset& dataset)
      : spec_(spec), rows_(rows), learned_(learned), dataset_(dataset), encoder_(spec, learned) {}

  void encode(const DataField& field, FieldData& data) {
    switch (field.kind) {
      case FieldKind::Numbers: numbers(field, data); break;
      case FieldKind::Category: category(field, data); break;
      case FieldKind::Sequence: sequence(field, data); break;
      case FieldKind::Nested: nested(field, data); break;
      case FieldKind::Tree:
      case FieldKind::Links: tree(field, data); break;
    }
  }

 private:
  // How many elements of a row are kept, and how many it is filled up to.
  struct Cut {
    int64_t most = std::numeric_limits<int64_t>::max();
    int64_t least = 0;
  };
  Cut cut_of(const std::string& dimension) const {
    if (const LengthSetting* pad = length_setting(spec_.pads, dimension)) return {pad->length, pad->length};
    if (const LengthSetting* limit = length_setting(spec_.limits, dimension)) return {limit->length, 0};
    return {};
  }

  // Visits the values of a field, one a row or one an element, as f(RowView); `fill` makes what `pad` adds.
  template <class F, class Fill>
  void visit(const DataField& field, FieldData& data, const F& f, const Fill& fill) {
    if (field.dimension.empty()) {
      for (const RowView& row : rows_.records) f(row);
      return;
    }
    const Cut cut = cut_of(field.dimension);
    begin(data);
    for (int64_t r = 0; r < rows_.rows(); ++r) {
      int64_t length = 0;
      for_each_element(rows_, encoder_, r, [&](const RowView& element) {
        if (length++ < cut.most) f(element);
      });
      check_length(field, field.dimension, r, r, length);
      int64_t kept = std::min(length, cut.most);
      for (; kept < cut.least; ++kept) fill();
      end_row(field, data, kept);
    }
  }

  static void begin(FieldData& data) { data.offsets.assign(1, 0); }
  void end_row(const DataField& field, FieldData& data, int64_t length) {
    data.offsets.push_back(data.offsets.back() + length);
    int64_t& known = learned_.longest[field.dimension];
    known = std::max(known, spec_.pieces ? spec_.pieces.length : length);
  }

  void numbers(const DataField& field, FieldData& data) {
    const auto width = static_cast<size_t>(field.width);
    std::vector<double> values;
    values.reserve(rows_.records.size() * width);
    visit(
        field, data,
        [&](const RowView& row) {
          values.resize(values.size() + width);
          encoder_.numbers(field, row, std::span(values).last(width));
        },
        [&] { values.resize(values.size() + width, 0.0); });
    if (field.value.op == EncodeOp::Standardize) {
      if (!learned_.normalisation.contains(field.name))
        learned_.normalisation[field.name] = measure(values, width, training_values(data));
      const Normalisation& norm = learned_.normalisation.at(field.name);
      if (norm.mean.size() != width)
        throw std::invalid_argument("normalisation of another width for field " + field.name);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = (values[i] - norm.mean[i % width]) / norm.deviation[i % width];
    }
    data.numbers.assign(values.begin(), values.end());
  }

  // The rows of the training part, or their elements.
  std::vector<int64_t> training_values(const FieldData& data) const {
    if (data.offsets.empty()) return dataset_.train;
    std::vector<int64_t> elements;
    for (const int64_t row : dataset_.train)
      for (int64_t i = data.offsets[static_cast<size_t>(row)]; i < data.offsets[static_cast<size_t>(row) + 1];
           ++i)
        elements.push_back(i);
    return elements;
  }

  // Mean and deviation (of the population) of each column over the rows of `train`, in two passes.
  static Normalisation measure(std::span<const double> values, size_t width, std::span<const int64_t> train) {
    Normalisation norm{.mean = std::vector<double>(width), .deviation = std::vector<double>(width, 1.0)};
    const auto count = static_cast<double>(train.size());
    if (train.empty()) return norm;
    for (size_t i = 0; i < width; ++i) {
      const auto value = [&](int64_t row) { return values[static_cast<size_t>(row) * width + i]; };
      const double first = value(train[0]);
      bool changes = false;
      for (const int64_t row : train) {
        norm.mean[i] += value(row);
        changes = changes || value(row) != first;
      }
      norm.mean[i] /= count;
      if (!changes) {
        norm.mean[i] = first;  // without the rounding of the sum
        continue;
      }
      double squares = 0;
      for (const int64_t row : train) squares += (value(row) - norm.mean[i]) * (value(row) - norm.mean[i]);
      norm.deviation[i] = std::sqrt(squares / count);
      if (norm.deviation[i] == 0)
        norm.deviation[i] = 1;  // differences below the square root of the smallest number
    }
    return norm;
  }

  void category(const DataField& field, FieldData& data) {
    const Vocabulary& vocabulary = vocabulary_of(field);
    data.ids.reserve(rows_.records.size());
    visit(
        field, data,
        [&](const RowView& row) {
          const std::string label = encoder_.label(field, row);
          const int32_t id = vocabulary.find(label);
          if (id < 0)
            encoder_.refuse(field, row,
                            fmt::format("label {} was not seen in the training part   (category {} has: {})",
                                        in_quotes(label), field.vocabulary, label_list(vocabulary)),
                            false);
          data.ids.push_back(id);
        },
        [] {});
  }

  void sequence(const DataField& field, FieldData& data) {
    const Vocabulary& vocabulary = vocabulary_of(field);
    const Cut cut = cut_of(field.dimension);
    const int32_t filling = cut.least > 0 ? vocabulary.find(kPad) : 0;
    begin(data);
    data.ids.reserve(most_symbols(field));
    for (int64_t r = 0; r < rows_.rows(); ++r) {
      int64_t length = 0;
      encoder_.symbols(field, rows_.records[static_cast<size_t>(r)], [&](std::string_view symbol) {
        if (length++ < cut.most) data.ids.push_back(vocabulary.find_or_unk(symbol));
      });
      check_length(field, field.dimension, r, r, length);
      const int64_t kept = std::clamp(length, cut.least, cut.most);
      data.ids.resize(static_cast<size_t>(data.offsets.back() + kept), filling);
      end_row(field, data, kept);
    }
  }

  // The symbols of words: those of a text, or the elements of a row.
  void nested(const DataField& field, FieldData& data) {
    const Vocabulary& vocabulary = vocabulary_of(field);
    const Cut outer = cut_of(field.dimension), inner = cut_of(field.inside);
    const int32_t filling = inner.least > 0 ? vocabulary.find(kPad) : 0;
    int64_t& longest = learned_.longest[field.inside];
    int64_t all = 0;  // words of all rows, before anything is cut
    begin(data);
    data.inner.assign(1, 0);
    const auto end_word = [&](int64_t length) {
      const int64_t kept = std::clamp(length, inner.least, inner.most);
      data.ids.resize(static_cast<size_t>(data.inner.back() + kept), filling);
      data.inner.push_back(data.inner.back() + kept);
      longest = std::max(longest, kept);
    };
    for (int64_t r = 0; r < rows_.rows(); ++r) {
      int64_t words = 0, length = 0;
      const auto end_last = [&] {
        if (words == 0) return;
        check_length(field, field.inside, r, all++, length);
        if (words <= outer.most) end_word(length);
      };
      const auto begin_word = [&] {
        end_last();
        ++words;
        length = 0;
      };
      for_each_element(rows_, encoder_, r, [&](const RowView& element) {
        encoder_.words(field, element, begin_word, [&](std::string_view symbol) {
          if (length++ < inner.most && words <= outer.most)
            data.ids.push_back(vocabulary.find_or_unk(symbol));
        });
      });
      end_last();
      check_length(field, field.dimension, r, r, words);
      int64_t kept = std::min(words, outer.most);
      for (; kept < outer.least; ++kept) end_word(0);
      end_row(field, data, kept);
    }
  }

  // At most so many symbols come out of the texts, so that the vector never grows by copying; memory that is
  // not written to costs nothing. Words are fewer, so they may grow.
  size_t most_symbols(const DataField& field) const {
    size_t bytes = 0;
    const Table* before = nullptr;
    for (const RowView& row : rows_.records) {
      if (row.table != before && row.table != nullptr) bytes += row.table->text().size();
      before = row.table;
    }
    const bool words = field.value.op == EncodeOp::Words;
    return (words ? bytes / 4 : bytes) + rows_.records.size();
  }

  // Tree: a symbol at each leaf. Tree and Links: the children of each node.
  void tree(const DataField& field, FieldData& data) {
    const Vocabulary* vocabulary = field.kind == FieldKind::Tree ? &vocabulary_of(field) : nullptr;
    visit(
        field, data,
        [&](const RowView& row) {
          const TreeNode& node = row.table->node(row.index, row.element);
          data.left.push_back(node.left);
          data.right.push_back(node.right);
          if (vocabulary == nullptr) return;
          int32_t id = -1;
          encoder_.symbols(field, row,
                           [&](std::string_view symbol) { id = vocabulary->find_or_unk(symbol); });
          if (id < 0 && node.leaf < node.leaf_end) encoder_.refuse(field, row, "this leaf has no word");
          data.ids.push_back(id);
        },
        [] {});
  }

  // Fields along one dimension have the same length, before anything is cut. `index`: of the row, or of the
  // word in all rows.
  void check_length(const DataField& field, const std::string& dimension, int64_t row, int64_t index,
                    int64_t length) {
    const auto i = static_cast<size_t>(index);
    auto& lengths = lengths_[dimension];
    if (lengths.size() == i) {
      lengths.push_back(length);
      return;
    }
    if (lengths[i] == length) return;
    const auto other = std::ranges::find_if(dataset_.fields, [&](const DataField& f) {
      return f.dimension == dimension || f.inside == dimension;
    });
    const RowView& view = rows_.records[static_cast<size_t>(row)];
    const std::string where =
        view.table != nullptr
            ? fmt::format("{}, line {}", view.table->name(), view.table->place(view.index, 0).line)
            : fmt::format("{}, line {}", view.given->origin, view.index + 1);
    throw DataError(
        {.file = spec_.file,
         .line = field.place.line,
         .column = field.place.column,
         .message = fmt::format("`{}` has another length than `{}` in both of {}   ({} and {}, {})",
                                field.name, other->name, dimension, length, lengths[i], where),
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
  const RowSet& rows_;
  Learned& learned_;
  Dataset& dataset_;
  Encoder encoder_;
  std::map<std::string, std::vector<int64_t>> lengths_;  // by dimension: of each row or word, before cutting
};

}  // namespace

void check_columns(const DataSpec& spec, const Table& table, std::span<const DataField> fields) {
  if (table.format() != DataFormat::Csv && table.format() != DataFormat::Tsv && !is_array(table.format()))
    return;
  if (table.columns() == 0) return;  // an empty file
  for (const DataField& field : fields) {
    walk(field.value, [&](const EncodeExpr& expr) {
      if (expr.op != EncodeOp::Column) return;
      const int64_t column = find_column(expr, table);
      if (column > 0 && column <= static_cast<int64_t>(table.columns())) return;
      const std::string why = column < 0 ? "these rows have no column of this name"
                                         : fmt::format("these rows have {} column{}", table.columns(),
                                                       table.columns() == 1 ? "" : "s");
      throw DataError(
          {.file = spec.file,
           .line = expr.place.line,
           .column = expr.place.column,
           .message = fmt::format("`{}`: {}", to_text(expr), why),
           .notes = {fmt::format("{}{}: {}", table.name(), is_array(table.format()) ? "" : ", line 1",
                                 table.first_row_text())},
           .help = {}});
    });
  }
}

std::string label_list(const Vocabulary& vocabulary) {
  const auto& entries = vocabulary.entries();
  const size_t shown = std::min(entries.size(), kMostLabels);
  std::string text =
      fmt::format("{}", fmt::join(entries.begin(), entries.begin() + static_cast<long>(shown), ", "));
  return shown < entries.size() ? text + ", ..." : text;
}

namespace {

int64_t product(std::span<const int64_t> shape) {
  int64_t n = 1;
  for (const int64_t size : shape) n *= size;
  return n;
}

// The fixed dimensions of a field of numbers over a table of arrays.
std::vector<int64_t> field_shape(const DataSpec& spec, const DataField& field, const Table& table) {
  if (field.value.op != EncodeOp::Numbers && field.value.op != EncodeOp::Standardize)
    return entry_shape(spec, field.value, table);
  int64_t width = 0;
  for (const EncodeExpr& operand : field.value.operands) width += product(entry_shape(spec, operand, table));
  return {width};
}

bool fits(const DataField& field, std::span<const int64_t> shape) {
  if (field.sizes.size() != shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i)
    if (field.sizes[i] && *field.sizes[i] != shape[i]) return false;
  return true;
}

}  // namespace

void find_shapes(const DataSpec& spec, std::span<const Table* const> tables, std::span<DataField> fields,
                 Learned& learned) {
  for (DataField& field : fields) {
    if (field.kind != FieldKind::Numbers) continue;
    for (const Table* table : tables) {
      if (!is_array(table->format())) continue;
      std::vector<int64_t> shape = field_shape(spec, field, *table);
      const auto refuse = [&](std::string message) {
        throw DataError({.file = spec.file,
                         .line = field.place.line,
                         .column = field.place.column,
                         .message = std::move(message),
                         .notes = {fmt::format("{} has {} entries of [{}]", table->name(), table->rows(),
                                               fmt::join(table->arrays()[0].shape(), ", "))},
                         .help = {}});
      };
      if (!fits(field, shape))
        refuse(
            fmt::format("`{}` has another shape than its entries: [{}]", field.name, fmt::join(shape, ", ")));
      const auto [known, is_new] = learned.shapes.emplace(field.name, shape);
      if (!is_new && known->second != shape)
        refuse(fmt::format("`{}` is [{}] in one file and [{}] in another", field.name,
                           fmt::join(known->second, ", "), fmt::join(shape, ", ")));
    }
  }
  set_widths(learned, fields);
}

void set_widths(const Learned& learned, std::span<DataField> fields) {
  for (DataField& field : fields)
    if (const auto shape = learned.shapes.find(field.name); shape != learned.shapes.end())
      field.width = product(shape->second);
}

void encode_fields(const DataSpec& spec, const RowSet& rows, Learned& learned, Dataset& dataset) {
  dataset.rows = rows.rows();
  dataset.data.resize(dataset.fields.size());
  FieldEncoder encoder(spec, rows, learned, dataset);
  for (size_t i = 0; i < dataset.fields.size(); ++i) {
    const DataField& field = dataset.fields[i];
    dataset.add_dimensions(field);
    encoder.encode(field, dataset.data[i]);
  }
}

}  // namespace rnnc
