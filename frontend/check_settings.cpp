// Settings of blocks and named options of everything that has some.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {

using ast::Arg;
using ast::Expr;

void Checker::options(const std::string& name, const std::vector<Arg>& args, Place place,
                      Code unknown) const {
  const std::span<const Option> known = options_of(name);
  std::vector<std::string> names;
  for (const Option& option : known) names.push_back(option.name);
  for (const Arg& arg : args) {
    if (arg.name.empty()) continue;
    const auto option =
        std::find_if(known.begin(), known.end(), [&](const Option& o) { return o.name == arg.name; });
    if (option == known.end()) {
      const std::string near = suggest(arg.name, names);
      fail(unknown, place, fmt::format("`{}` has no option `{}`", name, arg.name), {},
           near.empty() ? "there are: " + (names.empty() ? "none" : join(names)) : near);
    }
    const Expr& value = arg.value;
    const bool word = value.kind == Expr::Kind::Name;
    switch (option->kind) {
      case OptionKind::YesNo:
        if (!word || (value.text != "yes" && value.text != "no"))
          fail(value.place, fmt::format("`{}` of `{}` is `yes` or `no`", arg.name, name));
        break;
      case OptionKind::Number:
        if (!constant(value)) fail(value.place, fmt::format("`{}` of `{}` is a number", arg.name, name));
        break;
      case OptionKind::Text:
        if (value.kind != Expr::Kind::Text)
          fail(value.place, fmt::format("`{}` of `{}` is a text in quotes", arg.name, name));
        break;
      case OptionKind::Any: break;
    }
  }
}

double Checker::number_of(const Expr& e, const std::string& what, double least, bool whole) const {
  constexpr double kLargest = 9007199254740992;  // 2^53: beyond it doubles skip whole numbers
  const std::optional<double> value = constant(e);
  if (!value || *value < least || *value > kLargest || (whole && *value != std::floor(*value)))
    fail(e.place, fmt::format("{} is a {} of at least {}", what, whole ? "whole number" : "number", least));
  return *value;
}

bool Checker::settings(const std::string& block, const std::vector<ast::Setting>& settings,
                       std::set<std::string>& seen) {
  bool all_right = true;
  for (const ast::Setting& setting : settings) {
    const bool right = guarded(setting.place, [&] {
      const auto known = settings_of(block);
      if (!contains(known, setting.name)) {
        const std::string near = suggest(setting.name, known);
        fail(Code::UnknownSetting, setting.place,
             fmt::format("`{}` has no setting `{}`", block, setting.name), {},
             near.empty() ? "the settings are: " + join(known) : near);
      }
      if (!seen.insert(setting.name).second && !may_repeat(setting.name))
        fail(Code::SettingTwice, setting.place, fmt::format("`{}` is set twice", setting.name));
      setting_values(setting);
    });
    all_right = all_right && right;
  }
  return all_right;
}

void Checker::setting_values(const ast::Setting& setting) const {
  const std::string& name = setting.name;
  const auto one = [&]() -> const Expr& {
    if (setting.args.size() != 1)
      fail(setting.place, fmt::format("`{}` takes one value", name), {},
           name == "loss" ? "for several losses write their sum" : "");
    return setting.args[0].value;
  };
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
  };
  if (is({"limit", "pad", "chunk", "sample", "vocab"})) return;  // check_data.cpp
  if (!is({"metric", "given"}))
    options(name, setting.args, setting.place, name == "split" ? Code::SplitParts : Code::Option);

  if (!choices_of(name).empty()) {
    if (!is({"schedule", "clip"})) one();
    for (const Arg& arg : setting.args) choice(setting, arg.value);
  } else if (name == "split") {
    for (const Arg& arg : setting.args) {
      if (arg.name.empty()) fail(arg.value.place, "`split` needs the part: `split train = 0.8, test = 0.2`");
      const double share = number_of(arg.value, fmt::format("the share `{}`", arg.name), 0, false);
      if (share > 1) fail(arg.value.place, "a share is at most 1");
    }
  } else if (name == "batch") {
    const Expr& value = one();
    const bool all = value.kind == Expr::Kind::Name && value.text == "all";
    if (!all) number_of(value, "`batch`", 1, true);
  } else if (is({"epochs", "take", "length"})) {
    number_of(one(), fmt::format("`{}`", name), 1, true);
  } else if (name == "seed") {
    number_of(one(), "`seed`", 0, true);
  } else if (is({"save", "load", "start"})) {
    const Expr& value = one();
    if (value.kind != Expr::Kind::Text) fail(value.place, fmt::format("`{}` needs a text in quotes", name));
  } else if (name == "loss") {
    one();
  }
}

void Checker::choice(const ast::Setting& setting, const Expr& e) const {
  const bool call = e.kind == Expr::Kind::Call;
  const Expr& word = call ? e.operands[0] : e;
  if (call && word.kind == Expr::Kind::Name)
    options(word.text, e.args, e.place, setting.name == "optimizer" ? Code::Optimizer : Code::Option);
  const auto choices = choices_of(setting.name);
  if (word.kind != Expr::Kind::Name || !contains(choices, word.text)) {
    const bool named = word.kind == Expr::Kind::Name;
    const std::string near = named ? suggest(word.text, choices) : "";
    fail(word.place, fmt::format("`{}` does not know `{}`", setting.name, named ? word.text : "this"), {},
         near.empty() ? "there are: " + join(choices) : near);
  }
  const std::string& chosen = word.text;
  size_t unnamed = 0;
  if (call && e.has_states) fail(e.place, fmt::format("`{}` has no states", chosen));
  for (const Arg& arg : e.args) {
    if (!arg.name.empty()) continue;
    ++unnamed;
    if (!constant(arg.value)) fail(arg.value.place, fmt::format("`{}` needs a number here", chosen));
  }
  const bool one_number = setting.name == "clip" || setting.name == "stop" || chosen == "beam";
  if (one_number && unnamed != 1)
    fail(word.place, fmt::format("`{}` needs one number", chosen), {},
         fmt::format("`{} {}(5)`", setting.name, chosen));
  if (!one_number && unnamed > options_of(chosen).size())
    fail(word.place, fmt::format("`{}` takes {} values", chosen, options_of(chosen).size()));
}

}  // namespace rnnc::checking
