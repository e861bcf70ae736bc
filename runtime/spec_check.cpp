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

// Every dimension and vocabulary that a setting names belongs to a field.
void check_names(const DataSpec& spec) {
  std::set<std::string> dimensions, vocabularies, fields;
  for (const DataField& field : spec.fields) {
    if (!fields.insert(field.name).second)
      refuse(spec, field.place, fmt::format("two fields are called `{}`", field.name));
    if (field.kind != FieldKind::Numbers) vocabularies.insert(field.vocabulary);
    if (field.kind != FieldKind::Sequence) continue;
    dimensions.insert(field.dimension);
    if (dimensions.size() > 1)
      refuse(spec, field.place,
             fmt::format("a second sequence dimension (`{}`) in one data block is not built yet",
                         field.dimension));
  }
  for (const auto* settings : {&spec.limits, &spec.pads}) {
    for (const LengthSetting& setting : *settings) {
      if (!dimensions.contains(setting.dimension))
        refuse(spec, setting.place, fmt::format("no field is a sequence along `{}`", setting.dimension));
      if (setting.length < 1)
        refuse(spec, setting.place, fmt::format("a length of {} leaves nothing", setting.length));
    }
  }
  for (const LengthSetting& pad : spec.pads)
    if (length_setting(spec.limits, pad.dimension) != nullptr)
      refuse(spec, pad.place, fmt::format("`pad` and `limit` for the same `{}`", pad.dimension),
             {"`pad` alone: it cuts too"});
  for (const VocabularySpec& vocabulary : spec.vocabularies)
    if (!vocabularies.contains(vocabulary.name))
      refuse(spec, vocabulary.place, fmt::format("no field has the vocabulary `{}`", vocabulary.name));
}

// A vocabulary is of one sort: labels, or symbols of text.
void check_vocabularies(const DataSpec& spec) {
  for (const DataField& field : spec.fields) {
    if (field.kind == FieldKind::Numbers) continue;
    const auto first = std::ranges::find(spec.fields, field.vocabulary, &DataField::vocabulary);
    if (first->kind != field.kind)
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

// Which source values there are in each format.
void check_source_values(const DataSpec& spec) {
  for (const DataSource& source : spec.sources) {
    const bool table = source.format == DataFormat::Csv || source.format == DataFormat::Tsv;
    const std::string_view format = format_name(source.format);
    for (const DataField& field : spec.fields) {
      walk(field.value, [&](const EncodeExpr& expr) {
        const bool named = expr.op == EncodeOp::Column && expr.number == 0;
        if (expr.op == EncodeOp::Line && source.format != DataFormat::Lines)
          refuse(spec, expr.place, fmt::format("rows of `{}` have no `line`", format),
                 {source.format == DataFormat::Columns ? "`rest(1)`" : "`col(1)`"});
        if (expr.op == EncodeOp::Column && source.format == DataFormat::Lines)
          refuse(spec, expr.place, fmt::format("`{}`: rows of `lines` have no columns", to_text(expr)),
                 {"`line`"});
        if (expr.op == EncodeOp::Rest && source.format != DataFormat::Columns)
          refuse(spec, expr.place, fmt::format("rows of `{}` have no `rest`; `columns` has it", format));
        if (named && !(table && source.header))
          refuse(spec, expr.place, fmt::format("`{}`: the columns have no names", to_text(expr)),
                 {table ? fmt::format("`as {}(header = yes)`", format) : "`col(1)`"});
        if ((expr.op == EncodeOp::Column || expr.op == EncodeOp::Rest) && !named &&
            (expr.number < 1 || expr.number != std::floor(expr.number)))
          refuse(spec, expr.place, fmt::format("`{}`: columns count from 1", to_text(expr)));
      });
    }
  }
}

}  // namespace

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
}

}  // namespace rnnc
