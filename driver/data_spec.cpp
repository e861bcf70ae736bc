// From the syntax of a data block to what the readers understand.
#include "driver/data_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "driver/data_values.h"

namespace rnnc {
namespace {

using ast::Expr;
using Kind = ast::Expr::Kind;

class Translator : DataValues {
 public:
  Translator(const ast::DataBlock& block, const Source& source, const DimValues& dims,
             const std::set<std::string>& with_bos, const std::set<std::string>& with_blank)
      : DataValues(source, dims), block_(block), with_bos_(with_bos), with_blank_(with_blank) {}

  DataSpec run() {
    spec_.file = file();
    spec_.name = block_.name;
    spec_.place = place(block_.place);
    for (const ast::FileSource& source : block_.sources) spec_.sources.push_back(data_source(source));
    // Settings first: whether fields run along a dimension depends on them.
    for (const ast::Setting& setting : block_.settings) add_setting(setting);
    for (const ast::Field& field : block_.fields) spec_.fields.push_back(data_field(field));
    for (const std::string& name : with_bos_)
      if (has_vocabulary(name)) vocabulary(name, block_.place).bos = true;
    for (const std::string& name : with_blank_)
      if (has_vocabulary(name)) vocabulary(name, block_.place).blank = true;
    return std::move(spec_);
  }

 private:
  bool has_vocabulary(const std::string& name) const {
    return std::ranges::any_of(spec_.fields, [&](const DataField& f) { return f.vocabulary == name; });
  }

  // --- sources

  DataSource data_source(const ast::FileSource& from) {
    DataSource source;
    switch (from.part) {
      case ast::FileSource::Part::Read: source.part = Part::All; break;
      case ast::FileSource::Part::Train: source.part = Part::Train; break;
      case ast::FileSource::Part::Valid: source.part = Part::Valid; break;
      case ast::FileSource::Part::Test: source.part = Part::Test; break;
    }
    source.patterns = from.files;
    source.place = place(from.place);
    if (!from.format) refuse(from.place, "how are these files to be read?", "`as lines`");
    const Expr& format = *from.format;
    const std::string& name = format.kind == Kind::Call ? format.operands[0].text : format.text;
    bool known = false;
    for (const DataFormat f : kFormats) {
      if (name != format_name(f)) continue;
      source.format = f;
      known = true;
    }
    if (!known) refuse(format.place, fmt::format("there is no format `{}`", name));
    for (const ast::Arg& option : format.args) {
      if (option.name == "latin1") source.latin1 = yes(option.value);
      else if (option.name == "header") source.header = yes(option.value);
      else refuse(option.place, fmt::format("`{}` has no option `{}`", name, option.name));
    }
    return source;
  }

  // --- settings

  VocabularySpec& vocabulary(const std::string& name, Place where) {
    const auto found = std::ranges::find(spec_.vocabularies, name, &VocabularySpec::name);
    if (found != spec_.vocabularies.end()) return *found;
    spec_.vocabularies.push_back(
        {.name = name, .max = {}, .min = 1, .bos = false, .blank = false, .same = {}, .place = place(where)});
    return spec_.vocabularies.back();
  }

  void add_setting(const ast::Setting& setting) {
    if (setting.name == "split") {
      spec_.split_place = place(setting.place);
      for (const ast::Arg& arg : setting.args) {
        std::optional<Part> part;
        for (const Part p : kParts)
          if (arg.name == part_name(p)) part = p;
        if (!part)
          refuse(arg.place, "`split` deals to `train`, `valid` and `test`",
                 "`split train = 0.9, valid = 0.1`");
        spec_.split.push_back({.part = *part, .share = constant(arg.value)});
      }
    } else if (setting.name == "limit" || setting.name == "pad") {
      for (const ast::Arg& arg : setting.args) {
        if (arg.name.empty())
          refuse(arg.place, fmt::format("`{}` of which dimension?", setting.name),
                 fmt::format("`{} T = 20`", setting.name));
        (setting.name == "limit" ? spec_.limits : spec_.pads)
            .push_back({.dimension = arg.name, .length = count(arg.value), .place = place(arg.place)});
      }
    } else if (setting.name == "take") {
      if (setting.args.size() != 1 || !setting.args[0].name.empty())
        refuse(setting.place, "`take` has one number", "`take 1000`");
      spec_.take = count(setting.args[0].value);
      if (*spec_.take == 0) refuse(setting.args[0].value.place, "`take 0` leaves nothing");
    } else if (setting.name == "vocab") {
      for (const ast::Arg& arg : setting.args) add_vocabulary(arg);
    } else if (setting.name == "chunk" || setting.name == "sample") {
      add_pieces(setting);
    } else {
      refuse(setting.place, fmt::format("a data block has no setting `{}`", setting.name));
    }
  }

