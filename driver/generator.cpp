// Prefix, step and search: see generator.h.
#include "driver/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "driver/binder.h"
#include "driver/piece_inputs.h"
#include "ir/diagnostic.h"
#include "passes/passes.h"

namespace rnnc {
namespace {

constexpr int64_t kRowsTogether = 64;  // rows written side by side, whatever the beam

/// The data block as it reads a beginning: whole, and without <eos>.
DataSpec for_start(DataSpec spec) {
  spec.limits.clear();
  spec.pads.clear();
  for (DataField& field : spec.fields) field.value.end = false;
  return spec;
}

/// `predict MODEL { show log_softmax(SCORES) }`: what a search reads.
ast::Use show_log_probabilities(const ast::Train& train, const Answer& answer) {
  const Place place = answer.scores->place;
  const auto expr = [&](ast::Expr::Kind kind, std::string text) {
    ast::Expr e;
    e.kind = kind;
    e.place = place;
    e.text = std::move(text);
    return e;
  };
  ast::Expr call = expr(ast::Expr::Kind::Call, {});
  call.operands.push_back(expr(ast::Expr::Kind::Name, "log_softmax"));
  call.args.push_back({{}, place, *answer.scores});
  ast::Setting show{"show", place, {}};
  show.args.push_back({{}, place, std::move(call)});
  return {ast::Use::Kind::Predict, train.model, {std::move(show)}};
}

std::vector<float> permuted(const std::vector<float>& values, std::span<const int64_t> order) {
  if (order.empty()) return values;
  const size_t cols = values.size() / order.size();
  std::vector<float> result;
  result.reserve(values.size());
  for (const int64_t from : order) {
    const auto at = values.begin() + from * static_cast<int64_t>(cols);
    result.insert(result.end(), at, at + static_cast<int64_t>(cols));
  }
  return result;
}

}  // namespace

Answer answer_to_write(const Experiment& experiment, const ast::Train& train) {
  const std::optional<Answer> answer = answer_of(train);
  const auto refuse = [&](Place place, std::string message) {
    throw UserError(at_place(experiment.source, place, std::move(message)));
  };
  if (!answer)
    refuse(train.model.place,
           fmt::format("`generate {}` needs a model trained to predict a category at each step",
                       train.model.text));
  if (answer->far != nullptr)
    refuse(answer->far->place, "writing a sequence from more than one element before: not built yet");
  return *answer;
}

struct Generator::Programs {
  std::optional<Session> prefix;  // if the step needs anything of it
  std::optional<Session> step;
};

Generator::Generator(const Experiment& experiment, const ast::Train& train, const ast::DataBlock& data,
                     const Dataset& shape, CompileOptions options, Jit& jit, Variables& variables)
    : answer_(answer_to_write(experiment, train)),
      options_(std::move(options)),
      jit_(jit),
      variables_(variables) {
  const ast::Use show = show_log_probabilities(train, answer_);
  lowered_ = lower_model(experiment, train.model.text, nullptr, data, &show, shape);
  for (const DataField& field : spec_of(experiment, data).fields)
    if (field.name == answer_.field) field_ = field;
  for (const ast::Port& input : find_model(experiment, train.model.text)->inputs)
    if (input.name != answer_.field) inputs_.push_back(input.name);

  const Show& scores = lowered_.shows.at(0);
  std::erase_if(lowered_.model.graph.roots, [&](const Root& root) { return root.name != scores.root; });
  try {
    cut_ = stepwise(lowered_.model, scores.sequence);
  } catch (const GraphError& problem) {
    throw UserError(
        at_place(experiment.source, train.model.place,
                 fmt::format("writing `{}` step by step: not built yet for this model", answer_.field),
                 {problem.what()}));
  }
  refuse_what_is_read(experiment, train);
  const Vocabulary& vocabulary = shape.learned.vocabularies.at(field_.vocabulary);
  entries_ = vocabulary.size();
  rules_.end = vocabulary.find(kEos);
  for (const std::string_view name : {kPad, kBos, kBlank})
    if (const int32_t symbol = vocabulary.find(name); symbol >= 0) rules_.never.push_back(symbol);
}

Generator::~Generator() = default;

/// Whatever runs along the sequence must be known while it is written.
void Generator::refuse_what_is_read(const Experiment& experiment, const ast::Train& train) {
  const std::vector<bool> live = live_nodes(cut_.step.graph);
  for (NodeId id = 0; id < cut_.step.graph.size(); ++id) {
    if (!live[id] || cut_.step.graph[id].op != Op::Input) continue;
    const std::string& name = cut_.step.graph.name(id);
    const auto input = std::ranges::find(lowered_.model.inputs, name, &ModelInput::name);
    if (input == lowered_.model.inputs.end() || name == answer_.field) continue;
    const Rows rows = input->shape.rows;
    if (rows.kind == Rows::Steps && rows.dim == lowered_.shows.at(0).sequence)
      throw UserError(
          at_place(experiment.source, train.model.place,
                   fmt::format("writing `{}` beside `{}`, which the model reads at every step too: "
                               "not built yet",
                               answer_.field, name)));
  }
}

void Generator::make_programs(const Dataset& dataset, int64_t rows) {
  std::vector<int32_t> steps = longest_rows(dataset);
  steps.at(static_cast<size_t>(lowered_.shows.at(0).sequence)) = 1;  // nothing runs along it any more
  if (!room_.grow(rows, steps, tree_sizes(dataset))) return;
  CompileOptions options = options_;
  options.kind = ProgramKind::Predict;
  options.batch_capacity = room_.rows;
  options.time_steps = room_.steps;
  options.trees = room_.trees;
  programs_.reset();
  auto made = std::make_unique<Programs>();
  const auto program = [&](const Model& model) {
    const Graph graph = dce(unroll(model, capacity_of(model.spaces, options)));
    return Session(compile(graph, options, model.spaces, jit_).plan.program, variables_);
  };
  if (!cut_.prefix.graph.roots.empty()) made->prefix.emplace(program(cut_.prefix));
  made->step.emplace(program(cut_.step));
  programs_ = std::move(made);
}

/// One batch while it is written: the values that go from step to step.
///
/// A model that reads the element itself (`next`) is fed symbol t to predict symbol t + 1. One that reads
/// only what came before gives the scores of symbol t without it; once it is chosen, the states take it in:
/// either it is itself a state, or the step is run again with it.
class Generator::Run {
 public:
  Run(Generator& of, const Dataset& dataset, const Batch& batch, std::span<const int32_t> start, Team& team)
      : of_(of),
        step_(*of.programs_->step),
        binder_(of.cut_.step),
        dataset_(dataset),
        batch_(batch),
        at_step_(one_step(batch, static_cast<size_t>(of.lowered_.shows.at(0).sequence))),
        start_(start.begin(), start.end()),
        held_(step_),
        team_(team) {
    if (of.programs_->prefix) {
      Session& prefix = *of.programs_->prefix;
      Binder binder(of.cut_.prefix);  // the program reads its rows
      binder.bind(prefix, dataset, batch, of.answer_.field);
      CarriedStates(prefix).set(prefix, batch);  // every text is the first piece of a pass
      prefix.run(team);
      for (const std::string& name : of.cut_.cuts) cuts_[name] = prefix.output(name);
      for (const StepState& state : of.cut_.states)
        if (!state.first.empty()) cuts_[state.first] = prefix.output(state.first);
    }
    for (const StepState& state : of.cut_.states) {
      if (state.first.empty())
        states_.emplace_back(static_cast<size_t>(batch.rows * state.cols), static_cast<float>(state.fill));
      else states_.push_back(cuts_.at(state.first));
    }
  }

