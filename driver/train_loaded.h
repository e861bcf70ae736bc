// What a Trainer holds once the data are read: they, the model and its programs.
#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "driver/binder.h"
#include "driver/bleu_figures.h"
#include "driver/compile.h"
#include "driver/gradient_norms.h"
#include "driver/piece_inputs.h"
#include "driver/train.h"
#include "runtime/batch_ahead.h"
#include "runtime/trace.h"

namespace rnnc {

/// Data, model and programs. Batches and programs refer to what stands before them, so this stays in its
/// place.
struct Trainer::Loaded {
  Loaded(Dataset data, Lowered model, const TrainSettings& settings, CompileOptions given, Jit& jit,
         Variables& variables)
      : dataset(std::move(data)),
        lowered(std::move(model)),
        time_steps(longest_rows(dataset)),
        trees(tree_sizes(dataset)),
        batches(dataset, Part::Train, settings.batch, batch_steps(time_steps)),
        ahead(batches),
        options([&] {
          given.kind = ProgramKind::Train;
          given.batch_capacity = batches.batch_size();
          given.time_steps = time_steps;
          given.trees = trees;
          return std::move(given);
        }()),
        session(
            [&] {
              Compiled compiled = compile(lowered, options, jit);
              segments = compiled.report.segments;
              return std::move(compiled.plan.program);
            }(),
            variables),
        binder(lowered.model),
        states(session),
        evaluation(lowered, dataset, options, jit, variables) {}
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  Dataset dataset;
  Lowered lowered;
  std::vector<int32_t> time_steps;
  std::vector<TreeSize> trees;
  Batches batches;
  BatchAhead ahead;
  CompileOptions options;  // of the training program
  Segments segments;       // of the training program, if a memory limit asks for them
  Session session;
  Binder binder;
  CarriedStates states;
  Evaluation evaluation;
  std::optional<BleuFigures> written;      // if a metric asks for it
  std::optional<GradientNorms> gradients;  // if --gradients does
};

}  // namespace rnnc
