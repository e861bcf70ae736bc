// From a file to a lowered model: see experiment.h.
#include "driver/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "driver/data_spec.h"
#include "driver/generate_settings.h"
#include "driver/given_file.h"
#include "driver/train_settings.h"
#include "frontend/language.h"
#include "frontend/parser.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

std::set<std::string> dim_names(const ast::File& file) {
  std::set<std::string> names;
  for (const ast::Item& item : file.items)
    if (const auto* dims = std::get_if<ast::Dims>(&item))
      for (const ast::Binding& binding : dims->bindings) names.insert(binding.name);
  return names;
}

/// Divides --set into values of `dim` and train settings.
void divide_set(const Options& options, const ast::File& file, Experiment& to) {
  const std::set<std::string> dims = dim_names(file);
  const std::vector<std::string> settings = settable_names(), generating = generate_names(file);
  for (const auto& [name, value] : options.set) {
    if (dims.contains(name)) {
      to.overrides[name] = set_count(name, value);
    } else if (contains(settings, name)) {
      to.settings.emplace_back(name, value);
    } else if (contains(generating, name)) {
      to.generate_settings.emplace_back(name, value);
    } else {
      std::vector<std::string> known(dims.begin(), dims.end());
      known.insert(known.end(), settings.begin(), settings.end());
      known.insert(known.end(), generating.begin(), generating.end());
      const std::string near = suggest(name, known);
      refuse_command(fmt::format("`--set {}={}`: {} has no `dim` or train setting `{}`", name, value,
                                 to.source.name, name),
                     near.empty() ? "there are: " + join(known) : near);
    }
  }
}

/// Calls `visit` for every expression of a definition that stands outermost.
template <typename Visit>
void expressions_of(const ast::Definition& definition, Visit visit) {
  for (const ast::Statement& statement : definition.body) {
    const auto* equation = std::get_if<ast::Equation>(&statement);
    if (equation == nullptr) continue;
    if (const auto* expr = std::get_if<ast::Expr>(&equation->value)) visit(*expr);
    if (const auto* scan = std::get_if<ast::Scan>(&equation->value)) {
      for (const ast::Expr& over : scan->over) visit(over);
      for (const ast::Binding& binding : scan->constants) visit(binding.value);
      for (const ast::Binding& binding : scan->first) visit(binding.value);
    }
  }
}

void find_delays(const ast::Expr& expr, const ast::Definition& model, std::set<std::string>& vocabularies) {
  const bool delay =
      expr.kind == ast::Expr::Kind::Call && expr.operands[0].text == "delay" && !expr.args.empty();
  if (delay && expr.args[0].value.kind == ast::Expr::Kind::Name)
    for (const ast::Port& port : model.inputs)
      if (port.name == expr.args[0].value.text && !port.type.vocabulary.empty())
        vocabularies.insert(port.type.vocabulary);
  for (const ast::Expr& operand : expr.operands) find_delays(operand, model, vocabularies);
  for (const ast::Arg& arg : expr.args) find_delays(arg.value, model, vocabularies);
}

/// Vocabularies that need <bos>: `delay` is used on an input that is a sequence of them.
std::set<std::string> delayed_vocabularies(const ast::File& file) {
  std::set<std::string> vocabularies;
  for (const ast::Item& item : file.items) {
    const auto* model = std::get_if<ast::Definition>(&item);
    if (model == nullptr || model->kind != ast::Definition::Kind::Model) continue;
    expressions_of(*model, [&](const ast::Expr& expr) { find_delays(expr, *model, vocabularies); });
  }
  return vocabularies;
}

const ast::Use* find_use(const Experiment& experiment, ast::Use::Kind kind, std::string_view model) {
  for (const ast::Item& item : experiment.checked.file.items) {
    const auto* use = std::get_if<ast::Use>(&item);
    if (use && use->kind == kind && use->model.text == model) return use;
  }
  return nullptr;
}

/// Calls `visit` for an expression and everything in it.
template <typename Visit>
void each_expression(const ast::Expr& expr, const Visit& visit) {
  visit(expr);
  for (const ast::Expr& operand : expr.operands) each_expression(operand, visit);
  for (const ast::Arg& arg : expr.args) each_expression(arg.value, visit);
}

