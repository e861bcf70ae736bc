// What can be wrong with a data block before any file is read.
#include "runtime/spec_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "runtime/errors.h"

namespace rnnc {
namespace {

[[noreturn]] void refuse(const DataSpec& spec, SpecPlace place, std::string message,
                         std::vector<std::string> help = {}) {
  throw DataError({.file = spec.file,
                   .line = place.line,
                   .column = place.column,
                   .message = std::move(message),
                   .notes = {},
                   .help = std::move(help)});
}

bool has_source(const DataSpec& spec, Part part) {
  return std::ranges::any_of(spec.sources, [&](const DataSource& source) { return source.part == part; });
}

void check_sources(const DataSpec& spec) {
  if (spec.sources.empty())
    refuse(spec, spec.place, fmt::format("data block `{}` reads no file", spec.name),
           {"`read \"names.txt\" as lines`"});
  if (!has_source(spec, Part::All) && !has_source(spec, Part::Train))
    refuse(spec, spec.sources[0].place, fmt::format("data block `{}` has no training part", spec.name),
           {"`train \"...\"`, or `read \"...\"` and `split train = 0.9, valid = 0.1`"});
  for (const DataSource& source : spec.sources)
    if (source.header && source.format != DataFormat::Csv && source.format != DataFormat::Tsv)
      refuse(spec, source.place, fmt::format("`{}` has no option `header`", format_name(source.format)));
  if (spec.take && *spec.take < 1) refuse(spec, spec.place, "`take` needs at least 1");
}

void check_split(const DataSpec& spec) {
  std::set<Part> named;
  double sum = 0;
  for (const Share& share : spec.split) {
    if (!named.insert(share.part).second || share.part == Part::All)
      refuse(spec, spec.split_place, fmt::format("`split` names `{}` twice", part_name(share.part)));
    if (!(share.share >= 0 && share.share <= 1))
      refuse(spec, spec.split_place, fmt::format("a share is between 0 and 1, not {}", share.share));
    if (share.part != Part::Train && has_source(spec, share.part) && dealt_part(spec) == Part::Train)
      refuse(spec, spec.split_place,
             fmt::format("the {0} part has files of its own (`{0} \"...\"`)", part_name(share.part)));
    sum += share.share;
  }
  if (spec.split.empty()) return;
  constexpr double kRounding = 1e-6;
  const bool rest_is_train = dealt_part(spec) == Part::Train && !named.contains(Part::Train);
  if (sum > 1 + kRounding || (!rest_is_train && sum < 1 - kRounding))
    refuse(spec, spec.split_place, fmt::format("the shares of `split` add up to {:.6g}, not to 1", sum));
}

// A dimension is one of the rows, or lies within one other.
void check_inside(const DataSpec& spec, const DataField& field) {
  if (field.inside.empty()) return;
  for (const DataField& other : spec.fields) {
    const bool rows = other.dimension == field.inside;
    if (rows || (other.inside == field.inside && other.dimension != field.dimension))
      refuse(spec, field.place,
             fmt::format("`{}` lies within `{}` here, and {} in `{}`", field.inside, field.dimension,
                         rows ? "is a sequence of the rows" : fmt::format("within `{}`", other.dimension),
                         other.name),
             {"another name"});
  }
}

// Every dimension and vocabulary that a setting names belongs to a field.
void check_names(const DataSpec& spec) {
  std::set<std::string> dimensions, trees, vocabularies, fields;
  for (const DataField& field : spec.fields) {
    if (!fields.insert(field.name).second)
      refuse(spec, field.place, fmt::format("two fields are called `{}`", field.name));
    if (!field.vocabulary.empty()) vocabularies.insert(field.vocabulary);
    if (!field.dimension.empty()) dimensions.insert(field.dimension);
    if (!field.inside.empty()) dimensions.insert(field.inside);
    check_inside(spec, field);
    if (field.kind == FieldKind::Tree || field.kind == FieldKind::Links) trees.insert(field.dimension);
  }
  for (const auto* settings : {&spec.limits, &spec.pads}) {
    for (const LengthSetting& setting : *settings) {
      if (!dimensions.contains(setting.dimension))
        refuse(spec, setting.place, fmt::format("no field is a sequence along `{}`", setting.dimension));
      if (trees.contains(setting.dimension))
        refuse(spec, setting.place,
               fmt::format("`{}` is of trees, which are not cut or filled", setting.dimension));
      if (spec.pieces)
        refuse(spec, setting.place, "pieces of `chunk` and `sample` have their length already");
      if (setting.length < 1)
        refuse(spec, setting.place, fmt::format("a length of {} leaves nothing", setting.length));
    }
  }
  for (const LengthSetting& pad : spec.pads)
    if (length_setting(spec.limits, pad.dimension) != nullptr)
      refuse(spec, pad.place, fmt::format("`pad` and `limit` for the same `{}`", pad.dimension),
             {"`pad` alone: it cuts too"});
  for (const DataField& field : spec.fields)
    if (field.kind == FieldKind::Category && length_setting(spec.pads, field.dimension) != nullptr)
      refuse(spec, field.place, fmt::format("`{}` cannot be filled: a category has no <pad>", field.name),
             {fmt::format("`limit {}` only cuts", field.dimension)});
  for (const VocabularySpec& vocabulary : spec.vocabularies)
    if (!vocabularies.contains(vocabulary.name))
      refuse(spec, vocabulary.place, fmt::format("no field has the vocabulary `{}`", vocabulary.name));
}

// A vocabulary is of one sort: labels, or symbols of text.
void check_vocabularies(const DataSpec& spec) {
  for (const DataField& field : spec.fields) {
    if (field.vocabulary.empty()) continue;
    const auto first = std::ranges::find(spec.fields, field.vocabulary, &DataField::vocabulary);
    if ((first->kind == FieldKind::Category) != (field.kind == FieldKind::Category))
      refuse(spec, field.place,
             fmt::format("`{}` is the vocabulary of `{}` and of `{}`: one is a category, the other is text",
                         field.vocabulary, first->name, field.name));
    if (field.kind != FieldKind::Category) continue;
    for (const VocabularySpec& vocabulary : spec.vocabularies)
      if (vocabulary.name == field.vocabulary && (vocabulary.max || vocabulary.min > 1))
        refuse(
            spec, vocabulary.place,
            fmt::format("`{}` is a category: it has every value that is seen, `max` and `min` are for text",
                        vocabulary.name));
  }
}

// What a row or an element of each format gives, as help.
std::string_view given_by(DataFormat format) {
  switch (format) {
    case DataFormat::Lines: return "`line`";
    case DataFormat::Columns: return "`col(1)`, `rest(1)`";
    case DataFormat::Stream: return "`text`";
    case DataFormat::Trees: return "`leaf`, `label`, `links`";
    case DataFormat::Csv:
    case DataFormat::Tsv:
    case DataFormat::Blocks:
    case DataFormat::Idx:
    case DataFormat::Npy: return "`col(1)`";
  }
  return "";
}

bool gives(DataFormat format, EncodeOp value) {
  switch (value) {
    case EncodeOp::Line: return format == DataFormat::Lines;
    case EncodeOp::Rest: return format == DataFormat::Columns;
    case EncodeOp::WholeText: return format == DataFormat::Stream;
    case EncodeOp::Leaf:
    case EncodeOp::Label:
    case EncodeOp::Links: return format == DataFormat::Trees;
    case EncodeOp::Column:
      return format != DataFormat::Lines && format != DataFormat::Stream && format != DataFormat::Trees;
    default: return true;
  }
}

void check_source_value(const DataSpec& spec, const DataSource& source, const EncodeExpr& expr) {
  const std::string_view format = format_name(source.format);
  if (!gives(source.format, expr.op))
    refuse(spec, expr.place,
           expr.op == EncodeOp::Column
               ? fmt::format("`{}`: rows of `{}` have no columns", to_text(expr), format)
               : fmt::format("rows of `{}` have no `{}`", format,
                             expr.op == EncodeOp::Rest ? "rest" : to_text(expr)),
           {std::string(given_by(source.format))});
  if (expr.op != EncodeOp::Column || expr.number != 0) return;
  const bool table = source.format == DataFormat::Csv || source.format == DataFormat::Tsv;
  if (!(table && source.header))
    refuse(spec, expr.place, fmt::format("`{}`: the columns have no names", to_text(expr)),
           {table ? fmt::format("`as {}(header = yes)`", format) : "`col(1)`"});
}

// Which source values there are in each format.
void check_source_values(const DataSpec& spec) {
  for (const DataSource& source : spec.sources)
    for (const DataField& field : spec.fields)
      walk(field.value, [&](const EncodeExpr& expr) { check_source_value(spec, source, expr); });
  const DataSource& first = spec.sources[0];
  for (const DataSource& source : spec.sources) {
    const auto kind = [](DataFormat f) {
      return is_array(f) ? 1 : has_elements(f) ? 2 : f == DataFormat::Stream ? 3 : 0;
    };
    if (kind(source.format) != kind(first.format))
      refuse(spec, source.place,
             fmt::format("`{}` and `{}` in one data block", format_name(first.format),
                         format_name(source.format)),
             {"rows of one block have the same values"});
  }
}

// What runs along a sequence, and what is one value a row.
void check_fields(const DataSpec& spec) {
  const DataFormat format = spec.sources[0].format;
  const PieceSetting& pieces = spec.pieces;
  if (pieces && pieces.length < 1) refuse(spec, pieces.place, "pieces of no length leave nothing");
  if (pieces && has_elements(format))
    refuse(spec, pieces.place, fmt::format("rows of `{}` are sequences already", format_name(format)),
           {"`chunk` and `sample` are for a stream or the rows of a table"});
  for (const DataField& field : spec.fields) {
    const bool nested = field.kind == FieldKind::Nested;
    const bool elements = !field.dimension.empty() && field.kind != FieldKind::Sequence &&
                          (!nested || field.value.operands[0].op != EncodeOp::Words);
    if (nested && (pieces || format == DataFormat::Stream))
      refuse(spec, field.place, "symbols within words are of rows, not of a stream or pieces of one");
    if (nested && !elements && has_elements(format))
      refuse(spec, field.place,
             fmt::format("`{}`: an element of `{}` is one word", to_text(field.value), format_name(format)),
             {"`chars(col(1))`"});
    const std::string along = fmt::format("`{}`", pieces.dimension);
    if (pieces && field.dimension != pieces.dimension)
      refuse(spec, field.place,
             fmt::format("`{}` does not run along {}, but all rows are one sequence along it", field.name,
                         along),
             {fmt::format("a type like `[{0}]` or `L[{0}]`", pieces.dimension)});
    if (pieces && format != DataFormat::Stream && !elements)
      refuse(
          spec, field.place,
          fmt::format("`{}` has many symbols in each row, but a row is one element of {}", field.name, along),
          {"`category(...)`, `number(...)`, or `stream` for a text"});
    if (format == DataFormat::Stream && elements)
      refuse(spec, field.place, "a stream gives symbols only",
             {"`chars(text)`, `words(text)` or `bytes(text)`"});
    if (has_elements(format) && field.kind == FieldKind::Sequence)
      refuse(
          spec, field.place,
          fmt::format("`{}`: an element of `{}` is one entry", to_text(field.value), format_name(format)),
          {format == DataFormat::Trees ? "`words(leaf)` in a type like `V[tree N]`" : "`category(col(1))`"});
    if (has_elements(format) && field.dimension.empty())
      walk(field.value, [&](const EncodeExpr& expr) {
        if (expr.op == EncodeOp::Column || expr.op == EncodeOp::Label || expr.op == EncodeOp::Leaf)
          refuse(spec, expr.place,
                 fmt::format("`{}` is a sequence in `{}`, `{}` is one value a row", to_text(expr),
                             format_name(format), field.name),
                 {"a type like `[T]` or `L[T]`"});
      });
    if (elements && !pieces && !has_elements(format))
      refuse(spec, field.place,
             fmt::format("`{}`: a row of `{}` is no sequence", field.name, format_name(format)),
             {fmt::format("`chunk {} = 35` makes one sequence of all rows", field.dimension)});
  }
}

}  // namespace

bool runs_over_elements(const DataSpec& spec, const DataField& field) {
  if (field.dimension.empty() || field.kind == FieldKind::Sequence) return false;
  return field.kind != FieldKind::Nested || has_elements(spec.sources[0].format);
}

Part dealt_part(const DataSpec& spec) {
  return has_source(spec, Part::All) ? Part::All : Part::Train;
}

std::vector<Share> shares_of(const DataSpec& spec) {
  std::vector<Share> shares = spec.split;
  const bool has_train =
      std::ranges::any_of(shares, [](const Share& share) { return share.part == Part::Train; });
  if (shares.empty() || has_train || dealt_part(spec) == Part::All) return shares;
  double rest = 1;
  for (const Share& share : shares) rest -= share.share;
  shares.insert(shares.begin(), {.part = Part::Train, .share = std::max(rest, 0.0)});
  return shares;
}

const LengthSetting* length_setting(const std::vector<LengthSetting>& settings, std::string_view dimension) {
  const auto found = std::ranges::find(settings, dimension, &LengthSetting::dimension);
  return found == settings.end() ? nullptr : &*found;
}

void check_spec(const DataSpec& spec) {
  check_sources(spec);
  check_split(spec);
  check_names(spec);
  check_vocabularies(spec);
  check_source_values(spec);
  check_fields(spec);
}

}  // namespace rnnc
