// Train settings: see train_settings.h.
#include "driver/train_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "driver/constant.h"
#include "frontend/language.h"
#include "frontend/parser.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

using ast::Expr;

constexpr std::array kSettings = {"optimizer", "schedule", "clip", "batch", "epochs",
                                  "stop",      "seed",     "save", "load"};
constexpr std::array kOptimizerOptions = {"rate",  "momentum", "nesterov", "rho",
                                          "beta1", "beta2",    "eps",      "decay"};

/// `adam(rate = 2e-3, 0.9)`: its word and its options by name.
struct Choice {
  std::string word;
  Place place;
  std::vector<std::pair<std::string, const Expr*>> options;

  const Expr* find(std::string_view name) const {
    for (const auto& [option, value] : options)
      if (option == name) return value;
    return nullptr;
  }
};

/// Reads settings written in one source: the file, or the text of a --set.
class Reader {
 public:
  Reader(const Source& source, const DimValues& dims) : source_(source), dims_(dims) {}

  [[noreturn]] void refuse(Place where, std::string message, std::string help = {}) const {
    throw UserError(at_place(source_, where, std::move(message), {}, std::move(help)));
  }

  double number(const Expr& e) const {
    if (const auto value = constant_value(e, dims_)) return *value;
    refuse(e.place, "a number is needed here");
  }

  int64_t count(const Expr& e, int64_t least) const {
    constexpr double kMost = 1e15;
    const double value = number(e);
    if (!(value >= static_cast<double>(least) && value <= kMost) || value != std::floor(value))
      refuse(e.place, fmt::format("a whole number of at least {} is needed here", least));
    return static_cast<int64_t>(value);
  }

  bool yes(const Expr& e) const {
    if (e.kind == Expr::Kind::Name && (e.text == "yes" || e.text == "no")) return e.text == "yes";
    refuse(e.place, "`yes` or `no` is needed here");
  }

  /// The value of a setting that has one.
  const Expr& only(const ast::Setting& setting) const {
    if (setting.args.size() != 1) refuse(setting.place, fmt::format("`{}` takes one value", setting.name));
    return setting.args[0].value;
  }

  std::string text(const Expr& e) const {
    if (e.kind != Expr::Kind::Text || e.text.empty()) refuse(e.place, "a file name in quotes is needed here");
    return e.text;
  }

  Choice choice(const ast::Setting& setting, const Expr& e) const {
    const Expr& word = e.kind == Expr::Kind::Call ? e.operands[0] : e;
    const auto known = choices_of(setting.name);
    if (word.kind != Expr::Kind::Name || !contains(known, word.text)) {
      const std::string near = word.kind == Expr::Kind::Name ? suggest(word.text, known) : "";
      refuse(word.place, fmt::format("`{}` does not know this", setting.name),
             near.empty() ? "there are: " + join(known) : near);
    }
    Choice result{word.text, word.place, {}};
    const std::span<const Option> options = options_of(result.word);
    size_t position = 0;
    for (const ast::Arg& arg : e.args) {
      const bool known_name = arg.name.empty() || std::ranges::any_of(options, [&](const Option& o) {
                                return o.name == arg.name;
                              });
      if (!known_name) refuse(arg.place, fmt::format("`{}` has no option `{}`", result.word, arg.name));
      std::string name = arg.name;
      if (name.empty())
        name = position < options.size() ? options[position].name : fmt::format("{}", position);
      if (arg.name.empty()) ++position;
      if (result.find(name) != nullptr) refuse(arg.value.place, fmt::format("`{}` is set twice", name));
      result.options.emplace_back(name, &arg.value);
    }
    return result;
  }

  void optimizer_option(const std::string& name, const Expr& e, TrainSettings& to) const {
    Optimizer& o = to.optimizer;
    const auto at_least_0 = [&](double below = INFINITY) {
      const double value = number(e);
      if (!(value >= 0) || !(value < below))
        refuse(e.place, std::isinf(below) ? fmt::format("`{}` is a number of at least 0", name)
                                          : fmt::format("`{}` is a number from 0 to below {}", name, below));
      return value;
    };
    if (name == "rate") to.rate = at_least_0();
    else if (name == "momentum") o.momentum = at_least_0(1);
    else if (name == "nesterov") o.nesterov = yes(e);
    else if (name == "rho") o.rho = at_least_0(1);
    else if (name == "beta1") o.beta1 = at_least_0(1);
    else if (name == "beta2") o.beta2 = at_least_0(1);
    else if (name == "eps") o.eps = at_least_0();
    else if (name == "decay") o.decay = at_least_0();
  }

