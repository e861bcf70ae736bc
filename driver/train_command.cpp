// `rnnc train`: the train blocks of a file, one after the other.
#include <fmt/format.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "driver/commands.h"
#include "driver/compiler.h"
#include "driver/metrics_file.h"
#include "driver/parameters.h"
#include "driver/train.h"
#include "runtime/checkpoint.h"

namespace rnnc {
namespace {

int64_t peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void print_json(const std::string& model, const TrainResult& result) {
  nlohmann::json epochs = nlohmann::json::array();
  for (const EpochRecord& record : result.epochs) epochs.push_back(to_json(record));
  nlohmann::json json = {{"model", model},
                         {"epochs", epochs},
                         {"best_epoch", result.best_epoch},
                         {"seconds", result.seconds},
                         {"rows_per_second", result.rows_per_second},
                         {"peak_rss_bytes", peak_bytes()},
                         {"model_file", result.model_file}};
  json[part_name(result.part)] = to_json(result.figures);
  fmt::print("{}\n", json.dump());
}

/// What to type to go on: the command as it was given.
std::string resume_hint(const Options& options) {
  std::string text = fmt::format("rnnc train {}", options.file);
  if (!options.name.empty()) text += " " + options.name;
  if (!options.model_file.empty()) text += " --model " + options.model_file;
  if (!options.data_folder.empty()) text += " --data " + options.data_folder;
  if (options.epochs) text += fmt::format(" --epochs {}", *options.epochs);
  if (options.seed) text += fmt::format(" --seed {}", *options.seed);
  if (options.buckets) text += fmt::format(" --buckets {}", *options.buckets);
  for (const auto& [name, value] : options.set) text += fmt::format(" --set {}={}", name, value);
  return text + " --resume";
}

}  // namespace

/// `12 s, 21,180 rows a second, at most 310 MiB of memory`
std::string summary(const TrainResult& result) {
  constexpr double kMega = 1024.0 * 1024.0;
  return fmt::format("{}, {} rows a second, at most {:.0f} MiB of memory", duration_text(result.seconds),
                     thousands(result.rows_per_second), static_cast<double>(peak_bytes()) / kMega);
}

void check_endings(const Options& options) {
  if (!options.metrics_file.empty()) check_ending("--metrics", options.metrics_file, {".csv", ".jsonl"});
  if (!options.plot_file.empty()) check_ending("--plot", options.plot_file, {".html", ".png"});
  if (!options.gradients_file.empty())
    check_ending("--gradients", options.gradients_file, {".html", ".json"});
  for (const std::string* file : {&options.metrics_file, &options.plot_file, &options.gradients_file})
    if (!file->empty()) check_writable(*file);
}

int train_command(const Options& options) {
  check_endings(options);
  const Experiment experiment = open_experiment(options);
  const std::vector<Task> todo = tasks(experiment, options.name);
  if (todo.size() > 1 && !options.model_file.empty())
    refuse_command(fmt::format("`--model` names one file, {} has {} train blocks", options.file, todo.size()),
                   fmt::format("`rnnc train {} {} --model {}`", options.file, todo[0].train->model.text,
                               options.model_file));
  Jit jit = make_jit(options);
  Team team(thread_count(options), options.trace);
  const InterruptGuard interrupt;
  // Whatever cannot be saved is refused before the first block is trained.
  std::vector<std::unique_ptr<Trainer>> trainers;
  for (const Task& task : todo)
    trainers.push_back(std::make_unique<Trainer>(experiment, task, options, jit, team));
  for (size_t i = 0; i < todo.size(); ++i) {
    const std::string& model = todo[i].train->model.text;
    if (todo.size() > 1 && !options.quiet) fmt::print(stderr, "train {}\n", model);
    const TrainResult result = trainers[i]->run(interrupt, todo.size() > 1);
    trainers[i].reset();
    if (result.interrupted) {
      fmt::print(stderr, "stopped; go on with\n  {}\n", resume_hint(options));
      return kInterrupted;
    }
    if (!options.quiet) {
      fmt::print(stderr, "best epoch {}, saved in {}\n{}\n", result.best_epoch, result.model_file,
                 summary(result));
      for (const std::string& file : result.pages) fmt::print(stderr, "{} is written\n", file);
    }
    if (options.json) {
      print_json(model, result);
    } else {
      fmt::print("{}{}  {}\n", todo.size() > 1 ? model + "  " : "", part_name(result.part),
                 figures_text(result.figures));
      for (const std::string& line : watch_lines(result.figures)) fmt::print("{}\n", line);
    }
    std::fflush(stdout);
  }
  return kDone;
}

}  // namespace rnnc
