// Losses, metrics and watches over a whole part of the data: sums and counts are collected in double, batch
// by batch, and what stands around them is computed at the end (language.md section 7).
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "driver/binder.h"
#include "driver/counted.h"
#include "driver/experiment.h"

namespace rnnc {

class BleuFigures;

/// What was found out about one part.
struct PartFigures {
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;               // by label
  std::vector<std::pair<std::string, std::vector<double>>> watches;  // by label: a number for each element
};

/// For each space: where the rows of each step begin in a stack of all steps.
using StepRows = std::vector<std::span<const int64_t>>;

/// Collects the sums and counts that a Measure is made of.
class Figures {
 public:
  /// The roots of this measure will be collected.
  void want(const Measure& measure);
  void want(const Watch& watch);
  /// Figures that no program gives, by `ngram_key` or `bleu_key`.
  void know(const std::map<std::string, double>& figures) { known_.insert(figures.begin(), figures.end()); }
  /// Takes in the outputs of a batch; `output` gives those of a root. Roots that a program lacks are an error
  /// of ours.
  /// `rows` are those of the batch, for watches of sequences.
  template <typename Output>
  void add(Output output, const StepRows& rows = {}) {
    for (auto& [root, sum] : sums_) {
      if (sum.dim < 0) take(sum, output(root));
      else take_steps(sum, output(root), rows.at(static_cast<size_t>(sum.dim)));
    }
  }
  /// The measure of everything added. NaN if a mean was taken over nothing.
  double value(const Measure& measure) const;
  /// One number for each element.
  std::vector<double> value(const Watch& watch) const;

 private:
  struct Sum {
    Measure::Kind kind = Measure::Sum;
    bool any = false;
    std::vector<double> values;
    int dim = -1;              // of a space: values step by step
    std::vector<double> rows;  // and how many rows each step had
  };
  static void take_steps(Sum& sum, const std::vector<float>& batch, std::span<const int64_t> offsets);
  static void take(Sum& sum, const std::vector<float>& batch);
  double at(const std::string& root) const;

  std::map<std::string, Sum> sums_;
  std::map<std::string, double> known_;
};

/// The evaluation program of a model, ready to run over parts.
class Evaluation {
 public:
  /// Compiles. All of these must outlive this.
  Evaluation(const Lowered& lowered, const Dataset& dataset, CompileOptions options, Jit& jit,
             Variables& variables);

  /// Figures of what the model writes; needed where a metric asks for them. Must outlive this.
  void know(BleuFigures& written) { written_ = &written; }

  /// Rows of a batch: such that figures do not depend on the training batch, and a batch stays of a
  /// reasonable size however long its rows are.
  static int64_t batch_rows(const Dataset& dataset);

  /// Runs over a part with the variables as they are. The part must not be empty.
  PartFigures run(Part part, Team& team);

 private:
  const Lowered& lowered_;
  const Dataset& dataset_;
  std::vector<int32_t> time_steps_;
  Session session_;
  Binder binder_;
  CountedFigures counted_;
  BleuFigures* written_ = nullptr;
};

/// `loss 0.65  accuracy(logits, y) 0.8045`
std::string figures_text(const PartFigures& figures);
/// `  h == 0  0.12 0.5 ...`, a line for each watch.
std::vector<std::string> watch_lines(const PartFigures& figures);

/// A figure in four significant digits.
std::string figure_text(double value);

}  // namespace rnnc