  void optimizer(const ast::Setting& setting, TrainSettings& to) const {
    const Choice c = choice(setting, only(setting));
    const Optimizer before = to.optimizer;
    to.optimizer = {};
    to.optimizer.clip_norm = before.clip_norm;
    to.optimizer.clip_value = before.clip_value;
    to.optimizer.clip_step = before.clip_step;
    if (c.word == "sgd") to.optimizer.kind = Optimizer::Sgd;
    if (c.word == "adagrad") to.optimizer.kind = Optimizer::AdaGrad;
    if (c.word == "rmsprop") to.optimizer.kind = Optimizer::RmsProp;
    if (c.word == "adam") to.optimizer.kind = Optimizer::Adam;
    to.rate = c.word == "adam" ? 1e-3 : 1e-2;
    for (const auto& [name, value] : c.options) optimizer_option(name, *value, to);
    if (to.optimizer.nesterov && to.optimizer.momentum == 0)
      refuse(c.place, "`nesterov` without momentum", "`sgd(rate = 0.1, momentum = 0.9, nesterov = yes)`");
  }

  void schedule(const ast::Setting& setting, TrainSettings& to) const {
    to.schedules.clear();
    for (const ast::Arg& arg : setting.args) {
      const Choice c = choice(setting, arg.value);
      Schedule s;
      if (c.word == "decay") {
        s.kind = Schedule::Decay;
        const Expr *after = c.find("after"), *factor = c.find("factor");
        if (factor == nullptr)
          refuse(c.place, "`decay` by which factor?", "`decay(after = 4, factor = 0.5)`");
        s.after = after != nullptr ? count(*after, 0) : 0;
        s.factor = number(*factor);
        if (!(s.factor > 0)) refuse(factor->place, "`factor` is a number above 0");
      } else if (c.word == "halve") {
        s.kind = Schedule::Halve;
        if (const Expr* patience = c.find("patience")) s.after = count(*patience, 1);
      } else if (c.word == "cosine") {
        s.kind = Schedule::Cosine;
      } else {
        s.kind = Schedule::Warmup;
        const Expr* steps = c.find("steps");
        if (steps == nullptr) refuse(c.place, "`warmup` over how many steps?", "`warmup(1000)`");
        s.after = count(*steps, 1);
      }
      if (to.find(s.kind) != nullptr) refuse(c.place, fmt::format("`{}` is set twice", c.word));
      to.schedules.push_back(s);
    }
  }

  void clip(const ast::Setting& setting, TrainSettings& to) const {
    Optimizer& o = to.optimizer;
    o.clip_norm = o.clip_value = o.clip_step = 0;
    for (const ast::Arg& arg : setting.args) {
      const Choice c = choice(setting, arg.value);
      double& bound = c.word == "norm" ? o.clip_norm : c.word == "value" ? o.clip_value : o.clip_step;
      if (bound > 0) refuse(c.place, fmt::format("`{}` is set twice", c.word));
      if (c.options.size() != 1) refuse(c.place, fmt::format("`{}` needs one number", c.word));
      bound = number(*c.options[0].second);
      if (!(bound > 0)) refuse(c.options[0].second->place, "a number above 0 is needed here");
    }
  }

  void read(const ast::Setting& setting, TrainSettings& to) const {
    const std::string& name = setting.name;
    if (name == "optimizer") {
      optimizer(setting, to);
    } else if (name == "schedule") {
      schedule(setting, to);
    } else if (name == "clip") {
      clip(setting, to);
    } else if (name == "batch") {
      const Expr& value = only(setting);
      const bool all = value.kind == Expr::Kind::Name && value.text == "all";
      to.batch = all ? 0 : count(value, 1);
      to.batch_given = true;
    } else if (name == "epochs") {
      to.epochs = count(only(setting), 1);
    } else if (name == "seed") {
      to.seed = static_cast<uint64_t>(count(only(setting), 0));
    } else if (name == "save") {
      to.save = text(only(setting));
    } else if (name == "load") {
      to.load = text(only(setting));
    } else if (name == "stop") {
      const Choice c = choice(setting, only(setting));
      if (c.options.size() != 1) refuse(c.place, "`patience` needs one number", "`stop patience(3)`");
      to.patience = count(*c.options[0].second, 1);
    }
  }

