// Rows to texts: see generate.h.
#include "driver/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "driver/compiler.h"
#include "driver/parameters.h"
#include "frontend/language.h"
#include "ir/diagnostic.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

std::vector<std::string> input_names(const SavedExperiment& used) {
  std::vector<std::string> names;
  for (const ast::Port& input : find_model(used.experiment, used.model)->inputs) names.push_back(input.name);
  return names;
}

/// The block meant and the train block that says what is written.
const ast::Use& generate_block(const SavedExperiment& used) {
  const ast::Use* block = find_generate(used.experiment, used.model);
  const auto refuse = [&](std::string message, std::string help) {
    throw UserError(in_file(used.experiment.source.name, 0, 0, std::move(message), {}, std::move(help)));
  };
  if (block == nullptr)
    refuse(fmt::format("there is no `generate {}`", used.model),
           fmt::format("`generate {} {{ search greedy }}`", used.model));
  if (used.train == nullptr)
    refuse(fmt::format("there is no `train {}`: its loss says what is written", used.model), {});
  return *block;
}

CompileOptions compile_options(const Options& options) {
  CompileOptions result;
  result.disabled_passes = options.disabled_passes;
  return result;
}

/// Field `from` of one row, for `rows` rows.
void repeat(const DataField& field, const FieldData& from, int64_t rows, Dataset& to) {
  FieldData data;
  const int64_t elements = from.offsets.empty() ? 0 : from.offsets.back();  // of the row, along a dimension
  if (!field.dimension.empty()) data.offsets.push_back(0);
  for (int64_t r = 0; r < rows; ++r) {
    data.numbers.insert(data.numbers.end(), from.numbers.begin(), from.numbers.end());
    data.ids.append(from.ids);
    for (size_t e = 1; e < from.inner.size(); ++e) {
      if (data.inner.empty()) data.inner.push_back(0);
      data.inner.push_back(data.inner.back() + from.inner[e] - from.inner[e - 1]);
    }
    if (!field.dimension.empty()) data.offsets.push_back(data.offsets.back() + elements);
  }
  to.fields.push_back(field);
  to.data.push_back(std::move(data));
}

}  // namespace

TextWriter::TextWriter(const SavedExperiment& used, const Options& options, const std::string& start)
    : used_(used),
      options_(options),
      spec_(spec_of(used.experiment, *used.data)),
      settings_(generate_settings(used.experiment, generate_block(used), options)),
      jit_(make_jit(options)),
      team_(thread_count(options), options.trace),
      shape_([&] {
        check_knows(used, spec_, input_names(used));
        return without_rows(used.saved.info.learned, spec_, input_names(used));
      }()),
      generator_(used.experiment, *used.train, *used.data, shape_, compile_options(options), jit_,
                 variables_),
      text_(spec_, generator_.field().vocabulary,
            shape_.learned.vocabularies.at(generator_.field().vocabulary)) {
  set_parameters(generator_.model(), used.saved, used.path, variables_);
  if (!start.empty()) settings_.start = start;
  start_ = start_symbols(used.experiment, *used.data, generator_, shape_.learned, settings_.start);
  for (const auto& [name, value] : settings_.given) {
    if (!contains(generator_.inputs(), name))
      throw UserError(in_file(used.experiment.source.name, 0, 0,
                              fmt::format("`given {}`: this is what `generate {}` writes", name, used.model),
                              {}, "`start` is how it begins"));
    given_fields_.push_back(name);
  }
  for (const std::string& name : generator_.inputs())
    if (!contains(given_fields_, name)) row_fields_.push_back(name);
  if (!row_fields_.empty()) needed_ = needed_values(spec_, shape_.learned, row_fields_);
  given_ = given_row();
}

/// The inputs that `given` sets, as one row.
Dataset TextWriter::given_row() const {
  Dataset row;
  for (const auto& [name, value] : settings_.given) {
    const std::vector<std::string> names = {name};
    const std::vector<std::string> needed = needed_values(spec_, shape_.learned, names);
    if (needed.size() != 1)
      throw UserError(
          in_file(used_.experiment.source.name, 0, 0,
                  fmt::format("`given {}` cannot be one value: it is made of {}", name,
                              needed.empty() ? "none" : fmt::format("{}", fmt::join(needed, ", "))),
                  {}, "leave it out, then rows give it"));
    const std::vector<std::vector<std::string>> values = {{value}};
    Dataset one = encode_values(spec_, shape_.learned, names, values, fmt::format("given {}", name));
    row.fields.push_back(one.fields.at(0));
    row.data.push_back(std::move(one.data.at(0)));
  }
  return row;
}

std::vector<std::string> TextWriter::rows(std::span<const std::vector<std::string>> values,
                                          const std::string& origin,
                                          const std::function<void(const std::string&)>& as_it_comes,
                                          int64_t first_number) {
  if (!row_fields_.empty())
    return write(encode_values(spec_, shape_.learned, row_fields_, values, origin), as_it_comes,
                 first_number);
  Dataset dataset;
  for (size_t r = 0; r < values.size(); ++r) dataset.test.push_back(static_cast<int64_t>(r));
  dataset.rows = static_cast<int64_t>(values.size());
  return write(std::move(dataset), as_it_comes, first_number);
}

std::vector<std::string> TextWriter::files(std::span<const std::string> names) {
  return write(encode_files(spec_, shape_.learned, row_fields_, names), {}, 0);
}

std::vector<std::string> TextWriter::write(Dataset dataset,
                                           const std::function<void(const std::string&)>& as_it_comes,
                                           int64_t first_number) {
  dataset.dimensions = shape_.dimensions;
  for (size_t i = 0; i < given_.fields.size(); ++i)
    repeat(given_.fields[i], given_.data[i], dataset.rows, dataset);
  repeat(generator_.field(), {}, dataset.rows, dataset);  // nothing of it is known
  const bool one_by_one = as_it_comes && dataset.rows == 1 && !options_.json;
  bool first = settings_.start.empty();
  const OnSymbol told = [&](int64_t, int32_t symbol) {
    if (!text_.is_text(symbol)) return;
    as_it_comes(text_.piece(symbol, first));
    first = false;
  };
  if (one_by_one && !first) as_it_comes(settings_.start);
  std::vector<std::string> lines;
  const Stage stage(team_.trace(), "write");
  for (const Written& written : generator_.write(dataset, dataset.test, start_, settings_.search, team_,
                                                 one_by_one ? told : OnSymbol(), first_number))
    lines.push_back(line(written));
  if (one_by_one) lines.clear();
  return lines;
}

std::string TextWriter::line(const Written& written) const {
  std::string text = settings_.start;
  bool first = text.empty();
  for (const int32_t symbol : written.symbols) {
    if (!text_.is_text(symbol)) continue;
    text += text_.piece(symbol, first);
    first = false;
  }
  if (!options_.json) return text;
  const Vocabulary& vocabulary = shape_.learned.vocabularies.at(generator_.field().vocabulary);
  nlohmann::json symbols = nlohmann::json::array();
  for (const int32_t symbol : written.symbols) symbols.push_back(vocabulary.text(symbol));
  const nlohmann::json json = {{"text", text},
                               {"symbols", symbols},
                               {"log_probability", written.log_probability},
                               {"ended", written.ended}};
  // Bytes that are no text would be refused.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace rnnc
