// See subject.h.
#include "driver/subject.h"

#include <fmt/format.h>

namespace rnnc {

Subject open_subject(const Experiment& experiment, const Options& options) {
  const Task task = only_task(experiment, options.name);
  Subject s{task.train->model.text,
            train_settings(experiment, *task.train, options),
            load_data(experiment, *task.data),
            {}};
  s.lowered =
      lower_model(experiment, s.model, task.train, *task.data, find_predict(experiment, s.model), s.dataset);
  return s;
}

int64_t Subject::batch(const Options& options) const {
  return options.batch.value_or(settings.batch ? settings.batch : rows_to_batch(dataset));
}

CompileOptions Subject::compile_options(const Options& options, std::vector<int32_t> time_steps,
                                        std::vector<TreeSize> trees) const {
  CompileOptions compile;
  compile.kind = options.mode == "infer" ? ProgramKind::Predict : ProgramKind::Train;
  if (compile.kind == ProgramKind::Predict && lowered.shows.empty()) {
    refuse_command(fmt::format("model `{}` has no `predict` block for --mode infer", model));
  }
  compile.optimizer = settings.optimizer;
  compile.batch_capacity = batch(options);
  compile.time_steps = std::move(time_steps);
  compile.trees = std::move(trees);
  if (options.time_steps) {
    compile.time_steps.assign(compile.time_steps.size(), int32_t(*options.time_steps));
    compile.trees.clear();
  }
  compile.disabled_passes = options.disabled_passes;
  compile.memory_limit = options.memory_limit;
  return compile;
}

}  // namespace rnnc
