// `rnnc predict`: see predict.h.
#include "driver/predict.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "driver/commands.h"
#include "driver/parameters.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

constexpr int64_t kMostRows = 256;  // of a batch, and of lines read ahead

using Json = nlohmann::json;

std::string number_text(float value) {
  return fmt::format("{:.4g}", value);
}

// Scores of `top` are mostly probabilities: two digits behind the point.
std::string score_text(float value) {
  const float size = std::abs(value);
  return size >= 0.01f && size <= 1 ? fmt::format("{:.2f}", value) : fmt::format("{:.2g}", value);
}

/// The entries with the largest scores, the largest first.
std::vector<size_t> best_entries(std::span<const float> scores, size_t count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Equal scores in the order of the vocabulary; what is not a number comes last.
  const auto key = [&](size_t i) { return std::isnan(scores[i]) ? -INFINITY : scores[i]; };
  std::ranges::sort(order, [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  order.resize(std::min(count, order.size()));
  return order;
}

const std::string& category(const Learned& learned, const std::string& vocabulary, size_t entry) {
  return learned.vocabularies.at(vocabulary).text(static_cast<int32_t>(entry));
}

std::string show_text(const Show& show, std::span<const float> values, const Learned& learned) {
  std::string text;
  if (show.top > 0) {
    for (const size_t entry : best_entries(values, static_cast<size_t>(show.top)))
      text += fmt::format(
          "{}{} {}", text.empty() ? "" : "  ",
          show.vocabulary.empty() ? fmt::format("{}", entry) : category(learned, show.vocabulary, entry),
          score_text(values[entry]));
    return text;
  }
  for (const float value : values) {
    if (!text.empty()) text += ' ';
    text += show.vocabulary.empty() ? number_text(value)
                                    : category(learned, show.vocabulary, static_cast<size_t>(value));
  }
  return text;
}

Json show_json(const Show& show, std::span<const float> values, const Learned& learned) {
  Json list = Json::array();
  if (show.top > 0) {
    for (const size_t entry : best_entries(values, static_cast<size_t>(show.top))) {
      const Json name =
          show.vocabulary.empty() ? Json(entry) : Json(category(learned, show.vocabulary, entry));
      list.push_back({{"value", name}, {"score", values[entry]}});
    }
    return list;
  }
  for (const float value : values) {
    if (show.vocabulary.empty()) list.push_back(value);
    else list.push_back(category(learned, show.vocabulary, static_cast<size_t>(value)));
  }
  return values.size() == 1 ? list[0] : list;
}

/// What encoding and the sizes need must stand in the saved model.
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

}  // namespace

/// A compiled program with room for so many rows and steps.
struct Predictor::Program {
  int64_t rows = 0;
  std::vector<int32_t> time_steps;
  Session session;
};

Predictor::Predictor(const SavedExperiment& used, const Options& options)
    : used_(used),
      options_(options),
      spec_(spec_of(used.experiment, *used.data)),
      jit_(target_by_name(options.target), thread_count(options)),
      team_(thread_count(options)) {
  const ast::Use* predict = find_predict(used.experiment, used.model);
  if (predict == nullptr)
    throw UserError(in_file(used.experiment.source.name, 0, 0,
                            fmt::format("there is no `predict {}`", used.model), {},
                            fmt::format("`predict {} {{ show ... }}`", used.model)));
  const ast::Definition& model = *find_model(used.experiment, used.model);
  for (const ast::Port& input : model.inputs) fields_.push_back(input.name);
  check_knows(used, spec_, fields_);
  needed_ = needed_values(spec_, used.saved.info.learned, fields_);

  Dataset nothing;  // sizes only
  nothing.learned = used.saved.info.learned;
  for (const DataField& field : spec_.fields) {
    if (std::ranges::find(fields_, field.name) == fields_.end() || field.dimension.empty()) continue;
    if (std::ranges::find(nothing.dimensions, field.dimension) == nothing.dimensions.end())
      nothing.dimensions.push_back(field.dimension);
  }
  lowered_ = lower_model(used.experiment, used.model, nullptr, *used.data, predict, nothing);
  if (lowered_.shows.empty())
    throw UserError(at_place(used.experiment.source, predict->model.place, "this block shows nothing", {},
                             "`show EXPR`"));
  set_parameters(lowered_.model, used.saved, used.path, variables_);
}

Predictor::~Predictor() = default;

std::vector<std::string> Predictor::rows(std::span<const std::vector<std::string>> values,
                                         const std::string& origin) {
  return run(encode_values(spec_, used_.saved.info.learned, fields_, values, origin));
}

std::vector<std::string> Predictor::files(std::span<const std::string> names) {
  return run(encode_files(spec_, used_.saved.info.learned, fields_, names));
}

void Predictor::make_program(const Dataset& dataset, int64_t rows) {
  std::vector<int32_t> steps = longest_rows(dataset);
  bool enough = program_ != nullptr && rows <= program_->rows;
  for (size_t i = 0; enough && i < steps.size(); ++i) enough = steps[i] <= program_->time_steps[i];
  if (enough) return;
  // Powers of two: a few programs serve rows of all lengths.
  for (int32_t& n : steps) n = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(n)));
  rows = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  if (program_ != nullptr) {
    rows = std::max(rows, program_->rows);
    for (size_t i = 0; i < steps.size(); ++i) steps[i] = std::max(steps[i], program_->time_steps[i]);
  }
  CompileOptions compiling;
  compiling.kind = ProgramKind::Predict;
  compiling.batch_capacity = rows;
  compiling.time_steps = steps;
  compiling.disabled_passes = options_.disabled_passes;
  program_.reset();
  Session session(compile(lowered_, compiling, jit_).plan.program, variables_);
  program_.reset(new Program{rows, std::move(steps), std::move(session)});
}