  // chunk T = 35, offset = random
  void add_pieces(const ast::Setting& setting) {
    PieceSetting& pieces = spec_.pieces;
    if (pieces) refuse(setting.place, "`chunk` and `sample` exclude each other");
    pieces.sample = setting.name == "sample";
    pieces.place = place(setting.place);
    for (const ast::Arg& arg : setting.args) {
      const bool random = arg.value.kind == Kind::Name && arg.value.text == "random";
      if (arg.name == "offset" && random) pieces.random_offset = true;
      else if (arg.name == "offset") pieces.offset = count(arg.value);
      else if (arg.name.empty() || pieces)
        refuse(arg.place, fmt::format("`{}` of which dimension?", setting.name),
               fmt::format("`{} T = 35`", setting.name));
      else {
        pieces.dimension = arg.name;
        pieces.length = count(arg.value);
        if (pieces.length == 0) refuse(arg.place, "pieces of no length leave nothing");
      }
    }
    if (!pieces)
      refuse(setting.place, fmt::format("`{}` of which dimension?", setting.name),
             fmt::format("`{} T = 35`", setting.name));
  }

  void add_vocabulary(const ast::Arg& arg) {
    const Expr& call = arg.value;
    if (!arg.name.empty() || call.kind != Kind::Call || call.operands[0].kind != Kind::Name)
      refuse(arg.place, "`vocab` names vocabularies with their options", "`vocab C(max = 4000)`");
    VocabularySpec& to = vocabulary(call.operands[0].text, call.operands[0].place);
    for (const ast::Arg& option : call.args) {
      if (option.name == "max") to.max = count(option.value);
      else if (option.name == "min") to.min = count(option.value);
      else if (option.name == "same") to.same = option.value.text;
      else
        refuse(option.place, fmt::format("`vocab` has no option `{}`", option.name), "`max`, `min`, `same`");
    }
  }

  // --- fields

  DataField data_field(const ast::Field& from) {
    DataField field;
    field.name = from.name;
    field.place = place(from.place);
    field.vocabulary = from.type.vocabulary;
    const std::optional<EncodeOp> op = called(from.value);
    const bool symbols = op == EncodeOp::Chars || op == EncodeOp::Words || op == EncodeOp::Bytes;
    const auto& sizes = from.type.sizes;
    if (field.vocabulary.empty()) numbers(from, field);
    else if (!sizes.empty() && symbols) sequence(from, field, *op);
    else category(from, field);
    return field;
  }

  // The first dimension of a field that runs along a sequence or tree.
  std::string dimension(const ast::Field& from) const {
    const Expr& size = from.type.sizes[0].value;
    if (size.kind != Kind::Name) refuse(size.place, "the length of a sequence has a name here", "`T`");
    return size.text;
  }

  // y: L = category(...), y: L[T] = category(...)
  void category(const ast::Field& from, DataField& field) {
    field.kind = FieldKind::Category;
    field.value = node(from.value, EncodeOp::Category);
    const auto& sizes = from.type.sizes;
    if (called(from.value) != EncodeOp::Category || from.value.args.size() != 1)
      refuse(
          from.value.place,
          fmt::format("`{}` is a {}", from.name, sizes.empty() ? "category" : "sequence of categories"),
          sizes.empty() ? "`category(...)`" : "`chars(...)`, `words(...)`, `bytes(...)` or `category(...)`");
    field.value.operands = {value(only_argument(from.value))};
    if (sizes.size() > 1) refuse(from.type.place, "categories of more than one dimension are not built yet");
    if (!sizes.empty()) field.dimension = dimension(from);
  }

  // chars(...), words(...) or bytes(...), without what they cut
  EncodeExpr symbols(const Expr& call, EncodeOp op) const {
    EncodeExpr value = node(call, op);
    for (const ast::Arg& arg : call.args) {
      if (arg.name == "end") value.end = yes(arg.value);
      else if (arg.name == "marks" && op == EncodeOp::Words) value.marks = yes(arg.value);
      else if (arg.name == "list" && op == EncodeOp::Words) value.list = arg.value.text;
      else if (!arg.name.empty())
        refuse(arg.place, fmt::format("`{}` has no option `{}`", call.operands[0].text, arg.name));
    }
    return value;
  }

  // x: C[S, T] = chars(words(...)), of elements that are words chars(col(1))
  void nested(const ast::Field& from, DataField& field, EncodeOp op) {
    const Expr& inside = from.type.sizes[1].value;
    if (from.type.sizes.size() > 2 || from.type.sizes[0].tree || inside.kind != Kind::Name ||
        inside.text == dimension(from))
      refuse(from.type.place, "symbols of words have two dimensions, the second within the first",
             fmt::format("`{}[S, T]`", field.vocabulary));
    field.kind = FieldKind::Nested;
    field.dimension = dimension(from);
    field.inside = inside.text;
    field.value = symbols(from.value, op);
    const Expr& of = only_argument(from.value);
    const bool elements = !spec_.sources.empty() && has_elements(spec_.sources[0].format);
    if (op == EncodeOp::Words || (called(of) != EncodeOp::Words && !elements))
      refuse(from.value.place, fmt::format("`{}` has symbols of words", field.name), "`chars(words(...))`");
    if (called(of) != EncodeOp::Words) {
      field.value.operands = {text(of)};
      return;
    }
    EncodeExpr words = symbols(of, EncodeOp::Words);
    if (words.end) refuse(of.place, "`end` belongs to the symbols: each word ends with <eos>");
    words.operands = {text(only_argument(of))};
    field.value.operands = {std::move(words)};
  }

