// Rows through a saved model that writes: the text of each row, as it comes, or as JSON.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "driver/generate_settings.h"
#include "driver/generator.h"
#include "driver/saved_experiment.h"
#include "driver/symbol_text.h"

namespace rnnc {

class TextWriter {
 public:
  /// Takes parameters and vocabularies from the saved model; refuses one that does not fit. `start` replaces
  /// that of the block if it is not empty. `used` and `options` must outlive this.
  TextWriter(const SavedExperiment& used, const Options& options, const std::string& start);

  /// What a row has to give for the inputs that no setting gives: `line`, `col(2)`, ...; nothing if all are
  /// given.
  const std::vector<std::string>& needed() const { return needed_; }

  /// A line of output (without its end) for each row of values; `origin` stands for them in messages. A
  /// single row that is not JSON is told to `as_it_comes` piece by piece and gives no line. `first_number`:
  /// of the rows, for chance.
  std::vector<std::string> rows(std::span<const std::vector<std::string>> values, const std::string& origin,
                                const std::function<void(const std::string&)>& as_it_comes,
                                int64_t first_number);
  /// The same for the rows of data files.
  std::vector<std::string> files(std::span<const std::string> names);

 private:
  Dataset given_row() const;
  std::vector<std::string> write(Dataset dataset, const std::function<void(const std::string&)>& as_it_comes,
                                 int64_t first_number);
  std::string line(const Written& written) const;

  const SavedExperiment& used_;
  const Options& options_;
  DataSpec spec_;
  GenerateSettings settings_;
  std::vector<std::string> row_fields_;  // inputs that rows give
  std::vector<std::string> given_fields_;
  std::vector<std::string> needed_;
  Jit jit_;
  Team team_;
  Variables variables_;
  Dataset shape_;  // without rows
  Generator generator_;
  std::vector<int32_t> start_;
  SymbolText text_;
  Dataset given_;  // one row
};

}  // namespace rnnc
