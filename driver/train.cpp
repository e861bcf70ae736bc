// Training: see train.h.
#include "driver/train.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "driver/bleu_figures.h"
#include "driver/chance.h"
#include "driver/initial_files.h"
#include "driver/memory_limit.h"
#include "driver/parameters.h"
#include "driver/plot.h"
#include "driver/train_loaded.h"
#include "ir/chance.h"
#include "ir/diagnostic.h"
#include "runtime/checkpoint.h"
#include "runtime/errors.h"
#include "runtime/files.h"
#include "runtime/fingerprint.h"
#include "runtime/memory.h"

namespace rnnc {
namespace {

using Clock = std::chrono::steady_clock;

// Epochs of a millisecond would otherwise do little but write files; the bits do not depend on when they are
// written.
constexpr std::chrono::seconds kBetweenFiles{1};

// Steps from one copy of the variables to the next: a small part of their work, and few to repeat when a
// number is lost.
constexpr int64_t kBetweenMemories = 64;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool has_output(const Session& session, std::string_view name) {
  return std::ranges::any_of(session.program().outputs,
                             [&](const ProgramOutput& o) { return o.name == name; });
}

CompileOptions compile_options(const Options& options, const TrainSettings& settings) {
  CompileOptions result;
  result.optimizer = settings.optimizer;
  result.disabled_passes = options.disabled_passes;
  result.memory_limit = options.memory_limit;
  return result;
}

std::string epoch_line(const EpochRecord& record, int64_t epochs) {
  std::string line =
      fmt::format("epoch {}/{}  train loss {}", record.epoch, epochs, figure_text(record.train_loss));
  if (record.valid) line += "  valid " + figures_text(*record.valid);
  return line +
         fmt::format("  gradient norm {}  {:.2f} s", figure_text(record.gradient_norm), record.seconds);
}

}  // namespace

Trainer::Trainer(const Experiment& experiment, const Task& task, const Options& options, Jit& jit, Team& team)
    : experiment_(experiment),
      task_(task),
      options_(options),
      jit_(jit),
      team_(team),
      settings_(train_settings(experiment, *task.train, options)) {
  check_writable(settings_.save);
  remove_leftovers(settings_.save);
  remove_leftovers(state_path(settings_.save));
}

Trainer::~Trainer() = default;

/// A batch that the file or --set asks for and the data cannot fill. What was not asked for shrinks to fit.
void Trainer::check_batch(int64_t rows, bool pieces) const {
  if (settings_.batch <= rows || !settings_.batch_given) return;
  const char* what = pieces ? "piece" : "row";
  const std::string message = fmt::format("`batch {}` is more than the training part has: {} {}{}",
                                          settings_.batch, rows, what, rows == 1 ? "" : "s");
  for (const ast::Setting& setting : task_.train->settings) {
    if (setting.name == "batch")
      throw UserError(at_place(experiment_.source, setting.place, message, {}, "`batch all`"));
  }
  refuse_command(message, "`--set batch=all`");
}

void Trainer::load() {
  const ast::DataBlock& data = *task_.data;
  Dataset dataset = [&] {
    const Stage stage(team_.trace(), "read the data");
    return load_data(experiment_, data);
  }();
  const auto refuse = [&](std::string message, std::string help) {
    throw UserError(at_place(experiment_.source, data.place, std::move(message), {}, std::move(help)));
  };
  if (dataset.train.empty()) refuse("there are no rows to train on", "`split train = 0.8, test = 0.2`");
  if (dataset.valid.empty() && (settings_.patience || settings_.find(Schedule::Halve) != nullptr))
    refuse("`stop` and `halve` need rows in the valid part", "`split train = 0.9, valid = 0.1`");
  check_batch(rows_to_batch(dataset), static_cast<bool>(dataset.pieces));

  Lowered lowered = lower_model(experiment_, task_.train->model.text, task_.train, data, nullptr, dataset);
  initialize_parameters(lowered.model, settings_.seed, variables_);
  read_first_values(experiment_, lowered.model, dataset, variables_);
  if (!settings_.load.empty()) {
    const std::vector<std::string> others =
        load_parameters(lowered.model, load_model(settings_.load), variables_);
    if (!others.empty() && !options_.quiet)
      fmt::print(stderr, "not in {}, so they begin anew: {}\n", settings_.load, fmt::join(others, ", "));
  }
  const Stage stage(team_.trace(), "compile");
  loaded_ = std::make_unique<Loaded>(std::move(dataset), std::move(lowered), settings_,
                                     compile_options(options_, settings_), jit_, variables_);
  if (options_.memory_limit > 0 && !options_.quiet) {
    const Program& program = loaded_->session.program();
    const std::string cut = cut_text(loaded_->segments, program);
    fmt::print(stderr, "memory of a training step: {}{}{}\n", bytes_text(memory_of(program)),
               cut.empty() ? "" : "; ", cut);
  }
  loaded_->batches.set_buckets(options_.buckets.value_or(1));
  if (std::ranges::any_of(loaded_->lowered.metrics,
                          [](const Metric& metric) { return asks_for_bleu(metric.value); }))
    loaded_->evaluation.know(loaded_->written.emplace(experiment_, *task_.train, data, loaded_->dataset,
                                                      options_, compile_options(options_, settings_), jit_,
                                                      variables_));
  if (!options_.gradients_file.empty())
    loaded_->gradients.emplace(experiment_, loaded_->lowered, loaded_->dataset,
                               compile_options(options_, settings_), jit_, variables_);
  identity_ = {
      task_.train->model.text,
      task_.train->data.text,
      settings_.seed,
      static_cast<int64_t>(task_.number) + 1,
      loaded_->batches.batch_size(),
      loaded_->batches.rows(),
      options_.buckets.value_or(1),
      fingerprint(loaded_->dataset),
      {experiment_.source.name, experiment_.source.text, experiment_.overrides, experiment_.settings}};
}

bool Trainer::finished() const {
  const bool patience_is_over = settings_.patience && position_.since_best >= *settings_.patience;
  return position_.epoch > settings_.epochs || patience_is_over;
}

TrainResult Trainer::run(const InterruptGuard& interrupt, bool may_begin) {
  const std::string state = state_path(settings_.save);
  const bool resume = options_.resume && (!may_begin || std::filesystem::exists(state));
  if (resume && !std::filesystem::exists(state))
    throw UserError(in_file(state, 0, 0, "there is no state from which training could go on", {},
                            "train without `--resume`"));
  load();
  if (resume) {
    position_ = read_state(state, identity_, variables_, best_);
    loaded_->states.restore(position_.carried);
  }
  written_ = Clock::now();
  if (!options_.metrics_file.empty())
    metrics_.emplace(numbered(options_.metrics_file, task_.number + 1), identity_.model, position_.history);
  if (!resume) measure_gradients(0);

  const Clock::time_point start = Clock::now();
  bool stopped = false;
  {
    Progress progress(stderr, progress_mode(stderr, options_.quiet), settings_.epochs,
                      loaded_->batches.steps());
    while (!stopped && !finished()) stopped = !train_epoch(progress, interrupt);
  }
  TrainResult result;
  result.seconds = seconds_since(start);
  result.rows_per_second = result.seconds > 0 ? static_cast<double>(rows_trained_) / result.seconds : 0;
  result.interrupted = stopped && interrupt.requested();
  result.model_file = settings_.save;
  if (!result.interrupted) conclude(result);
  write_pages();
  for (const std::string* file : {&options_.metrics_file, &options_.plot_file, &options_.gradients_file})
    if (!file->empty()) result.pages.push_back(numbered(*file, task_.number + 1));
  result.epochs = position_.history;
  result.best_epoch = position_.best_epoch;
  return result;
}

bool Trainer::train_epoch(Progress& progress, const InterruptGuard& interrupt) {
  const Batches& batches = loaded_->batches;
  loaded_->ahead.shuffle(settings_.seed, static_cast<uint32_t>(position_.epoch));
  progress.begin_epoch(position_.epoch, position_.step);
  const double seconds_before = position_.seconds;
  const auto enough = [&] { return options_.steps && position_.total_steps >= *options_.steps; };
  while (position_.step < batches.steps() && !enough()) {
    step(loaded_->ahead.batch(position_.step));
    position_.seconds = seconds_before + progress.seconds();
    progress.step(position_.step, position_.loss_sum / static_cast<double>(position_.rows),
                  loaded_->session.rows().batch);
    if (interrupt.requested()) {
      write_files();
      return false;
    }
    if (options_.checkpoint && position_.total_steps % *options_.checkpoint == 0) write_files();
  }
  if (position_.step < batches.steps()) {
    // --steps: the state is that of a run that was stopped; the figures are those of what there is.
    write_files();
    if (position_.step > 0) finish_epoch(progress);
    return false;
  }
  finish_epoch(progress);
  if (finished() || Clock::now() - written_ >= kBetweenFiles) write_files();
  return true;
}

/// Everything that the training program reads in the present step.
void Trainer::fill(Session& session, const Batch& batch) {
  const int64_t steps = loaded_->batches.steps() * settings_.epochs;
  const int64_t t = position_.total_steps;
  const Optimizer& optimizer = settings_.optimizer;
  const auto set = [&](const char* name, double value) {
    const auto number = static_cast<float>(value);
    session.set_input(name, std::span<const float>(&number, 1));
  };
  loaded_->binder.bind(session, loaded_->dataset, batch);
  loaded_->states.set(session, batch);
  rate_ = rate_at(settings_, position_.epoch, t, steps, position_.halvings);
  set(kRateInput, rate_);
  set(kCorrection1Input, 1 - std::pow(optimizer.beta1, static_cast<double>(t)));
  set(kCorrection2Input, 1 - std::pow(optimizer.beta2, static_cast<double>(t)));
  session.set_input(kChanceInput, std::span<const int32_t>(chance_of_step(settings_.seed, t)));
}

void Trainer::step(const Batch& batch) {
  if (position_.step % kBetweenMemories == 0 || remembered_.epoch != position_.epoch) remember();
  ++position_.step;
  ++position_.total_steps;
  Session& session = loaded_->session;
  {
    const Stage stage(team_.trace(), "bind");
    fill(session, batch);
  }
  {
    const Stage stage(team_.trace(), "step");
    session.run(team_);
  }
  loaded_->states.take(session);
  const double loss = session.scalar("loss");
  const double norm = has_output(session, "gradient_norm") ? session.scalar("gradient_norm") : 0;
  if (!std::isfinite(loss)) lost(LostIn::Loss);
  if (!std::isfinite(norm)) lost(LostIn::Gradient);
  position_.loss_sum += loss * static_cast<double>(batch.rows);
  position_.norm_sum += norm;
  position_.rows += batch.rows;
  rows_trained_ += batch.rows;
}

void Trainer::finish_epoch(Progress& progress) {
  check_variables();
  EpochRecord record;
  record.epoch = position_.epoch;
  record.train_loss = position_.loss_sum / static_cast<double>(position_.rows);
  record.gradient_norm = position_.norm_sum / static_cast<double>(std::max<int64_t>(position_.step, 1));
  bool better = true;  // without a valid part the last is the best
  record.rows_per_second = progress.rows_per_second();
  record.rate = rate_;
  record.steps = position_.total_steps;
  if (!loaded_->dataset.valid.empty()) {
    const Stage stage(team_.trace(), "valid part");
    record.valid = loaded_->evaluation.run(Part::Valid, team_);
    better = record.valid->loss < position_.best_loss;
  }
  record.seconds = position_.seconds;
  progress.line(epoch_line(record, settings_.epochs));
  if (record.valid)
    for (const std::string& line : watch_lines(*record.valid)) progress.line(line);

  if (better) {
    position_.best_epoch = position_.epoch;
    if (record.valid) position_.best_loss = record.valid->loss;
    for (const Parameter& p : loaded_->lowered.model.parameters) {
      const auto values = variables_.at(p.name).values();
      best_[p.name].assign(values.begin(), values.end());
    }
    position_.since_best = position_.since_halving = 0;
  } else {
    ++position_.since_best;
    ++position_.since_halving;
    const Schedule* halve = settings_.find(Schedule::Halve);
    if (halve != nullptr && position_.since_halving >= halve->after) {
      ++position_.halvings;
      position_.since_halving = 0;
    }
  }
  if (metrics_) metrics_->add(record);
  measure_gradients(record.epoch);
  position_.history.push_back(std::move(record));
  ++position_.epoch;
  position_.step = 0;
  position_.loss_sum = position_.norm_sum = position_.seconds = 0;
  position_.rows = 0;
}

void Trainer::write_files() {
  const Stage stage(team_.trace(), "write the state");
  position_.carried = loaded_->states.values();
  const std::string state = state_path(settings_.save);
  try {
    write_state(state, identity_, position_, variables_, best_);
    write_model();
  } catch (const RunError& problem) {  // the disk is full, the folder is gone
    std::vector<std::string> notes;
    if (std::filesystem::exists(state)) notes.push_back(fmt::format("{} is as it was before", state));
    if (saved_best_ > 0)
      notes.push_back(fmt::format("the parameters after epoch {} are in {}", saved_best_, settings_.save));
    throw TrainingFailed(in_file(fmt::format("step {}", position_.total_steps), 0, 0, problem.what(),
                                 std::move(notes), "make room, then the same command with `--resume`"));
  }
  write_pages();
  written_ = Clock::now();
}

/// What is drawn, as far as training has come.
void Trainer::write_pages() {
  const size_t number = task_.number + 1;
  if (!options_.plot_file.empty())
    write_page(numbered(options_.plot_file, number),
               learning_curves(identity_.model, position_.history, position_.best_epoch,
                               options_.plot_file.ends_with(".png")));
  if (options_.gradients_file.empty()) return;
  const std::vector<EpochNorms>& found = loaded_->gradients->found();
  write_page(numbered(options_.gradients_file, number), options_.gradients_file.ends_with(".json")
                                                            ? to_json(found).dump() + "\n"
                                                            : gradients_page(identity_.model, found));
}

void Trainer::measure_gradients(int64_t epoch) {
  const Stage stage(team_.trace(), "gradients");
  if (loaded_->gradients) loaded_->gradients->measure(epoch, team_);
}

void Trainer::write_model() {
  if (best_.empty() || saved_best_ == position_.best_epoch) return;
  save_parameters(settings_.save, best_, position_.best_epoch);
  saved_best_ = position_.best_epoch;
}

/// A saved model with these parameters, as they are after so many epochs.
void Trainer::save_parameters(const std::string& file, const Values& values, int64_t epochs) const {
  std::vector<TensorView> tensors;
  for (const Parameter& p : loaded_->lowered.model.parameters)
    tensors.push_back(tensor_view(p.name, declared_shape(p), values.at(p.name)));
  ModelInfo info;
  info.source_name = experiment_.source.name;
  info.source = experiment_.source.text;
  info.model = identity_.model;
  info.data = identity_.data;
  info.learned = loaded_->dataset.learned;
  info.extra = {{"dims", experiment_.overrides}, {"best_epoch", epochs}};
  save_model(file, tensors, info);
}

void Trainer::conclude(TrainResult& result) {
  write_model();
  for (const auto& [name, values] : best_) {
    const auto to = variables_.at(name).values();
    std::copy(values.begin(), values.end(), to.begin());
  }
  const Dataset& dataset = loaded_->dataset;
  result.part = !dataset.test.empty() ? Part::Test : !dataset.valid.empty() ? Part::Valid : Part::Train;
  result.figures = loaded_->evaluation.run(result.part, team_);
}

}  // namespace rnnc