 private:
  const Source& source_;
  const DimValues& dims_;
};

/// The setting of `--set NAME=VALUE`, read as a line of a train block.
void read_set(const std::string& name, const std::string& value, const DimValues& dims, TrainSettings& to) {
  const bool option =
      contains(std::vector<std::string>(kOptimizerOptions.begin(), kOptimizerOptions.end()), name);
  const bool file = name == "save" || name == "load";
  const std::string quoted = file && !value.starts_with('"') ? fmt::format("\"{}\"", value) : value;
  // For an option the line is only a way to have its value parsed.
  const Source source{fmt::format("--set {}={}", name, value),
                      fmt::format("train m on d {{ {} {} }}\n", option ? "batch" : name, quoted)};
  try {
    const ast::File line = parse(source);
    const auto* train = line.items.size() == 1 ? std::get_if<ast::Train>(&line.items[0]) : nullptr;
    if (train == nullptr || train->settings.size() != 1) refuse_command("this is not one setting");
    const Reader reader(source, dims);
    if (option) reader.optimizer_option(name, reader.only(train->settings[0]), to);
    else reader.read(train->settings[0], to);
  } catch (const UserError& problem) {  // its place is in a line that the user never wrote
    const Diagnostic& first = problem.diagnostics().front();
    refuse_command(fmt::format("`--set {}={}`: {}", name, value, first.message), first.help);
  }
}

/// What needs a valid part was checked for what the file says; here for what the command line says.
void check_option_fits(const std::string& name, const TrainSettings& settings) {
  const auto kind = settings.optimizer.kind;
  const bool fits =
      (name != "momentum" && name != "nesterov" && name != "rho" && name != "beta1" && name != "beta2") ||
      ((name == "momentum" || name == "nesterov") && kind == Optimizer::Sgd) ||
      (name == "rho" && kind == Optimizer::RmsProp) ||
      ((name == "beta1" || name == "beta2") && kind == Optimizer::Adam);
  if (!fits) refuse_command(fmt::format("the optimizer of this file has no `{}`", name));
}

}  // namespace

const Schedule* TrainSettings::find(Schedule::Kind kind) const {
  const auto found = std::ranges::find(schedules, kind, &Schedule::kind);
  return found == schedules.end() ? nullptr : &*found;
}

std::vector<std::string> settable_names() {
  std::vector<std::string> names(kSettings.begin(), kSettings.end());
  names.insert(names.end(), kOptimizerOptions.begin(), kOptimizerOptions.end());
  return names;
}

TrainSettings train_settings(const Experiment& experiment, const ast::Train& train, const Options& options) {
  TrainSettings settings;
  const DimValues& dims = experiment.checked.dims;
  const Reader reader(experiment.source, dims);
  for (const ast::Setting& setting : train.settings) reader.read(setting, settings);
  for (const auto& [name, value] : experiment.settings) {
    check_option_fits(name, settings);
    read_set(name, value, dims, settings);
  }
  if (options.epochs) settings.epochs = *options.epochs;
  if (options.seed) settings.seed = *options.seed;
  if (!options.model_file.empty()) settings.save = options.model_file;
  if (settings.save.empty()) settings.save = train.model.text + ".model";
  return settings;
}

double rate_at(const TrainSettings& settings, int64_t epoch, int64_t step, int64_t steps, int64_t halvings) {
  double rate = settings.rate;
  for (const Schedule& s : settings.schedules) {
    const auto after = static_cast<double>(s.after), at = static_cast<double>(step);
    switch (s.kind) {
      case Schedule::Decay:
        rate *= std::pow(s.factor, static_cast<double>(std::max<int64_t>(epoch - s.after, 0)));
        break;
      case Schedule::Halve: rate *= std::pow(0.5, static_cast<double>(halvings)); break;
      case Schedule::Cosine:
        rate *=
            (1 + std::cos(std::numbers::pi * (at - 1) / static_cast<double>(std::max<int64_t>(steps, 1)))) /
            2;
        break;
      case Schedule::Warmup: rate *= std::min(1.0, at / after); break;
    }
  }
  return rate;
}

}  // namespace rnnc
