// Settings of generate blocks: see generate_settings.h.
#include "driver/generate_settings.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "driver/constant.h"
#include "frontend/language.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

using ast::Expr;

constexpr std::array kNames = {"search", "length", "start", "temperature", "top", "beam"};

/// Reads settings that were checked already, as far as that needs no sizes.
class Reader {
 public:
  explicit Reader(const Experiment& experiment) : experiment_(experiment) {}

  void read(const ast::Setting& setting, GenerateSettings& to) const {
    if (setting.name == "start") {
      to.start = setting.args.at(0).value.text;
    } else if (setting.name == "length") {
      to.search.length = count(setting.args.at(0).value, "length");
    } else if (setting.name == "search") {
      search(setting.args.at(0).value, to.search);
    } else if (setting.name == "given") {
      for (const ast::Arg& arg : setting.args) {
        const bool text = arg.value.kind == Expr::Kind::Text;
        to.given.emplace_back(arg.name, text ? arg.value.text : fmt::format("{}", number(arg.value)));
      }
    }
  }

 private:
  [[noreturn]] void refuse(Place place, std::string message) const {
    throw UserError(at_place(experiment_.source, place, std::move(message)));
  }

  double number(const Expr& e) const {
    if (const auto value = constant_value(e, experiment_.checked.dims)) return *value;
    refuse(e.place, "a number is needed here");
  }

  int64_t count(const Expr& e, const char* what) const {
    constexpr double kMost = 1e9;
    const double value = number(e);
    if (!(value >= 1 && value <= kMost) || value != std::floor(value))
      refuse(e.place, fmt::format("`{}` is a whole number of at least 1", what));
    return static_cast<int64_t>(value);
  }

  void search(const Expr& e, SearchSettings& to) const {
    const std::string& word = e.kind == Expr::Kind::Call ? e.operands[0].text : e.text;
    to.kind = word == "beam"     ? SearchSettings::Beam
              : word == "sample" ? SearchSettings::Sample
                                 : SearchSettings::Greedy;
    size_t position = 0;
    for (const ast::Arg& arg : e.args) {
      if (word == "beam") {
        to.beam = count(arg.value, "beam");
        continue;
      }
      if (word != "sample") refuse(e.place, fmt::format("`{}` takes no values", word));
      const std::string name = arg.name.empty() ? options_of("sample")[position++].name : arg.name;
      if (name == "top") {
        to.top = count(arg.value, "top");
      } else {
        to.temperature = number(arg.value);
        if (!(to.temperature > 0)) refuse(arg.value.place, "`temperature` is a number above 0");
      }
    }
  }

  const Experiment& experiment_;
};

void apply_set(const std::string& name, const std::string& value, GenerateSettings& to) {
  SearchSettings& search = to.search;
  if (name == "start") {
    to.start = value;
  } else if (name == "length") {
    search.length = set_count(name, value);
  } else if (name == "beam") {
    search.kind = SearchSettings::Beam;
    search.beam = set_count(name, value);
  } else if (name == "temperature") {
    search.kind = SearchSettings::Sample;
    search.temperature = set_number(name, value);
  } else if (name == "top") {
    search.kind = SearchSettings::Sample;
    search.top = set_count(name, value);
  } else if (name == "search") {
    if (value != "greedy" && value != "sample")
      refuse_command(fmt::format("`--set search={}` is no search", value),
                     "`search=greedy`, `search=sample`, `beam=4`");
    search.kind = value == "greedy" ? SearchSettings::Greedy : SearchSettings::Sample;
  } else {
    std::erase_if(to.given, [&](const auto& given) { return given.first == name; });
    to.given.emplace_back(name, value);
  }
}

}  // namespace

std::vector<std::string> generate_names(const ast::File& file) {
  std::vector<std::string> names;
  for (const ast::Item& item : file.items) {
    const auto* use = std::get_if<ast::Use>(&item);
    if (use == nullptr || use->kind != ast::Use::Kind::Generate) continue;
    if (names.empty()) names.assign(kNames.begin(), kNames.end());
    for (const ast::Item& other : file.items) {
      const auto* model = std::get_if<ast::Definition>(&other);
      if (model == nullptr || model->kind != ast::Definition::Kind::Model || model->name != use->model.text)
        continue;
      for (const ast::Port& input : model->inputs)
        if (!contains(names, input.name)) names.push_back(input.name);
    }
  }
  return names;
}

GenerateSettings generate_settings(const Experiment& experiment, const ast::Use& block,
                                   const Options& options) {
  GenerateSettings settings;
  settings.search.length = kUsualLength;
  const Reader reader(experiment);
  for (const ast::Setting& setting : block.settings) reader.read(setting, settings);
  for (const auto& [name, value] : experiment.generate_settings) apply_set(name, value, settings);
  if (options.seed) settings.search.seed = *options.seed;
  return settings;
}

}  // namespace rnnc
