// What a file does with its models: `train`, `generate`, `predict`.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/answer.h"
#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {

using ast::Arg;
using ast::Expr;

namespace {

template <typename Table>
std::vector<std::string> keys(const Table& table) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) names.push_back(name);
  return names;
}

}  // namespace

void Checker::train(const ast::Train& train) {
  const std::string &model_name = train.model.text, &data_name = train.data.text;
  Trained& trained = trained_[model_name];
  trained = {&train, true};
  const auto model = models_.find(model_name);
  if (model == models_.end())
    fail(Code::UnknownModel, train.model.place, fmt::format("there is no model `{}`", model_name), {},
         suggest(model_name, keys(models_)));
  const auto data = datas_.find(data_name);
  if (data == datas_.end())
    fail(train.data.place, fmt::format("there is no data `{}`", data_name), {},
         suggest(data_name, keys(datas_)));
  if (model->second.wrong || data->second.wrong) throw AlreadyWrong();
  inputs_in_data(train, model->second, data->second);

  std::set<std::string> seen;
  bool right = settings("train", train.settings, seen);
  for (const ast::Setting& setting : train.settings)
    if (!data->second.has_valid_part)
      right = guarded(setting.place, [&] { needs_valid_part(setting, data_name); }) && right;
  if (right) {
    for (const char* needed : {"loss", "optimizer", "epochs"})
      if (!seen.contains(needed))
        right = guarded(train.model.place, [&] {
          fail(Code::NoSetting, train.model.place, fmt::format("`train {}` has no `{}`", model_name, needed));
        });
  }
  Scope scope = model->second.scope;
  scope.kind = Scope::Kind::Train;
  scope.order = data->second.order;
  for (const auto& [name, field] : data->second.fields) scope.values.try_emplace(name, field);
  for (const std::string& name : model->second.scope.order)
    if (!contains(scope.order, name)) scope.order.push_back(name);
  for (const ast::Setting& setting : train.settings) {
    if (setting.name != "loss" && setting.name != "metric" && setting.name != "watch") continue;
    for (const Arg& arg : setting.args)
      right = guarded(setting.place, [&] { figure(setting, arg, scope); }) && right;
  }
  trained.wrong = !right;
}

void Checker::inputs_in_data(const ast::Train& train, const Defined& model, const CheckedData& data) const {
  const std::string &model_name = train.model.text, &data_name = train.data.text;
  for (const Declared& input : model.inputs) {
    const auto field = data.fields.find(input.name);
    if (field == data.fields.end())
      fail(Code::NoField, train.data.place,
           fmt::format("data `{}` has no field `{}`, which model `{}` takes", data_name, input.name,
                       model_name),
           {}, suggest(input.name, data.order));
    if (!(field->second.type == input.type))
      fail(train.data.place, fmt::format("`{}` is {} in data `{}` but {} in model `{}`", input.name,
                                         field->second.type.str(), data_name, input.type.str(), model_name));
  }
  for (const std::string& name : model.scope.order)
    if (data.fields.contains(name) && model.scope.values.at(name).role != Role::Input)
      fail(Code::SameName, train.data.place,
           fmt::format("`{}` is a field of data `{}` and another value of model `{}`", name, data_name,
                       model_name),
           {}, "rename one of the two");
  if (model.carries && !data.settings.contains("chunk"))
    fail(Code::Carry, train.data.place,
         fmt::format("`carry` in model `{}` needs data cut by `chunk`", model_name), {},
         "`sample` and separate rows begin anew each time");
}

void Checker::needs_valid_part(const ast::Setting& setting, const std::string& data) const {
  for (const Arg& arg : setting.args) {
    const Expr& e = arg.value;
    const std::string& word = e.kind == Expr::Kind::Call ? e.operands[0].text : e.text;
    const bool needs =
        (setting.name == "stop" && word == "patience") || (setting.name == "schedule" && word == "halve");
    if (needs)
      fail(Code::NoValid, setting.place,
           fmt::format("`{} {}` needs a valid part, data `{}` has none", setting.name, word, data), {},
           "`split train = 0.9, valid = 0.1`");
  }
}

