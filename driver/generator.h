// A model that writes: cut at the sequence that is its answer, compiled as a prefix that runs once and a step
// with explicit states, and driven by a search.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "driver/experiment.h"
#include "driver/room.h"
#include "driver/search.h"
#include "frontend/answer.h"
#include "passes/stepwise.h"

namespace rnnc {

class Generator {
 public:
  /// Lowers the model of `train` for what its loss teaches and cuts it. `shape` has the vocabularies and the
  /// sequence dimensions of all datasets that will be written for. Variables are read as they are when a
  /// text is written. Throws UserError for what cannot be written step by step.
  Generator(const Experiment& experiment, const ast::Train& train, const ast::DataBlock& data,
            const Dataset& shape, CompileOptions options, Jit& jit, Variables& variables);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  const Model& model() const { return lowered_.model; }
  /// The field that is written, as the data block has it.
  const DataField& field() const { return field_; }
  /// What else the model reads.
  const std::vector<std::string>& inputs() const { return inputs_; }
  /// Whether nothing can be written before there is a first symbol to read.
  bool needs_start() const { return answer_.next; }
  const SymbolRules& rules() const { return rules_; }

  /// Goes on after the symbols `start` for each of these rows of the dataset, which has all inputs; the field
  /// written may be missing or empty. Row i has number `first_number` + i for chance. What was written stands
  /// in the order of `rows`; `on_symbol` is told the place in it.
  std::vector<Written> write(const Dataset& dataset, std::span<const int64_t> rows,
                             std::span<const int32_t> start, const SearchSettings& settings, Team& team,
                             const OnSymbol& on_symbol = {}, int64_t first_number = 0);

 private:
  struct Programs;
  class Run;

  std::vector<Written> write_together(const Dataset& dataset, std::span<const int64_t> rows,
                                      std::span<const int32_t> start, const SearchSettings& settings,
                                      Team& team, const OnSymbol& on_symbol, int64_t first_number);
  void refuse_what_is_read(const Experiment& experiment, const ast::Train& train);
  void make_programs(const Dataset& dataset, int64_t rows);

  Answer answer_;
  DataField field_;
  std::vector<std::string> inputs_;
  Lowered lowered_;
  Stepwise cut_;
  int64_t entries_ = 0;
  SymbolRules rules_;
  CompileOptions options_;
  Jit& jit_;
  Variables& variables_;
  Room room_;
  std::unique_ptr<Programs> programs_;  // with this room
};

/// The beginning of a text as symbols, encoded as the data are. Without one a model of a stream with <eos>
/// goes on after the end of a line. Throws UserError if there is none and the model needs one.
std::vector<int32_t> start_symbols(const Experiment& experiment, const ast::DataBlock& data,
                                   const Generator& generator, const Learned& learned,
                                   const std::string& start);

/// The answer of a train block, for models that have a generate block: it was checked. Throws UserError if
/// the loss has none.
Answer answer_to_write(const Experiment& experiment, const ast::Train& train);

}  // namespace rnnc