/// Vocabularies that need <blank>: of the answers that `ctc` compares with.
std::set<std::string> blank_vocabularies(const ast::File& file) {
  std::set<std::string> answers, vocabularies;
  for (const ast::Item& item : file.items) {
    const auto* train = std::get_if<ast::Train>(&item);
    if (train == nullptr) continue;
    for (const ast::Setting& setting : train->settings)
      for (const ast::Arg& arg : setting.args)
        each_expression(arg.value, [&](const ast::Expr& e) {
          if (e.kind == ast::Expr::Kind::Call && e.operands[0].text == "ctc" && e.args.size() > 1)
            answers.insert(e.args[1].value.text);
        });
  }
  for (const ast::Item& item : file.items)
    if (const auto* data = std::get_if<ast::DataBlock>(&item))
      for (const ast::Field& field : data->fields)
        if (answers.contains(field.name) && !field.type.vocabulary.empty())
          vocabularies.insert(field.type.vocabulary);
  return vocabularies;
}

/// The vocabularies of other blocks that a block uses. Definitions come before their uses, so this ends.
Learned shared_vocabularies(const Experiment& experiment, const DataSpec& spec) {
  Learned others;
  for (const VocabularySpec& setting : spec.vocabularies) {
    if (setting.same.empty()) continue;
    const ast::DataBlock* other = find_data(experiment, setting.same);
    if (other == nullptr) throw std::logic_error("no data block " + setting.same);
    const DataSpec of_other = spec_of(experiment, *other);
    Dataset dataset = load_dataset(of_other, experiment.folder, shared_vocabularies(experiment, of_other));
    others.vocabularies[setting.name] = std::move(dataset.learned.vocabularies.at(setting.name));
  }
  return others;
}

void warn(const Diagnostic& warning) {
  fmt::print(stderr, "{}", render(warning));
}

}  // namespace

Experiment make_experiment(Source source, const Options& options, DimValues overrides) {
  Experiment experiment;
  experiment.source = std::move(source);
  experiment.overrides = std::move(overrides);
  if (!options.set.empty()) divide_set(options, parse(experiment.source), experiment);
  experiment.checked = check(experiment.source, experiment.overrides);
  experiment.folder = {options.data_folder, false};
  if (options.data_folder.empty())
    experiment.folder = {std::filesystem::path(experiment.source.name).parent_path().string(), true};
  return experiment;
}

Experiment open_experiment(const Options& options) {
  Experiment experiment = make_experiment({options.file, read_experiment(options.file)}, options);
  for (const Diagnostic& warning : experiment.checked.warnings) warn(warning);
  return experiment;
}

const ast::DataBlock* find_data(const Experiment& experiment, std::string_view name) {
  for (const ast::Item& item : experiment.checked.file.items)
    if (const auto* data = std::get_if<ast::DataBlock>(&item); data && data->name == name) return data;
  return nullptr;
}

const ast::Use* find_predict(const Experiment& experiment, std::string_view model) {
  return find_use(experiment, ast::Use::Kind::Predict, model);
}

const ast::Use* find_generate(const Experiment& experiment, std::string_view model) {
  return find_use(experiment, ast::Use::Kind::Generate, model);
}

const ast::Definition* find_model(const Experiment& experiment, std::string_view model) {
  for (const ast::Item& item : experiment.checked.file.items) {
    const auto* definition = std::get_if<ast::Definition>(&item);
    if (definition && definition->kind == ast::Definition::Kind::Model && definition->name == model)
      return definition;
  }
  return nullptr;
}

std::vector<Task> tasks(const Experiment& experiment, const std::string& name) {
  std::vector<Task> found;
  std::vector<std::string> names;
  size_t number = 0;
  for (const ast::Item& item : experiment.checked.file.items) {
    const auto* train = std::get_if<ast::Train>(&item);
    if (train == nullptr) continue;
    if (!contains(names, train->model.text)) names.push_back(train->model.text);
    if (name.empty() || train->model.text == name)
      found.push_back({train, find_data(experiment, train->data.text), number});
    ++number;
  }
  const std::string& file = experiment.source.name;
  if (names.empty())
    throw UserError(
        in_file(file, 0, 0, "this file has no `train` block", {}, "`train MODEL on DATA { ... }`"));
  if (found.empty()) {
    const std::string near = suggest(name, names);
    throw UserError(in_file(file, 0, 0, fmt::format("there is no `train {}`", name), {},
                            near.empty() ? "there are: " + join(names) : near));
  }
  return found;
}

