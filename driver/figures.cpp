// Figures over a part: see figures.h.
#include "driver/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "driver/bleu_figures.h"
#include "driver/piece_inputs.h"

namespace rnnc {
namespace {

constexpr size_t kWatchedInLine = 10;  // longer watches are a table, the number of the first before each line

double compute(const std::string& f, const std::vector<double>& a) {
  const double x = a.at(0), y = a.size() > 1 ? a[1] : 0;
  if (f == "+") return x + y;
  if (f == "-") return x - y;
  if (f == "*") return x * y;
  if (f == "/") return x / y;
  if (f == "^") return std::pow(x, y);
  if (f == "neg") return -x;
  if (f == "max") return std::max(x, y);
  if (f == "min") return std::min(x, y);
  if (f == "exp") return std::exp(x);
  if (f == "log") return std::log(x);
  if (f == "sqrt") return std::sqrt(x);
  if (f == "abs") return std::abs(x);
  if (f == "sin") return std::sin(x);
  if (f == "cos") return std::cos(x);
  if (f == "tanh") return std::tanh(x);
  if (f == "sigmoid") return 1 / (1 + std::exp(-x));
  if (f == "relu") return std::max(x, 0.0);
  if (f == "softplus") return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  if (f == "elu") return x > 0 ? x : std::expm1(x);
  if (f == "<") return x < y ? 1 : 0;
  if (f == ">") return x > y ? 1 : 0;
  if (f == "<=") return x <= y ? 1 : 0;
  if (f == ">=") return x >= y ? 1 : 0;
  if (f == "==") return x == y ? 1 : 0;
  if (f == "!=") return x != y ? 1 : 0;
  throw std::logic_error("a figure with function " + f);
}

}  // namespace

void Figures::want(const Measure& m) {
  if (!m.sum_root.empty()) sums_[m.sum_root].kind = m.kind;
  if (!m.count_root.empty()) sums_[m.count_root].kind = Measure::Sum;
  for (const Measure& arg : m.args) want(arg);
}

void Figures::want(const Watch& watch) {
  for (const std::string& root : {watch.sum_root, watch.count_root})
    if (!root.empty()) sums_[root].dim = watch.dim;
}

void Figures::take_steps(Sum& sum, const std::vector<float>& batch, std::span<const int64_t> offsets) {
  if (offsets.back() == 0) return;
  const size_t cols = batch.size() / static_cast<size_t>(offsets.back());
  size_t at = 0;
  for (size_t t = 0; t + 1 < offsets.size() && offsets[t + 1] > offsets[t]; ++t) {
    if (sum.rows.size() <= t) {
      sum.rows.push_back(0);
      sum.values.resize((t + 1) * cols);
    }
    sum.rows[t] += static_cast<double>(offsets[t + 1] - offsets[t]);
    for (int64_t row = offsets[t]; row < offsets[t + 1]; ++row)
      for (size_t c = 0; c < cols; ++c) sum.values[t * cols + c] += batch.at(at++);
  }
}

void Figures::take(Sum& sum, const std::vector<float>& batch) {
  const bool first = !sum.any;
  sum.any = true;
  if (first) sum.values.assign(batch.size(), 0.0);
  for (size_t i = 0; i < batch.size(); ++i) {
    const double v = batch[i];
    double& to = sum.values.at(i);
    switch (sum.kind) {
      case Measure::Number:
      case Measure::Apply:
      case Measure::Ngram:
      case Measure::Bleu: break;
      case Measure::Mean:
      case Measure::Sum: to += v; break;
      case Measure::Max: to = first ? v : std::max(to, v); break;
      case Measure::Min: to = first ? v : std::min(to, v); break;
      case Measure::Once: to = v; break;
    }
  }
}

double Figures::at(const std::string& root) const {
  const Sum& sum = sums_.at(root);
  return sum.values.empty() ? 0.0 : sum.values[0];
}

double Figures::value(const Measure& m) const {
  switch (m.kind) {
    case Measure::Number: return m.number;
    case Measure::Mean: return at(m.sum_root) / at(m.count_root);
    case Measure::Sum:
    case Measure::Max:
    case Measure::Min:
    case Measure::Once: return at(m.sum_root);
    case Measure::Ngram: return known_.at(ngram_key(m));
    case Measure::Bleu: return known_.at(bleu_key(m));
    case Measure::Apply: break;
  }
  std::vector<double> args;
  for (const Measure& arg : m.args) args.push_back(value(arg));
  return compute(m.function, args);
}

std::vector<double> Figures::value(const Watch& watch) const {
  const Sum& sum = sums_.at(watch.sum_root);
  std::vector<double> values = sum.values;
  if (watch.dim < 0) {
    for (double& v : values) v /= at(watch.count_root);
    return values;
  }
  const std::vector<double>& counts = watch.count_root.empty() ? sum.rows : sums_.at(watch.count_root).values;
  const size_t cols = counts.empty() ? 1 : values.size() / counts.size();
  for (size_t i = 0; i < values.size(); ++i) values[i] /= counts[i / cols];
  return values;
}

int64_t Evaluation::batch_rows(const Dataset& dataset) {
  constexpr int64_t kElements = 8192, kLeast = 16, kMost = 256;
  // A sequence is read by one row where states may go on; pieces without connection are rows like any other.
  if (dataset.pieces && !dataset.pieces.sample) return 1;
  const int64_t rows = std::clamp(kElements / batch_steps(longest_rows(dataset)), kLeast, kMost);
  int64_t largest = 1;
  for (const Part part : kParts)
    largest = std::max(largest, Batches(dataset, part, rows, batch_steps(longest_rows(dataset)),
                                        Batches::Purpose::Evaluation)
                                    .rows());
  return std::min(largest, rows);
}

Evaluation::Evaluation(const Lowered& lowered, const Dataset& dataset, CompileOptions options, Jit& jit,
                       Variables& variables)
    : lowered_(lowered),
      dataset_(dataset),
      time_steps_(longest_rows(dataset)),
      session_([&] {
        options.kind = ProgramKind::Evaluate;
        options.batch_capacity = batch_rows(dataset);
        options.time_steps = time_steps_;
        options.trees = tree_sizes(dataset);
        return Session(compile(lowered, options, jit).plan.program, variables);
      }()),
      binder_(lowered.model),
      counted_(dataset) {
  for (const Metric& metric : lowered.metrics) counted_.want(metric.value);
}

PartFigures Evaluation::run(Part part, Team& team) {
  Figures figures;
  figures.know(counted_.of(part));
  if (written_ != nullptr) figures.know(written_->of(part, team));
  figures.want(lowered_.loss);
  for (const Metric& metric : lowered_.metrics) figures.want(metric.value);
  for (const Watch& watch : lowered_.watches) figures.want(watch);
  Batches batches(dataset_, part, batch_rows(dataset_), batch_steps(time_steps_),
                  Batches::Purpose::Evaluation);
  CarriedStates states(session_);
  const HeldVariables held(session_);
  for (int64_t step = 0; step < batches.steps(); ++step) {
    const Batch& batch = batches.batch(step);
    binder_.bind(session_, dataset_, batch);
    states.set(session_, batch);
    session_.run(team);
    states.take(session_);
    StepRows rows;
    for (size_t space = 0; space < binder_.rows().size(); ++space)
      rows.emplace_back(binder_.rows().row_offset(space));
    figures.add([&](const std::string& root) { return session_.output(root); }, rows);
  }
  PartFigures result;
  result.loss = figures.value(lowered_.loss);
  for (const Metric& metric : lowered_.metrics)
    result.metrics.emplace_back(metric.label, figures.value(metric.value));
  for (const Watch& watch : lowered_.watches) result.watches.emplace_back(watch.label, figures.value(watch));
  return result;
}

std::string figure_text(double value) {
  return fmt::format("{:.4g}", value);
}

std::string figures_text(const PartFigures& figures) {
  std::string text = "loss " + figure_text(figures.loss);
  for (const auto& [label, value] : figures.metrics)
    text += fmt::format("  {} {}", label, figure_text(value));
  return text;
}

std::vector<std::string> watch_lines(const PartFigures& figures) {
  std::vector<std::string> lines;
  for (const auto& [label, values] : figures.watches) {
    std::string line = fmt::format("  {} ", label);
    if (values.size() > kWatchedInLine) lines.push_back(std::exchange(line, ""));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values.size() > kWatchedInLine && i % kWatchedInLine == 0) {
        if (i > 0) lines.push_back(std::exchange(line, ""));
        line = fmt::format("  {:>6}:", i);
      }
      line += values.size() > kWatchedInLine ? fmt::format(" {:>9.3g}", values[i])
                                             : fmt::format(" {:.3g}", values[i]);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace rnnc