  Stepper stepper() {
    return {batch_.rows, of_.entries_, [this] { return begin(); },
            [this](std::span<const int32_t> symbols) { return next(symbols); },
            [this](std::span<const int64_t> order) { reorder(order); }};
  }

 private:
  std::vector<float> begin() {
    const std::vector<int32_t> nothing(static_cast<size_t>(batch_.rows));
    std::vector<float> scores;
    if (!of_.answer_.next) scores = run(nothing);
    for (const int32_t symbol : start_)
      scores = next(std::vector<int32_t>(static_cast<size_t>(batch_.rows), symbol));
    return scores;
  }

  std::vector<float> next(std::span<const int32_t> symbols) {
    if (of_.answer_.next) {
      std::vector<float> scores = run(symbols);
      take_over(symbols);
      return scores;
    }
    if (of_.cut_.states_read_step) run(symbols);
    take_over(symbols);
    return run(std::vector<int32_t>(static_cast<size_t>(batch_.rows)));
  }

  /// The batch while it is written: one step of the sequence in all rows, in their order.
  static Batch one_step(Batch batch, size_t dimension) {
    if (dimension >= batch.dimensions.size()) return batch;
    BatchDimension& written = batch.dimensions[dimension];
    written.length.assign(static_cast<size_t>(batch.rows), 1);
    written.row_offset = {0, batch.rows};
    std::iota(written.order.begin(), written.order.end(), 0);
    return batch;
  }