  // x: C[T] = chars(...), t: V[tree N] = words(leaf)
  void sequence(const ast::Field& from, DataField& field, EncodeOp op) {
    if (from.type.sizes.size() > 1) return nested(from, field, op);
    field.kind = from.type.sizes[0].tree ? FieldKind::Tree : FieldKind::Sequence;
    field.dimension = dimension(from);
    field.value = symbols(from.value, op);
    field.value.operands = {text(only_argument(from.value))};
    const bool leaf = reads(field.value, EncodeOp::Leaf);
    if (leaf != (field.kind == FieldKind::Tree))
      refuse(from.type.place,
             leaf ? "the leaves of a tree are along a tree" : "a tree has its symbols at the leaves",
             leaf ? fmt::format("`{}[tree {}]`", field.vocabulary, field.dimension) : "`words(leaf)`");
    if (leaf && field.value.end) refuse(from.value.place, "a leaf is one symbol, it has no <eos>");
  }

  static bool reads(const EncodeExpr& expr, EncodeOp op) {
    return expr.op == op ||
           std::ranges::any_of(expr.operands, [&](const EncodeExpr& operand) { return reads(operand, op); });
  }

  // Does a field of numbers run along its first dimension? In pieces of a sequence, and over the elements of
  // a row; else its dimensions are fixed.
  bool runs_along(const ast::Field& from) const {
    if (from.type.sizes.empty() || from.type.sizes[0].value.kind != Kind::Name) return false;
    if (spec_.pieces) return from.type.sizes[0].value.text == spec_.pieces.dimension;
    return !spec_.sources.empty() && has_elements(spec_.sources[0].format);
  }

  void numbers(const ast::Field& from, DataField& field) {
    const auto& sizes = from.type.sizes;
    const bool arrays = !spec_.sources.empty() && is_array(spec_.sources[0].format);
    if (from.value.kind == Kind::Name && from.value.text == "links") return links(from, field);
    size_t first_fixed = 0;
    if (runs_along(from)) {
      field.dimension = dimension(from);
      first_fixed = 1;
    }
    for (size_t i = first_fixed; i < sizes.size(); ++i) field.sizes.push_back(known_size(sizes[i].value));
    const std::optional<EncodeOp> op = called(from.value);
    const bool several = op == EncodeOp::Numbers || op == EncodeOp::Standardize;
    if (several && field.sizes.size() != 1)
      refuse(from.value.place,
             fmt::format("`{}` {}", from.name,
                         field.sizes.empty() ? "is one number"
                                             : "has several dimensions, these are numbers along one"),
             field.dimension.empty() ? "`[F]`, or `number(...)`"
                                     : fmt::format("`[{}, F]`, or `number(...)`", field.dimension));
    if (!several && !field.sizes.empty() && !arrays)
      refuse(from.value.place,
             fmt::format("`{}` has dimensions, this is one number{}", from.name,
                         field.dimension.empty() ? " a row" : " an element"),
             "`numbers(...)` or `standardize(...)` for a vector; `chunk T = 35` for a sequence of rows");
    if (!several) {
      field.value = number(from.value);
      return;
    }
    field.value = node(from.value, *op);
    for (const ast::Arg& arg : from.value.args) field.value.operands.push_back(value(unnamed(arg)));
    if (field.value.operands.empty()) refuse(from.value.place, "no number is given here");
    field.width = static_cast<int64_t>(field.value.operands.size());
    if (!arrays && field.sizes[0] && *field.sizes[0] != field.width)
      refuse(from.value.place,
             fmt::format("`{}` is [{}], {} numbers are given", from.name, *field.sizes[0], field.width));
  }

  // A: [N, N] = links
  void links(const ast::Field& from, DataField& field) {
    const auto& sizes = from.type.sizes;
    if (sizes.size() != 2 || sizes[1].value.kind != Kind::Name || dimension(from) != sizes[1].value.text)
      refuse(from.type.place, "`links` are between each two nodes of a tree", "`[N, N]`");
    field.kind = FieldKind::Links;
    field.dimension = dimension(from);
    field.value = node(from.value, EncodeOp::Links);
  }

  const ast::DataBlock& block_;
  const std::set<std::string>& with_bos_;
  const std::set<std::string>& with_blank_;
  DataSpec spec_;
};

}  // namespace

DataSpec data_spec(const ast::DataBlock& block, const Source& source, const DimValues& dims,
                   const std::set<std::string>& with_bos, const std::set<std::string>& with_blank) {
  return Translator(block, source, dims, with_bos, with_blank).run();
}

Diagnostic to_diagnostic(const DataMessage& message) {
  Diagnostic result =
      in_file(message.file, static_cast<uint32_t>(message.line), static_cast<uint32_t>(message.column),
              message.message, message.notes, fmt::format("{}", fmt::join(message.help, "; ")));
  if (message.warning) result.severity = Severity::Warning;
  return result;
}

}  // namespace rnnc