Task only_task(const Experiment& experiment, const std::string& name) {
  const std::vector<Task> found = tasks(experiment, name);
  std::set<std::string> names;
  for (const Task& task : found) names.insert(task.train->model.text);
  if (names.size() > 1) {
    const std::vector<std::string> list(names.begin(), names.end());
    throw UserError(in_file(experiment.source.name, 0, 0, "which model?", {}, "name one of: " + join(list)));
  }
  return found.back();  // of several for one model the last says what it became
}

DataSpec spec_of(const Experiment& experiment, const ast::DataBlock& data) {
  return data_spec(data, experiment.source, experiment.checked.dims,
                   delayed_vocabularies(experiment.checked.file),
                   blank_vocabularies(experiment.checked.file));
}

Dataset load_data(const Experiment& experiment, const ast::DataBlock& data) {
  const DataSpec spec = spec_of(experiment, data);
  Dataset dataset = load_dataset(spec, experiment.folder, shared_vocabularies(experiment, spec));
  for (const DataMessage& warning : dataset.warnings) warn(to_diagnostic(warning));
  return dataset;
}

std::map<std::string, int64_t> sizes_of(const Experiment& experiment, const DataSpec& spec,
                                        const ast::DataBlock& data, const Learned& learned) {
  std::map<std::string, int64_t> sizes;
  for (const auto& [name, value] : experiment.checked.dims) sizes[name] = value;
  for (const auto& [name, vocabulary] : learned.vocabularies) sizes[name] = vocabulary.size();
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const DataField& field = spec.fields[i];
    if (field.kind != FieldKind::Numbers) continue;
    std::vector<int64_t> shape = {field.width};
    if (const auto known = learned.shapes.find(field.name); known != learned.shapes.end())
      shape = known->second;
    const auto& written = data.fields[i].type.sizes;
    const size_t along = field.dimension.empty() ? 0 : 1;  // a sequence dimension comes first
    for (size_t d = along; d < written.size(); ++d) {
      const ast::Expr& size = written[d].value;
      if (size.kind != ast::Expr::Kind::Name || d - along >= shape.size()) continue;
      const int64_t n = shape[d - along];
      const auto [known, is_new] = sizes.emplace(size.text, n);
      if (!is_new && known->second != n)
        throw UserError(at_place(experiment.source, data.fields[i].place,
                                 fmt::format("`{}` is {} elsewhere, here {}", known->first, known->second,
                                             written.size() == along + 1 ? fmt::format("are {} numbers", n)
                                                                         : fmt::format("it is {}", n))));
    }
  }
  return sizes;
}

Lowered lower_model(const Experiment& experiment, std::string_view model, const ast::Train* train,
                    const ast::DataBlock& data, const ast::Use* predict, const Dataset& dataset) {
  const Checked& checked = experiment.checked;
  const LowerInput input{checked.file,
                         checked.library,
                         experiment.source,
                         checked.library_source,
                         sizes_of(experiment, spec_of(experiment, data), data, dataset.learned),
                         dataset.dimensions,
                         [&dataset](const std::string& vocabulary, const std::string& entry) -> int64_t {
                           return dataset.learned.vocabularies.at(vocabulary).find(entry);
                         }};
  return lower(input, model, train, &data, predict);
}

std::vector<int32_t> longest_rows(const Dataset& dataset) {
  std::vector<int32_t> longest;
  for (const std::string& dimension : dataset.dimensions) {
    int64_t most = dataset.pieces ? dataset.pieces.length : 1;
    for (size_t i = 0; i < dataset.fields.size() && !dataset.pieces; ++i) {
      if (dataset.fields[i].dimension != dimension) continue;
      for (int64_t row = 0; row < dataset.rows; ++row) most = std::max(most, dataset.length(i, row));
    }
    longest.push_back(static_cast<int32_t>(most));
  }
  return longest;
}

int64_t batch_steps(const std::vector<int32_t>& time_steps) {
  return time_steps.empty() ? 1 : *std::ranges::max_element(time_steps);
}

std::vector<TreeSize> tree_sizes(const Dataset& dataset) {
  std::vector<TreeSize> sizes;
  for (const std::string& dimension : dataset.dimensions) {
    const FieldData* tree = dataset.tree(dimension);
    sizes.push_back(tree == nullptr ? TreeSize() : tree_size({tree->offsets, tree->left, tree->right}));
  }
  return sizes;
}

}  // namespace rnnc
