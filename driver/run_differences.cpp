// What differs between two runs: see run_differences.h.
#include "driver/run_differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "frontend/language.h"
#include "frontend/parser.h"
#include "frontend/print_syntax.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

// Settings of a train block that do not change the parameters after a given step.
constexpr std::array<std::string_view, 6> kFree = {"epochs", "stop", "save", "load", "metric", "watch"};

/// A thing of a file: what it is called, what it says.
struct Thing {
  std::string title, text;
};

/// The things of a file by the name with which others use them.
struct Things {
  std::map<std::string, Thing> named;     // dims, cells, layers, models, data blocks
  std::map<std::string, Thing> settings;  // of the train block
};

std::string title(const ast::Definition& d) {
  static constexpr std::array kinds = {"cell", "layer", "model"};
  return fmt::format("{} {}", kinds.at(static_cast<size_t>(d.kind)), d.name);
}

Things things_of(const RunText& run, size_t train_block) {
  Things things;
  size_t block = 0;
  for (const ast::Item& item : parse({run.source_name, run.source}).items) {
    const std::string text = print_syntax(ast::File{{item}});
    if (const auto* dims = std::get_if<ast::Dims>(&item)) {
      for (const ast::Binding& b : dims->bindings) {
        const auto given = run.dims.find(b.name);
        things.named[b.name] = {"dim " + b.name, given != run.dims.end() ? fmt::format("{}", given->second)
                                                                         : print_syntax(b.value)};
      }
    } else if (const auto* definition = std::get_if<ast::Definition>(&item)) {
      things.named[definition->name] = {title(*definition), text};
    } else if (const auto* data = std::get_if<ast::DataBlock>(&item)) {
      things.named["data " + data->name] = {"data " + data->name, text};
    } else if (const auto* train = std::get_if<ast::Train>(&item); train && block++ == train_block) {
      for (const ast::Setting& setting : train->settings) {
        if (std::ranges::find(kFree, setting.name) != kFree.end()) continue;
        ast::Train alone;
        alone.settings = {setting};
        things.settings[setting.name] = {setting.name, print_syntax(ast::File{{alone}})};
      }
    }
  }
  return things;
}

void add_words(const std::string& text, std::set<std::string>& words) {
  std::string word;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
}

/// The names that a training can reach: the model, its data, and whatever their texts and those of what they
/// name speak of. More than is used, never less.
std::set<std::string> reached(const Things& things, const std::string& model, const std::string& data) {
  std::set<std::string> words, done;
  for (const auto& [name, setting] : things.settings) add_words(setting.text, words);
  words.insert(model);
  words.insert(data);
  for (bool more = true; more;) {
    more = false;
    for (const auto& [name, thing] : things.named) {
      const std::string word = name.starts_with("data ") ? name.substr(5) : name;
      if (!words.contains(word) || !done.insert(name).second) continue;
      add_words(thing.text, words);
      more = true;
    }
  }
  return done;
}

std::string difference(const Thing* then, const Thing* now) {
  if (then == nullptr) return fmt::format("`{}` was not there", now->title);
  if (now == nullptr) return fmt::format("`{}` is not there any more", then->title);
  const bool is_short = then->title.starts_with("dim ");
  if (is_short) return fmt::format("`{}` was {}, now it is {}", then->title, then->text, now->text);
  return fmt::format("`{}` says something else", then->title);
}

void compare(const std::map<std::string, Thing>& then, const std::map<std::string, Thing>& now,
             const std::set<std::string>& names, std::vector<std::string>& lines) {
  for (const std::string& name : names) {
    const auto a = then.find(name), b = now.find(name);
    const Thing* was = a == then.end() ? nullptr : &a->second;
    const Thing* is = b == now.end() ? nullptr : &b->second;
    if ((was == nullptr) != (is == nullptr) || (was != nullptr && was->text != is->text))
      lines.push_back(difference(was, is));
  }
}

}  // namespace

Json to_json(const RunText& text) {
  return {{"source_name", text.source_name}, {"source", text.source}, {"dims", text.dims}, {"set", text.set}};
}

RunText run_text_from_json(const Json& json) {
  RunText text;
  text.source_name = json.at("source_name").get<std::string>();
  text.source = json.at("source").get<std::string>();
  text.dims = json.at("dims").get<DimValues>();
  text.set = json.at("set").get<decltype(text.set)>();
  return text;
}

std::vector<std::string> differences(const RunText& then, const RunText& now, const std::string& model,
                                     const std::string& data, size_t train_block) {
  std::vector<std::string> lines;
  Things was, is;
  try {
    was = things_of(then, train_block);
    is = things_of(now, train_block);
  } catch (const UserError&) {
    return {"its model file is one that this version of rnnc cannot read"};
  }
  std::set<std::string> names = reached(was, model, data);
  names.merge(reached(is, model, data));
  compare(was.named, is.named, names, lines);

  std::set<std::string> set_now, settings;
  for (const auto& [name, value] : now.set) set_now.insert(name);
  for (const auto* list : {&was.settings, &is.settings})
    for (const auto& [name, setting] : *list)
      if (!set_now.contains(name)) settings.insert(name);
  compare(was.settings, is.settings, settings, lines);
  for (const auto& [name, value] : then.set)
    if (!set_now.contains(name) && std::ranges::find(kFree, name) == kFree.end())
      lines.push_back(fmt::format("it was trained with `--set {}={}`", name, value));
  return lines;
}

}  // namespace rnnc