/// loss, metric, watch
void Checker::figure(const ast::Setting& setting, const Arg& arg, Scope& scope) {
  const Value value = expression(arg.value, scope);
  if (setting.name == "watch") {
    if (value.type.is_category())
      fail(arg.value.place, fmt::format("`watch` averages numbers, this is {}", value.type.str()));
    return;
  }
  if (value.type.is_number() && !value.per_row) return;
  const bool shaped = !value.type.sizes.empty();
  fail(Code::LossNumber, arg.value.place,
       fmt::format("the {} must be one number, this is {}{}", setting.name, shaped ? value.type.str() : "one",
                   value.per_row ? " for each row" : ""),
       {}, "`mean(...)` is the average over everything");
}

void Checker::use(const ast::Use& use) {
  const std::string& name = use.model.text;
  const auto found = models_.find(name);
  if (found == models_.end())
    fail(Code::UnknownModel, use.model.place, fmt::format("there is no model `{}`", name), {},
         suggest(name, keys(models_)));
  const Defined& model = found->second;
  if (model.wrong) throw AlreadyWrong();
  const bool generate = use.kind == ast::Use::Kind::Generate;
  std::set<std::string> seen;
  settings(generate ? "generate" : "predict", use.settings, seen);
  if (generate) guarded(use.model.place, [&] { can_generate(use, model); });
  std::vector<std::string> inputs;
  for (const Declared& input : model.inputs) inputs.push_back(input.name);
  Scope scope = model.scope;
  scope.kind = Scope::Kind::Predict;
  for (const ast::Setting& setting : use.settings) {
    for (const Arg& arg : setting.args) {
      guarded(setting.place, [&] {
        if (setting.name == "given" && !contains(inputs, arg.name))
          fail(setting.place, fmt::format("model `{}` has no input `{}`", name, arg.name), {},
               "its inputs are: " + join(inputs));
        if (setting.name == "given" && arg.value.kind != Expr::Kind::Text && !constant(arg.value))
          fail(arg.value.place, fmt::format("`{}` is given as a text in quotes or a number", arg.name));
        if (setting.name == "show") expression(arg.value, scope);
      });
    }
  }
}

/// A step of what is generated may depend only on what was generated before it.
void Checker::can_generate(const ast::Use& use, const Defined& model) {
  const std::string& name = use.model.text;
  const auto trained = trained_.find(name);
  std::optional<Answer> answer;
  if (trained != trained_.end()) {
    if (trained->second.wrong) throw AlreadyWrong();
    answer = answer_of(*trained->second.block);
  }
  if (!answer)
    fail(use.model.place,
         fmt::format("`generate {}` needs a model trained to predict a category at each step", name));

  const std::string& written = answer->field;
  size_t input = 0;
  while (input < model.inputs.size() && model.inputs[input].name != written) ++input;
  if (input == model.inputs.size() || model.inputs[input].type.sizes.empty())
    fail(use.model.place,
         fmt::format("`generate {}` cannot work: `{}` is no sequence that the model reads", name, written),
         {}, "what is generated is the answer of the loss, and the model reads what came before of it");
  Scope scope = model.scope;
  scope.kind = Scope::Kind::Train;
  const Expr& scores = *answer->scores;
  const Reach reach = expression(scores, scope).reaches[input];
  if (reach <= (answer->next ? Reach::SameStep : Reach::Before)) return;
  const bool later = reach == Reach::Later;
  const std::string what = scores.kind == Expr::Kind::Name ? fmt::format("`{}`", scores.text) : "the scores";
  fail(later ? Code::GenerateFuture : Code::GenerateSame, use.model.place,
       fmt::format("`generate {}` cannot work: a step of {} depends on `{}` at {}", name, what, written,
                   later ? "later steps" : "the same step"),
       {},
       later
           ? "`both`, `reverse`, `last`, reductions over time and centred windows see what is not yet written"
           : fmt::format("`delay({})` gives the model only what came before", written));
}

}  // namespace rnnc::checking
