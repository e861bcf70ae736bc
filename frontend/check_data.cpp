// Data blocks: sources and their formats, fields and their encoders, vocabularies, lengths.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/checker.h"
#include "frontend/suggest.h"

namespace rnnc::checking {

using ast::Arg;
using ast::Expr;

/// The field an encoder belongs to.
struct Checker::FieldContext {
  const ast::Field& field;
  const ValueType& type;
  const std::vector<std::string>* given;  ///< what the formats give; null: a format is wrong
};

namespace {

/// The names in a size, as written.
void collect_names(const Expr& size, std::vector<std::string>& names) {
  if (size.kind == Expr::Kind::Name) names.push_back(size.text);
  for (const Expr& operand : size.operands) collect_names(operand, names);
}

}  // namespace

void Checker::data(const ast::DataBlock& data) {
  CheckedData checked;
  const bool fresh = guarded(data.place, [&] {
    if (datas_.contains(data.name)) fail(data.place, fmt::format("`{}` is already defined", data.name));
  });
  if (!fresh) return;
  checked.wrong = !settings("data", data.settings, checked.settings);
  std::set<std::string> formats;
  const bool formats_known = sources(data, formats);
  const auto in_block = [&](auto work) { checked.wrong = !guarded(data.place, work) || checked.wrong; };
  in_block([&] {
    if (data.sources.empty())
      fail(data.place, fmt::format("data `{}` reads no file", data.name), {}, "`read \"file.txt\" as lines`");
    const bool chunk = checked.settings.contains("chunk"), sample = checked.settings.contains("sample");
    if (formats.contains("stream") && !chunk && !sample)
      fail(Code::Stream, data.place, "a stream has no end of its own", {},
           "`chunk T = 35` (pieces in order) or `sample T = 35` (pieces at random places)");
    if (chunk && sample) fail(data.place, "`chunk` and `sample` exclude each other");
  });
  for (const ast::Field& f : data.fields) {
    for (const ast::Size& size : f.type.sizes) {
      std::vector<std::string> names;
      collect_names(size.value, names);
      for (const std::string& name : names) {
        vocabularies_.try_emplace(name, "");
        if (size.tree) trees_.insert(name);
      }
    }
    const bool right =
        guarded(f.place, [&] { field(f, formats_known && !formats.empty() ? &formats : nullptr, checked); });
    checked.wrong = checked.wrong || !right;
  }
  in_block([&] { vocabularies(data, checked); });
  for (const ast::Setting& setting : data.settings) {
    const bool length = contains(std::vector<std::string>{"limit", "pad", "chunk", "sample"}, setting.name);
    const bool right = guarded(setting.place, [&] {
      if (length) lengths(setting, checked);
      if (setting.name == "vocab") vocabulary_settings(setting, checked);
    });
    checked.wrong = checked.wrong || !right;
    if (setting.name == "split")
      for (const Arg& arg : setting.args)
        checked.has_valid_part = checked.has_valid_part || arg.name == "valid";
  }
  for (const ast::FileSource& source : data.sources)
    checked.has_valid_part = checked.has_valid_part || source.part == ast::FileSource::Part::Valid;
  checked.wrong = checked.wrong || !formats_known;
  datas_.insert_or_assign(data.name, std::move(checked));
}

bool Checker::sources(const ast::DataBlock& data, std::set<std::string>& formats) {
  bool all_right = true;
  const std::string there_are = "there are: " + join(rnnc::formats());
  for (const ast::FileSource& source : data.sources) {
    const bool right = guarded(source.place, [&] {
      if (!source.format)
        fail(Code::NoFormat, source.place, "a source needs its format", {}, "`as lines`; " + there_are);
      const Expr& e = *source.format;
      const bool call = e.kind == Expr::Kind::Call;
      const Expr& format = call ? e.operands[0] : e;
      if (format.kind != Expr::Kind::Name) fail(e.place, "this is no format", {}, there_are);
      if (!contains(rnnc::formats(), format.text)) {
        const std::string near = suggest(format.text, rnnc::formats());
        fail(e.place, fmt::format("there is no format `{}`", format.text), {},
             near.empty() ? there_are : near);
      }
      formats.insert(format.text);
      if (!call) return;
      options(format.text, e.args, e.place);
      for (const Arg& arg : e.args)
        if (arg.name.empty())
          fail(arg.value.place, fmt::format("the options of `{}` have names", format.text));
    });
    all_right = all_right && right;
  }
  return all_right;
}

void Checker::field(const ast::Field& field, const std::set<std::string>* formats, CheckedData& checked) {
  if (checked.fields.contains(field.name))
    fail(field.place, fmt::format("`{}` is already defined", field.name));
  if (is_language_function(field.name))
    fail(Code::FunctionName, field.place,
         fmt::format("`{}` is a function of the language and cannot be a name", field.name));
  Value value;
  value.type = type(field.type, nullptr, field.place);
  value.role = Role::Input;
  value.place = field.place;
  value.has_origin = true;
  checked.fields.insert_or_assign(field.name, value);
  checked.order.push_back(field.name);
  std::set<std::string> given;
  if (formats)
    for (const std::string& format : *formats)
      for (const std::string& name : given_by(format)) given.insert(name);
  const std::vector<std::string> names(given.begin(), given.end());
  encoder(field.value, {field, value.type, formats ? &names : nullptr}, true);
}

void Checker::encoder(const Expr& e, const FieldContext& context, bool outermost) const {
  switch (e.kind) {
    case Expr::Kind::Binary: {
      using enum ast::BinaryOp;
      if (e.op != Add && e.op != Subtract && e.op != Multiply && e.op != Divide) break;
      for (const Expr& operand : e.operands) encoder(operand, context, true);
      return;
    }
    case Expr::Kind::Negate: return encoder(e.operands[0], context, true);
    case Expr::Kind::Number:
    case Expr::Kind::Text: return;
    case Expr::Kind::Name:
    case Expr::Kind::Call:
    case Expr::Kind::Index:
    case Expr::Kind::Part:
    case Expr::Kind::Over: break;
  }
  const bool call = e.kind == Expr::Kind::Call && e.operands[0].kind == Expr::Kind::Name && !e.has_states;
  const bool word = e.kind == Expr::Kind::Name;
  const std::string name = call ? e.operands[0].text : word ? e.text : "";
  const bool given = context.given && contains(*context.given, name);
  const std::vector<std::string> giving = formats_giving(name);
  if (context.given && !giving.empty() && !given)
    fail(Code::OtherFormat, e.place,
         fmt::format("`{}` comes from the format{} {}", name, giving.size() > 1 ? "s" : "", join(giving)), {},
         fmt::format("here there are: {}, file, row", join(*context.given)));
  const bool column = name == "col" || name == "rest";
  if (word) {
    if (column) fail(e.place, fmt::format("`{0}` needs a column: `{0}(1)`", name));
    if (name != "file" && name != "row" && giving.empty()) {
      std::vector<std::string> known = context.given ? *context.given : std::vector<std::string>();
      known.insert(known.end(), {"file", "row"});
      const std::string near = suggest(name, known);
      fail(e.place, fmt::format("data has no value `{}`", name), {},
           near.empty() ? "here there are: " + join(known) : near);
    }
  } else if (!call || (!column && !contains(data_functions(), name))) {
    std::vector<std::string> known(data_functions().begin(), data_functions().end());
    known.insert(known.end(), {"col", "rest"});
    fail(e.place, call ? fmt::format("data has no function `{}`", name) : "this cannot be read from data", {},
         suggest(name, known));
  }
  if (call) options(name, e.args, e.place);
  if (outermost) encoder_type(e, name, context);
  if (!call) return;
  encoder_arguments(e, name);
  if (column) return;
  for (const Arg& arg : e.args)
    if (arg.name.empty()) encoder(arg.value, context, false);
}

/// Does the outermost function make what the field's type says?
void Checker::encoder_type(const Expr& e, const std::string& name, const FieldContext& context) const {
  const ValueType& type = context.type;
  const std::string& field = context.field.name;
  const std::vector<std::string> shape = {fmt::format("{} : {}", field, type.str())};
  const auto among = [&](std::vector<std::string> names) { return contains(names, name); };
  if (among({"chars", "words", "bytes"}) && (!type.is_category() || type.sizes.empty()))
    fail(Code::Encoder, e.place, fmt::format("`{}` makes a sequence of categories", name), shape,
         fmt::format("the type of `{}` should be like `C[T]`", field));
  if (name == "category" && !type.is_category())
    fail(Code::Encoder, e.place, "`category` makes a category", shape,
         fmt::format("the type of `{}` should be like `L`", field));
  if (among({"number", "numbers", "standardize", "equals", "sin", "cos", "abs", "log", "sqrt", "row",
             "links"}) &&
      type.is_category())
    fail(Code::Encoder, e.place, fmt::format("`{}` makes numbers", name), shape,
         "`category` makes a category");
  if (among({"numbers", "standardize"}) && type.sizes.empty())
    fail(Code::Encoder, e.place, fmt::format("`{}` makes a vector", name), shape,
         fmt::format("the type of `{}` should be like `[F]`", field));
  if (among({"line", "text", "leaf", "label", "file", "col", "rest", "lower"}))
    fail(e.place, fmt::format("`{}` is a text, which a model cannot read", name), shape,
         type.is_category() ? "`chars`, `words` and `category` make categories of it"
                            : "`number` makes a number of it");
}

void Checker::encoder_arguments(const Expr& e, const std::string& name) const {
  const auto unnamed =
      std::count_if(e.args.begin(), e.args.end(), [](const Arg& arg) { return arg.name.empty(); });
  const bool any_number = name == "numbers" || name == "standardize" || name == "equals";
  if (any_number ? unnamed < 1 : unnamed != 1)
    fail(e.place, fmt::format("`{}` needs {} value", name, any_number ? "at least one" : "one"));
  const Expr& first = e.args[0].value;
  if (name == "rest" || (name == "col" && first.kind != Expr::Kind::Text))
    number_of(first, fmt::format("the column of `{}`", name), 1, true);
}

void Checker::vocabularies(const ast::DataBlock& data, const CheckedData& checked) {
  std::set<std::string> shared;
  for (const ast::Setting& setting : data.settings) {
    if (setting.name != "vocab") continue;
    for (const Arg& arg : setting.args) {
      const bool call = arg.value.kind == Expr::Kind::Call && arg.value.operands[0].kind == Expr::Kind::Name;
      if (!call) continue;
      for (const Arg& option : arg.value.args)
        if (option.name == "same") shared.insert(arg.value.operands[0].text);
    }
  }
  std::optional<std::pair<ast::Name, std::string>> clash;
  for (const ast::Field& field : data.fields) {
    const std::string& vocabulary = field.type.vocabulary;
    if (vocabulary.empty()) continue;
    std::string& maker = vocabularies_[vocabulary];
    const bool elsewhere = !maker.empty() && maker != data.name && !shared.contains(vocabulary);
    if (elsewhere && !clash && checked.fields.contains(field.name))
      clash = {{vocabulary, field.place}, maker};
    if (maker.empty()) maker = data.name;
  }
  if (clash)
    fail(Code::TwoVocabularies, clash->first.place,
         fmt::format("vocabulary `{}` is already made by data `{}`", clash->first.text, clash->second), {},
         fmt::format("another name, or `vocab {}(same = {})` to use that one", clash->first.text,
                     clash->second));
}

void Checker::vocabulary_settings(const ast::Setting& setting, const CheckedData& checked) const {
  std::vector<std::string> made;
  for (const auto& [name, value] : checked.fields)
    if (value.type.is_category()) made.push_back(value.type.vocabulary);
  for (const Arg& arg : setting.args) {
    const Expr& e = arg.value;
    const bool call = e.kind == Expr::Kind::Call && e.operands[0].kind == Expr::Kind::Name;
    if (!call || !arg.name.empty()) fail(setting.place, "`vocab` needs a vocabulary: `vocab C(max = 1000)`");
    options("vocab", e.args, setting.place);
    const std::string& vocabulary = e.operands[0].text;
    if (!contains(made, vocabulary) && !checked.wrong) {
      const std::string near = suggest(vocabulary, made);
      fail(e.place, fmt::format("no field makes a vocabulary `{}`", vocabulary), {},
           near.empty() ? "there are: " + (made.empty() ? "none" : join(made)) : near);
    }
    for (const Arg& option : e.args) {
      if (option.name.empty()) fail(option.value.place, "the options of `vocab` have names");
      if (option.name != "same") {
        number_of(option.value, fmt::format("`{}`", option.name), 1, true);
        continue;
      }
      std::vector<std::string> known;
      for (const auto& [name, data] : datas_) known.push_back(name);
      if (option.value.kind != Expr::Kind::Name || !contains(known, option.value.text))
        fail(option.value.place, fmt::format("there is no data `{}`", option.value.text), {},
             suggest(option.value.text, known));
      const CheckedData& other = datas_.at(option.value.text);
      const bool has = std::any_of(other.fields.begin(), other.fields.end(),
                                   [&](const auto& f) { return f.second.type.vocabulary == vocabulary; });
      if (!has && !other.wrong)
        fail(option.value.place,
             fmt::format("data `{}` has no vocabulary `{}`", option.value.text, vocabulary));
    }
  }
}

void Checker::lengths(const ast::Setting& setting, const CheckedData& checked) const {
  const bool pieces = setting.name == "chunk" || setting.name == "sample";
  for (const Arg& arg : setting.args) {
    const std::string& dim = arg.name;
    if (dim.empty())
      fail(setting.place, fmt::format("`{}` needs a dimension", setting.name), {},
           fmt::format("`{} T = 35`", setting.name));
    if (dim == "offset" && pieces) {
      const bool random = arg.value.kind == Expr::Kind::Name && arg.value.text == "random";
      if (!random) number_of(arg.value, "`offset`", 0, true);
      continue;
    }
    const auto runs_along = [&](const auto& field) {
      const ValueType& type = field.second.type;
      const std::vector<Dim>& sizes = type.sizes;
      if (!sizes.empty() && sizes[0] == Dim::named(dim)) return true;
      return type.is_category() &&
             std::any_of(sizes.begin(), sizes.end(), [&](const Dim& d) { return contains(d.names(), dim); });
    };
    if (!vocabularies_.contains(dim)) {
      std::vector<std::string> known;
      for (const auto& [name, maker] : vocabularies_) known.push_back(name);
      fail(setting.place, fmt::format("`{0} {1}`: no field has a dimension {1}", setting.name, dim), {},
           suggest(dim, known));
    }
    if (!checked.wrong && std::none_of(checked.fields.begin(), checked.fields.end(), runs_along))
      fail(Code::NotATime, setting.place,
           fmt::format("`{0} {1}`: {1} is not the time of any field", setting.name, dim), {},
           "the time is the first dimension");
    number_of(arg.value, fmt::format("`{} {}`", setting.name, dim), 1, true);
  }
}

}  // namespace rnnc::checking
