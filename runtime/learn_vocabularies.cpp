// The vocabularies of a data block: see learn_vocabularies.h.
#include "runtime/learn_vocabularies.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/spec_check.h"
#include "runtime/text.h"

namespace rnnc {
namespace {

DataError at(const DataSpec& spec, SpecPlace place, std::string message, std::string note) {
  return DataError({.file = spec.file,
                    .line = place.line,
                    .column = place.column,
                    .message = std::move(message),
                    .notes = {std::move(note)},
                    .help = {}});
}

const VocabularySpec* setting_of(const DataSpec& spec, const std::string& vocabulary) {
  const auto found = std::ranges::find(spec.vocabularies, vocabulary, &VocabularySpec::name);
  return found == spec.vocabularies.end() ? nullptr : &*found;
}

std::vector<std::string_view> special_entries(const DataSpec& spec, const std::string& vocabulary) {
  bool pad = false, end = false;
  for (const DataField& field : spec.fields) {
    const bool nested = field.kind == FieldKind::Nested;
    if ((field.kind != FieldKind::Sequence && !nested) || field.vocabulary != vocabulary) continue;
    pad = pad || length_setting(spec.pads, nested ? field.inside : field.dimension) != nullptr;
    end = end || field.value.end;
  }
  const VocabularySpec* setting = setting_of(spec, vocabulary);
  std::vector<std::string_view> special;
  if (setting != nullptr && setting->blank) special.push_back(kBlank);
  if (pad) special.push_back(kPad);
  special.push_back(kUnk);
  if (setting != nullptr && setting->bos) special.push_back(kBos);
  if (end) special.push_back(kEos);
  return special;
}

const Vocabulary& of_other(const DataSpec& spec, const VocabularySpec& setting, bool is_category,
                           const Learned& others) {
  const auto found = others.vocabularies.find(setting.name);
  if (found == others.vocabularies.end())
    throw std::invalid_argument(
        fmt::format("vocabulary {} of block {} is not given", setting.name, setting.same));
  if (!is_category)
    for (const std::string_view entry : special_entries(spec, setting.name))
      if (found->second.find(entry) < 0)
        throw at(spec, setting.place, fmt::format("vocabulary `{}` has no {}", setting.name, entry),
                 fmt::format("it is that of `{}`, where nothing needs it", setting.same));
  return found->second;
}

}  // namespace

void see(Counts& counts, std::string_view text, int64_t times) {
  const auto found = counts.find(text);
  if (found != counts.end()) found->second += times;
  else counts.emplace(text, times);
}

void learn_vocabularies(const DataSpec& spec, const VocabularyCounts& counts, const Learned& others,
                        Learned& learned) {
  for (const DataField& field : spec.fields) {
    const std::string& name = field.vocabulary;
    if (name.empty() || learned.vocabularies.contains(name)) continue;
    const bool is_category = field.kind == FieldKind::Category;
    const VocabularySpec* setting = setting_of(spec, name);
    Vocabulary& vocabulary = learned.vocabularies[name];
    if (setting != nullptr && !setting->same.empty()) {
      vocabulary = of_other(spec, *setting, is_category, others);
      continue;
    }
    const auto found = counts.find(name);
    static const Counts kNothing;
    const Counts& count = found == counts.end() ? kNothing : found->second;
    if (!is_category) {
      const auto max = setting != nullptr ? setting->max : std::nullopt;
      vocabulary = make_vocabulary(count, special_entries(spec, name), max.value_or(-1),
                                   setting != nullptr ? setting->min : 1);
      continue;
    }
    vocabulary = make_category(count);
    if (vocabulary.size() > 1) continue;
    const std::string only = vocabulary.size() == 0 ? fmt::format("category {} has no value", name)
                                                    : fmt::format("category {} has one value only: {}", name,
                                                                  in_quotes(vocabulary.text(0)));
    throw at(spec, field.place, only, "in the training part; there is nothing to choose between");
  }
}

}  // namespace rnnc