  /// One step from the states as they are: gives the scores and keeps what the states become.
  std::vector<float> run(std::span<const int32_t> symbols) {
    binder_.bind(step_, dataset_, at_step_, of_.answer_.field);
    step_.set_input(of_.answer_.field, symbols);
    for (const std::string& name : of_.cut_.cuts) set(name, cut_type(name), cuts_.at(name));
    for (size_t k = 0; k < states_.size(); ++k)
      set(of_.cut_.states[k].input, of_.cut_.states[k].type, states_[k]);
    step_.run(team_);
    outputs_.clear();
    for (const StepState& state : of_.cut_.states)
      outputs_.push_back(state.output.empty() ? std::vector<float>() : step_.output(state.output));
    return step_.output(of_.lowered_.shows[0].root);
  }

  /// The states become what they are after the step that read these symbols.
  void take_over(std::span<const int32_t> symbols) {
    std::vector<std::vector<float>> after;
    for (size_t k = 0; k < states_.size(); ++k) {
      const StepState& state = of_.cut_.states[k];
      if (state.older >= 0) after.push_back(states_[static_cast<size_t>(state.older)]);
      else if (!state.field.empty()) after.emplace_back(symbols.begin(), symbols.end());
      else after.push_back(std::move(outputs_[k]));
    }
    states_ = std::move(after);
  }

  void reorder(std::span<const int64_t> order) {
    for (auto& values : states_) values = permuted(values, order);
    for (auto& values : outputs_) values = permuted(values, order);
  }

  void set(const std::string& name, Type type, const std::vector<float>& values) {
    if (type == Type::F32) {
      step_.set_input(name, std::span<const float>(values));
      return;
    }
    const std::vector<int32_t> ids(values.begin(), values.end());
    step_.set_input(name, std::span<const int32_t>(ids));
  }

  Type cut_type(const std::string& name) const {
    const auto& slabs = step_.program().slabs;
    const auto input = step_.program().inputs.find(name);
    const bool integer = input != step_.program().inputs.end() && slabs[size_t(input->second)].integer;
    return integer ? Type::I32 : Type::F32;
  }

