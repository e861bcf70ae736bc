// BLEU of a part: see bleu_figures.h.
#include "driver/bleu_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/answer.h"
#include "ir/diagnostic.h"
#include "runtime/bleu.h"

namespace rnnc {
namespace {

/// Calls `visit` for every `bleu(...)` of an expression.
template <typename Visit>
void each_bleu(const ast::Expr& e, const Visit& visit) {
  if (e.kind == ast::Expr::Kind::Call && e.operands[0].text == "bleu") visit(e);
  for (const ast::Expr& operand : e.operands) each_bleu(operand, visit);
  for (const ast::Arg& arg : e.args) each_bleu(arg.value, visit);
}

/// The generate block of the model, whose search is meant.
const ast::Use& block_of(const Experiment& experiment, const ast::Train& train) {
  const std::string& model = train.model.text;
  const ast::Use* block = find_generate(experiment, model);
  const auto refuse = [&](const ast::Expr& at, std::string message, std::string help) {
    throw UserError(at_place(experiment.source, at.place, std::move(message), {}, std::move(help)));
  };
  for (const ast::Setting& setting : train.settings) {
    for (const ast::Arg& arg : setting.args) {
      each_bleu(arg.value, [&](const ast::Expr& bleu) {
        if (block == nullptr)
          refuse(bleu, fmt::format("`bleu` needs a `generate {}`, which says how texts are searched", model),
                 fmt::format("`generate {} {{ search beam(4) }}`", model));
        const Answer answer = answer_to_write(experiment, train);
        if (!bleu.args.empty() && bleu.args[0].value.text != answer.field)
          refuse(bleu.args[0].value, fmt::format("`generate {}` writes `{}`", model, answer.field),
                 fmt::format("`bleu({})`", answer.field));
      });
    }
  }
  return *block;
}

Options without_seed(Options options) {
  options.seed.reset();
  return options;
}

}  // namespace

std::string bleu_key(const Measure& bleu) {
  return "bleu " + bleu.field;
}

bool asks_for_bleu(const Measure& measure) {
  return measure.kind == Measure::Bleu || std::ranges::any_of(measure.args, asks_for_bleu);
}

BleuFigures::BleuFigures(const Experiment& experiment, const ast::Train& train, const ast::DataBlock& data,
                         const Dataset& dataset, const Options& options, CompileOptions compiling, Jit& jit,
                         Variables& variables)
    : dataset_(dataset),
      settings_(generate_settings(experiment, block_of(experiment, train), without_seed(options))),
      generator_(experiment, train, data, dataset, std::move(compiling), jit, variables),
      start_(start_symbols(experiment, data, generator_, dataset.learned, settings_.start)) {
  if (dataset.pieces)
    throw UserError(at_place(experiment.source, data.place,
                             "`bleu` compares rows: of a sequence that is read in pieces there are none"));
}

/// What counts as text of a row.
std::vector<int32_t> BleuFigures::words(std::span<const int32_t> symbols) const {
  std::vector<int32_t> kept;
  for (const int32_t symbol : symbols)
    if (!generator_.rules().is_special(symbol)) kept.push_back(symbol);
  return kept;
}

std::map<std::string, double> BleuFigures::of(Part part, Team& team) {
  const std::vector<int64_t>& rows = dataset_.part(part);
  const std::vector<Written> written = generator_.write(dataset_, rows, start_, settings_.search, team);
  const FieldData& answers = dataset_.data.at(static_cast<size_t>(dataset_.find(generator_.field().name)));
  Bleu bleu;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<size_t>(rows[i]);
    const int64_t begin = answers.offsets.at(row), end = answers.offsets.at(row + 1);
    std::vector<int32_t> text = words(start_);
    text.insert(text.end(), written[i].symbols.begin(), written[i].symbols.end());
    bleu.add(text, words(answers.ids.slice(static_cast<size_t>(begin), static_cast<size_t>(end - begin))));
  }
  const double value = bleu.value();
  return {{"bleu ", value}, {"bleu " + generator_.field().name, value}};
}

}  // namespace rnnc
