// `rnnc eval`: loss and metrics of a saved model on one part of the data.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "driver/bleu_figures.h"
#include "driver/commands.h"
#include "driver/compiler.h"
#include "driver/figures.h"
#include "driver/parameters.h"
#include "driver/saved_experiment.h"
#include "driver/train_settings.h"
#include "driver/training_state.h"
#include "ir/diagnostic.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

/// The part of --on; without it the test part, else the valid part, else that of training.
Part chosen_part(const Options& options, const Dataset& dataset) {
  for (const Part part : kParts)
    if (options.part == part_name(part)) return part;
  if (!dataset.test.empty()) return Part::Test;
  return dataset.valid.empty() ? Part::Train : Part::Valid;
}

/// What the saved model knows of its data must be what they give now: else its numbers mean other things.
void check_same_data(const SavedExperiment& used, const Dataset& dataset) {
  std::vector<std::string> lines;
  const Learned& then = used.saved.info.learned;
  for (const auto& [name, vocabulary] : dataset.learned.vocabularies) {
    const auto found = then.vocabularies.find(name);
    if (found != then.vocabularies.end() && found->second == vocabulary) continue;
    lines.push_back(found == then.vocabularies.end()
                        ? fmt::format("vocabulary `{}` is new", name)
                        : fmt::format("vocabulary `{}` has {} entries now, had {} then{}", name,
                                      vocabulary.size(), found->second.size(),
                                      vocabulary.size() == found->second.size() ? ", others" : ""));
  }
  for (const auto& [name, normalisation] : dataset.learned.normalisation) {
    const auto found = then.normalisation.find(name);
    if (found == then.normalisation.end() || found->second.mean != normalisation.mean ||
        found->second.deviation != normalisation.deviation)
      lines.push_back(fmt::format("`{}` has another mean or deviation", name));
  }
  if (lines.empty()) return;
  throw UserError(in_file(used.path, 0, 0, "this saved model was trained on other data", std::move(lines),
                          "`--data DIR` says where the data lie"));
}

}  // namespace

int eval_command(const Options& options) {
  std::vector<std::string> none;
  const SavedExperiment used = open_saved(options, none, Purpose::Eval);
  const Dataset dataset = [&] {
    const Stage stage(options.trace, "read the data");
    return load_data(used.experiment, *used.data);
  }();
  const Part part = chosen_part(options, dataset);
  if (dataset.part(part).empty())
    throw UserError(at_place(used.experiment.source, used.data->place,
                             fmt::format("there are no rows in the {} part", part_name(part))));
  const Lowered lowered = lower_model(used.experiment, used.model, used.train, *used.data, nullptr, dataset);
  Variables variables;
  set_parameters(lowered.model, used.saved, used.path, variables);
  check_same_data(used, dataset);

  Jit jit = make_jit(options);
  Team team(thread_count(options), options.trace);
  CompileOptions compiling;
  compiling.disabled_passes = options.disabled_passes;
  Evaluation evaluation(lowered, dataset, compiling, jit, variables);
  std::optional<BleuFigures> written;
  if (std::ranges::any_of(lowered.metrics, [](const Metric& metric) { return asks_for_bleu(metric.value); }))
    evaluation.know(written.emplace(used.experiment, *used.train, *used.data, dataset, options, compiling,
                                    jit, variables));
  const PartFigures figures = [&] {
    const Stage stage(options.trace, part_name(part));
    return evaluation.run(part, team);
  }();
  if (options.json) {
    nlohmann::json json = to_json(figures);
    json["part"] = part_name(part);
    fmt::print("{}\n", json.dump());
    return kDone;
  }
  fmt::print("{}  {}\n", part_name(part), figures_text(figures));
  for (const std::string& line : watch_lines(figures)) fmt::print("{}\n", line);
  return kDone;
}

}  // namespace rnnc
