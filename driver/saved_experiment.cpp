// Finding the saved model of a file: see saved_experiment.h.
#include "driver/saved_experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "driver/given_file.h"
#include "driver/parameters.h"
#include "driver/train_settings.h"
#include "frontend/language.h"
#include "frontend/parser.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

Purpose purpose_of(ast::Use::Kind kind) {
  return kind == ast::Use::Kind::Predict ? Purpose::Predict : Purpose::Generate;
}

/// How a block for this purpose begins, and what one looks like.
std::pair<std::string, std::string> block_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::Eval: return {"train", "`train MODEL on DATA { ... }`"};
    case Purpose::Predict: return {"predict", "`predict MODEL { show ... }`"};
    case Purpose::Generate: break;
  }
  return {"generate", "`generate MODEL { search greedy }`"};
}

/// Models of the file that the purpose can mean, in their order.
std::vector<std::string> candidates(const ast::File& file, Purpose purpose) {
  std::vector<std::string> names;
  for (const ast::Item& item : file.items) {
    const auto* train = std::get_if<ast::Train>(&item);
    const auto* use = std::get_if<ast::Use>(&item);
    std::string name;
    if (train != nullptr && purpose == Purpose::Eval) name = train->model.text;
    if (use != nullptr && purpose == purpose_of(use->kind)) name = use->model.text;
    if (!name.empty() && !contains(names, name)) names.push_back(name);
  }
  return names;
}

std::string chosen_model(const std::string& file, const std::vector<std::string>& names,
                         const Options& options, std::vector<std::string>& inputs, Purpose purpose) {
  const auto [block, example] = block_of(purpose);
  const auto refuse = [&](std::string message, std::string help) {
    throw UserError(in_file(file, 0, 0, std::move(message), {}, std::move(help)));
  };
  if (names.empty()) refuse(fmt::format("this file has no `{}` block", block), example);
  if (!options.name.empty()) {
    if (contains(names, options.name)) return options.name;
    const std::string near = suggest(options.name, names);
    refuse(fmt::format("there is no `{} {}`", block, options.name),
           near.empty() ? "there are: " + join(names) : near);
  }
  if (!inputs.empty() && contains(names, inputs[0])) {
    std::string name = inputs[0];
    inputs.erase(inputs.begin());
    return name;
  }
  if (names.size() > 1) refuse("which model?", "name one of: " + join(names));
  return names[0];
}

/// `dim` values with which the model was trained, as far as the file has them.
DimValues saved_dims(const SavedModel& saved, const ast::File& file) {
  DimValues dims;
  if (!saved.info.extra.contains("dims") || !saved.info.extra["dims"].is_object()) return dims;
  for (const ast::Item& item : file.items)
    if (const auto* block = std::get_if<ast::Dims>(&item))
      for (const ast::Binding& binding : block->bindings)
        if (const auto found = saved.info.extra["dims"].find(binding.name);
            found != saved.info.extra["dims"].end() && found->is_number_integer())
          dims[binding.name] = found->get<int64_t>();
  return dims;
}

}  // namespace

void check_knows(const SavedExperiment& used, const DataSpec& spec, const std::vector<std::string>& inputs) {
  const Learned& learned = used.saved.info.learned;
  std::vector<std::string> lines;
  for (const DataField& field : spec.fields) {
    if (!field.vocabulary.empty() && !learned.vocabularies.contains(field.vocabulary)) {
      std::string line = fmt::format("it has no vocabulary `{}`", field.vocabulary);
      if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
    }
    const bool is_input = std::ranges::find(inputs, field.name) != inputs.end();
    const auto normalisation = learned.normalisation.find(field.name);
    const bool needs = is_input && field.value.op == EncodeOp::Standardize;
    if (needs && (normalisation == learned.normalisation.end() ||
                  static_cast<int64_t>(normalisation->second.mean.size()) != field.width))
      lines.push_back(fmt::format("it has no mean and deviation of `{}`", field.name));
  }
  if (lines.empty()) return;
  lines.push_back(
      fmt::format("it was made by `train {}` of {}", used.saved.info.model, used.saved.info.source_name));
  throw UserError(in_file(used.path, 0, 0,
                          fmt::format("this saved model does not fit model `{}`", used.model),
                          std::move(lines), "train it again, or name another file with `--model`"));
}

Dataset without_rows(const Learned& learned, const DataSpec& spec, const std::vector<std::string>& inputs) {
  Dataset nothing;
  nothing.learned = learned;
  for (const DataField& field : spec.fields) {
    if (!contains(inputs, field.name) || field.dimension.empty()) continue;
    if (!contains(nothing.dimensions, field.dimension)) nothing.dimensions.push_back(field.dimension);
  }
  return nothing;
}

SavedExperiment open_saved(const Options& options, std::vector<std::string>& inputs, Purpose purpose) {
  SavedExperiment result;
  Source source{options.file, read_given_file(options.file, ".rnn")};
  const bool itself = is_saved_model(source.text);
  if (itself) {
    result.path = options.file;
    result.saved = load_model(options.file);
    source = {result.saved.info.source_name, result.saved.info.source};
  }
  const ast::File file = parse(source);
  if (itself) {
    result.model = result.saved.info.model;
  } else {
    result.model = chosen_model(options.file, candidates(file, purpose), options, inputs, purpose);
    const Experiment plain = make_experiment(source, options);
    result.path = options.model_file.empty() ? result.model + ".model" : options.model_file;
    for (const ast::Item& item : plain.checked.file.items)
      if (const auto* train = std::get_if<ast::Train>(&item); train && train->model.text == result.model)
        result.path = train_settings(plain, *train, options).save;
    result.saved = read_saved_model(result.path, result.model);
  }
  result.experiment = make_experiment(std::move(source), options, saved_dims(result.saved, file));
  for (const ast::Item& item : result.experiment.checked.file.items)
    if (const auto* train = std::get_if<ast::Train>(&item); train && train->model.text == result.model)
      result.train = train;
  const std::string data = result.train != nullptr ? result.train->data.text : result.saved.info.data;
  result.data = find_data(result.experiment, data);
  if (result.data == nullptr)
    throw UserError(in_file(options.file, 0, 0, fmt::format("there is no data block `{}`", data), {},
                            fmt::format("model `{}` was trained on it", result.model)));
  return result;
}

}  // namespace rnnc