std::vector<std::string> Predictor::run(const Dataset& dataset) {
  std::vector<std::string> lines(dataset.test.size());
  if (lines.empty()) return lines;
  make_program(dataset, std::min(kMostRows, static_cast<int64_t>(lines.size())));
  Session& session = program_->session;
  const Learned& learned = used_.saved.info.learned;
  Batches batches(dataset, Part::Test, program_->rows, batch_steps(program_->time_steps));
  for (int64_t step = 0; step < batches.steps(); ++step) {
    const Batch& batch = batches.batch(step);
    bind(session, dataset, batch);
    session.run(team_);
    std::vector<std::vector<float>> shown;
    for (const Show& show : lowered_.shows) shown.push_back(session.output(show.root));
    for (size_t row = 0; row < batch.order.size(); ++row) {
      std::string text;
      Json json = Json::object();
      for (size_t i = 0; i < shown.size(); ++i) {
        const size_t cols = shown[i].size() / batch.order.size();
        const std::span<const float> values = std::span(shown[i]).subspan(row * cols, cols);
        if (options_.json) json[lowered_.shows[i].label] = show_json(lowered_.shows[i], values, learned);
        else text += fmt::format("{}{}", i > 0 ? "\t" : "", show_text(lowered_.shows[i], values, learned));
      }
      lines[static_cast<size_t>(batch.order[row])] = options_.json ? json.dump() : text;
    }
  }
  return lines;
}

namespace {

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
}

/// Arguments as rows: one with tabs is a row; others make rows of as many values as are needed.
std::vector<std::vector<std::string>> argument_rows(const std::vector<std::string>& inputs,
                                                    const std::vector<std::string>& needed) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  for (const std::string& input : inputs) {
    if (input.find('\t') != std::string::npos && row.empty()) {
      rows.push_back(split_values(input, needed.size()));
      continue;
    }
    row.push_back(input);
    if (row.size() < needed.size()) continue;
    rows.push_back(std::move(row));
    row.clear();
  }
  if (!row.empty()) rows.push_back(std::move(row));  // too few values: refused by the reader, in its words
  return rows;
}

/// Lines of standard input, as many at once as are there already.
void predict_lines(Predictor& predictor) {
  std::ios::sync_with_stdio(false);
  int64_t count = 0;
  std::string line;
  for (bool more = true; more;) {
    std::vector<std::vector<std::string>> rows;
    const int64_t first = count;
    while (static_cast<int64_t>(rows.size()) < kMostRows &&
           (rows.empty() || std::cin.rdbuf()->in_avail() > 0)) {
      more = static_cast<bool>(std::getline(std::cin, line));
      if (!more) break;
      ++count;
      rows.push_back(split_values(line, predictor.needed().size()));
    }
    if (rows.empty()) break;
    try {
      print_lines(predictor.rows(rows, "standard input"));
    } catch (const DataError& problem) {
      DataMessage message = problem.message();
      if (message.line > 0) message.line += static_cast<int>(first);
      throw DataError(message);
    }
    std::fflush(stdout);
  }
}

}  // namespace

int predict_command(const Options& options) {
  std::vector<std::string> inputs = options.inputs;
  const SavedExperiment used = open_saved(options, inputs, Purpose::Predict);
  Predictor predictor(used, options);
  if (inputs.empty()) {
    predict_lines(predictor);
    return kDone;
  }
  const auto is_file = [](const std::string& name) { return std::filesystem::is_regular_file(name); };
  if (std::ranges::all_of(inputs, is_file)) print_lines(predictor.files(inputs));
  else print_lines(predictor.rows(argument_rows(inputs, predictor.needed()), "argument"));
  return kDone;
}

}  // namespace rnnc
