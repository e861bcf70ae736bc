// From a file to what can be compiled: the file checked, its data loaded, the sizes that the data give, the
// model lowered. Shared by all commands that work on a model.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/compile.h"
#include "driver/options.h"
#include "frontend/check.h"
#include "frontend/lower.h"
#include "ir/source.h"
#include "runtime/batches.h"
#include "runtime/data_files.h"
#include "runtime/dataset.h"

namespace rnnc {

/// A file that was read and is right.
struct Experiment {
  Source source;
  Checked checked;
  DimValues overrides;                                        // of `dim` names, from --set or a saved model
  std::vector<std::pair<std::string, std::string>> settings;  // --set of train settings
  std::vector<std::pair<std::string, std::string>> generate_settings;  // --set of those of generate blocks
  DataFolder folder;                                                   // where relative names of data start
};

/// Reads and checks the file of `options`; warnings go to standard error. Throws UserError, DataError.
Experiment open_experiment(const Options& options);
/// The same for a text that was read already, without a word about warnings; `--set` wins over `overrides`.
Experiment make_experiment(Source source, const Options& options, DimValues overrides = {});

/// A train block with its data block.
struct Task {
  const ast::Train* train = nullptr;
  const ast::DataBlock* data = nullptr;
  size_t number = 0;  // among the train blocks of the file
};

/// The train blocks of model `name` in their order, all if it is empty. Refuses a file without any, and a
/// name that none has.
std::vector<Task> tasks(const Experiment& experiment, const std::string& name);
/// The only one, for commands that work on one model; refuses if several are meant.
Task only_task(const Experiment& experiment, const std::string& name);

const ast::DataBlock* find_data(const Experiment& experiment, std::string_view name);
/// The `predict` or `generate` block of a model, null if there is none.
const ast::Use* find_predict(const Experiment& experiment, std::string_view model);
const ast::Use* find_generate(const Experiment& experiment, std::string_view model);
const ast::Definition* find_model(const Experiment& experiment, std::string_view model);

/// The data block as the readers understand it.
DataSpec spec_of(const Experiment& experiment, const ast::DataBlock& data);
/// Reads all of it; warnings go to standard error.
Dataset load_data(const Experiment& experiment, const ast::DataBlock& data);

/// What is known of sizes once the data are read: of vocabularies, of number dimensions, of `dim` names.
std::map<std::string, int64_t> sizes_of(const Experiment& experiment, const DataSpec& spec,
                                        const ast::DataBlock& data, const Learned& learned);

/// Lowers a model. `dataset` gives vocabularies and sequence dimensions; `train` and `predict` may be null.
Lowered lower_model(const Experiment& experiment, std::string_view model, const ast::Train* train,
                    const ast::DataBlock& data, const ast::Use* predict, const Dataset& dataset);

/// Steps of the longest row along each sequence dimension, at least 1.
std::vector<int32_t> longest_rows(const Dataset& dataset);
/// The capacity that batches need for programs of these.
int64_t batch_steps(const std::vector<int32_t>& time_steps);

/// The room that the trees along each dimension need, as CompileOptions::trees.
std::vector<TreeSize> tree_sizes(const Dataset& dataset);

}  // namespace rnnc