  Generator& of_;
  Session& step_;
  Binder binder_;
  const Dataset& dataset_;
  const Batch& batch_;
  const Batch at_step_;
  const std::vector<int32_t> start_;
  const HeldVariables held_;
  Team& team_;
  std::map<std::string, std::vector<float>> cuts_;
  std::vector<std::vector<float>> states_, outputs_;
};

std::vector<Written> Generator::write_together(const Dataset& dataset, std::span<const int64_t> rows,
                                               std::span<const int32_t> start, const SearchSettings& settings,
                                               Team& team, const OnSymbol& on_symbol, int64_t first_number) {
  const int64_t beam = settings.kind == SearchSettings::Beam ? settings.beam : 1;
  std::vector<int64_t> repeated;  // hypotheses of one row side by side; sorting keeps them together
  for (const int64_t row : rows) repeated.insert(repeated.end(), static_cast<size_t>(beam), row);
  make_programs(dataset, static_cast<int64_t>(repeated.size()));
  Batch batch;
  fill_batch(dataset, repeated, std::max(batch_steps(room_.steps), longest_row(dataset)), batch);

  std::map<int64_t, int64_t> index_of;  // of each row of the dataset in `rows`
  for (size_t i = 0; i < rows.size(); ++i) index_of[rows[i]] = static_cast<int64_t>(i);
  std::vector<int64_t> places, numbers;  // of each sequence of the search
  for (size_t place = 0; place < batch.order.size(); place += static_cast<size_t>(beam)) {
    places.push_back(index_of.at(batch.order[place]));
    numbers.push_back(first_number + places.back());
  }
  Run run(*this, dataset, batch, start, team);
  OnSymbol told;
  if (on_symbol)
    told = [&](int64_t sequence, int32_t symbol) {
      on_symbol(places[static_cast<size_t>(sequence)], symbol);
    };
  std::vector<Written> found = search(run.stepper(), settings, rules_, told, numbers), result(found.size());
  for (size_t i = 0; i < found.size(); ++i) result[static_cast<size_t>(places[i])] = std::move(found[i]);
  return result;
}

std::vector<Written> Generator::write(const Dataset& dataset, std::span<const int64_t> rows,
                                      std::span<const int32_t> start, const SearchSettings& settings,
                                      Team& team, const OnSymbol& on_symbol, int64_t first_number) {
  if (needs_start() && start.empty()) throw std::invalid_argument("nothing to begin with");
  const int64_t beam = settings.kind == SearchSettings::Beam ? settings.beam : 1;
  const auto together = static_cast<size_t>(std::max<int64_t>(1, kRowsTogether / beam));
  std::vector<Written> all;
  for (size_t at = 0; at < rows.size(); at += together) {
    const auto some = rows.subspan(at, std::min(rows.size() - at, together));
    const auto first = static_cast<int64_t>(at);
    OnSymbol told;
    if (on_symbol) told = [&](int64_t row, int32_t symbol) { on_symbol(first + row, symbol); };
    for (Written& written : write_together(dataset, some, start, settings, team, told, first_number + first))
      all.push_back(std::move(written));
  }
  return all;
}

std::vector<int32_t> start_symbols(const Experiment& experiment, const ast::DataBlock& data,
                                   const Generator& generator, const Learned& learned,
                                   const std::string& start) {
  if (start.empty()) {
    if (!generator.needs_start()) return {};
    // In a stream the end of a line is what stands before the next one.
    const DataSpec spec = spec_of(experiment, data);
    const bool stream = spec.sources.at(0).format == DataFormat::Stream;
    if (stream && generator.field().value.end && generator.rules().end >= 0) return {generator.rules().end};
    throw UserError(
        in_file(experiment.source.name, 0, 0,
                fmt::format("`generate {}` needs a beginning: the model reads a symbol and predicts "
                            "the next one",
                            generator.model().name),
                {}, "`start \"...\"`, or a text as last argument"));
  }
  const std::vector<std::string> names = {generator.field().name};
  const std::vector<std::vector<std::string>> values = {{start}};
  const Dataset encoded =
      encode_values(for_start(spec_of(experiment, data)), learned, names, values, "start");
  const Ids& ids = encoded.data.at(0).ids;
  return ids.slice(0, ids.size());
}

}  // namespace rnnc
