// `rnnc predict`: see predict.h.
#include "driver/predict.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "driver/binder.h"
#include "driver/commands.h"
#include "driver/compiler.h"
#include "driver/input_lines.h"
#include "driver/parameters.h"
#include "driver/show_values.h"
#include "ir/diagnostic.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

constexpr int64_t kMostRows = 256;  // of a batch

using Json = nlohmann::json;

/// The output of one value, row by row. Of a sequence it lies packed, time first.
class RowValues {
 public:
  RowValues(const Show& show, const Session& session, const BatchRows& batch)
      : values_(session.output(show.root)) {
    const auto& outputs = session.program().outputs;
    const auto output = std::ranges::find(outputs, show.root, &ProgramOutput::name);
    cols_ = static_cast<size_t>(output->cols);
    const Rows rows = rows_of_range(output->rows);
    if (rows.kind == Rows::Fixed) return;
    rows_.resize(static_cast<size_t>(batch.batch()));
    auto at = values_.begin();  // elements of one row come in their order
    batch.for_each(rows, [&](int32_t slot, int64_t) {
      std::vector<float>& row = rows_[static_cast<size_t>(slot)];
      row.insert(row.end(), at, at + static_cast<int64_t>(cols_));
      at += static_cast<int64_t>(cols_);
    });
  }

  std::span<const float> values(size_t row) const {
    return rows_.empty() ? std::span(values_).subspan(row * cols_, cols_) : std::span(rows_[row]);
  }
  size_t elements(size_t row) const { return values(row).size() / cols_; }

 private:
  std::vector<float> values_;
  size_t cols_ = 1;
  std::vector<std::vector<float>> rows_;  // of a sequence
};

}  // namespace

Predictor::Predictor(const SavedExperiment& used, const Options& options)
    : used_(used),
      options_(options),
      spec_(spec_of(used.experiment, *used.data)),
      jit_(make_jit(options)),
      team_(thread_count(options), options.trace) {
  const ast::Use* predict = find_predict(used.experiment, used.model);
  if (predict == nullptr)
    throw UserError(in_file(used.experiment.source.name, 0, 0,
                            fmt::format("there is no `predict {}`", used.model), {},
                            fmt::format("`predict {} {{ show ... }}`", used.model)));
  const ast::Definition& model = *find_model(used.experiment, used.model);
  for (const ast::Port& input : model.inputs) fields_.push_back(input.name);
  check_knows(used, spec_, fields_);
  needed_ = needed_values(spec_, used.saved.info.learned, fields_);

  const Dataset nothing = without_rows(used.saved.info.learned, spec_, fields_);
  lowered_ = lower_model(used.experiment, used.model, nullptr, *used.data, predict, nothing);
  if (lowered_.shows.empty())
    throw UserError(at_place(used.experiment.source, predict->model.place, "this block shows nothing", {},
                             "`show EXPR`"));
  set_parameters(lowered_.model, used.saved, used.path, variables_);
}

std::vector<std::string> Predictor::rows(std::span<const std::vector<std::string>> values,
                                         const std::string& origin) {
  return run(encode_values(spec_, used_.saved.info.learned, fields_, values, origin));
}

std::vector<std::string> Predictor::files(std::span<const std::string> names) {
  return run(encode_files(spec_, used_.saved.info.learned, fields_, names));
}

void Predictor::make_program(const Dataset& dataset, int64_t rows) {
  if (!room_.grow(rows, longest_rows(dataset), tree_sizes(dataset))) return;
  CompileOptions compiling;
  compiling.kind = ProgramKind::Predict;
  compiling.batch_capacity = room_.rows;
  compiling.time_steps = room_.steps;
  compiling.trees = room_.trees;
  compiling.disabled_passes = options_.disabled_passes;
  const Stage stage(team_.trace(), "compile");
  program_.reset();
  program_ = std::make_unique<Session>(compile(lowered_, compiling, jit_).plan.program, variables_);
}

std::vector<std::string> Predictor::run(const Dataset& dataset) {
  std::vector<std::string> lines(dataset.test.size());
  if (lines.empty()) return lines;
  make_program(dataset, std::min(kMostRows, static_cast<int64_t>(lines.size())));
  Session& session = *program_;
  Binder binder(lowered_.model);
  const Learned& learned = used_.saved.info.learned;
  Batches batches(dataset, Part::Test, room_.rows, batch_steps(room_.steps));
  const HeldVariables held(session);
  for (int64_t step = 0; step < batches.steps(); ++step) {
    const Batch& batch = batches.batch(step);
    binder.bind(session, dataset, batch);
    const Stage stage(team_.trace(), "rows");
    session.run(team_);
    std::vector<RowValues> shown;
    for (const Show& show : lowered_.shows) shown.emplace_back(show, session, binder.rows());
    for (size_t row = 0; row < batch.order.size(); ++row) {
      std::string text;
      Json json = Json::object();
      for (size_t i = 0; i < shown.size(); ++i) {
        const Show& show = lowered_.shows[i];
        const std::span<const float> values = shown[i].values(row);
        const size_t elements = shown[i].elements(row);
        if (options_.json) json[show.label] = show_json(show, values, elements, learned);
        else text += (i > 0 ? "\t" : "") + show_text(show, values, elements, spec_, learned);
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

}  // namespace

int predict_command(const Options& options) {
  std::vector<std::string> inputs = options.inputs;
  const SavedExperiment used = open_saved(options, inputs, Purpose::Predict);
  Predictor predictor(used, options);
  if (inputs.empty()) {
    read_rows(std::cin, predictor.needed().size(), [&](const auto& rows, int64_t) {
      print_lines(predictor.rows(rows, kStandardInput));
      std::fflush(stdout);
    });
    return kDone;
  }
  const auto is_file = [](const std::string& name) { return std::filesystem::is_regular_file(name); };
  if (std::ranges::all_of(inputs, is_file)) print_lines(predictor.files(inputs));
  else print_lines(predictor.rows(argument_rows(inputs, predictor.needed()), "argument"));
  return kDone;
}

}  // namespace rnnc
