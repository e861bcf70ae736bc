// Items and statements, one function a rule of the grammar (docs: language, section 2). After an error
// the parser goes on with the next line of the block, or with the next item.
#include "frontend/parser.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "frontend/parse_expression.h"
#include "frontend/suggest.h"
#include "frontend/token_stream.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

using namespace ast;
using Kind = Token::Kind;

struct EnoughErrors {};

class Parser {
 public:
  Parser(const Source& source, uint16_t source_number) : tokens_(source, source_number) {}

  // file = { item } ;
  File file() {
    File file;
    tokens_.skip_line_ends();
    try {
      while (!tokens_.at_kind(Kind::End)) {
        try {
          file.items.push_back(item());
        } catch (const UserError& error) {
          note(error);
          skip_item();
        }
        tokens_.skip_line_ends();
      }
    } catch (const EnoughErrors&) {
    }
    if (!errors_.empty()) throw UserError(std::move(errors_));
    return file;
  }

 private:
  // item = dims | data | cell | layer | model | train | generate | predict ;
  Item item() {
    const Token token = tokens_.peek();
    if (tokens_.at("dim")) return dims();
    if (tokens_.at("data")) return data();
    if (tokens_.at_any({"tree", "cell", "layer", "model"})) return definition();
    if (tokens_.at("train")) return train();
    if (tokens_.at_any({"generate", "predict"})) return use();
    static const std::vector<std::string> words = {"dim",   "data",  "cell",     "tree",   "layer",
                                                   "model", "train", "generate", "predict"};
    tokens_.fail(Code::Item, token.place, fmt::format("`{}` does not begin a definition", token.text),
                 suggest(token.text, words));
  }

  // dims = "dim" bindings NL ;
  Dims dims() {
    tokens_.next();
    Dims dims{bindings()};
    tokens_.end_of_line();
    return dims;
  }

  // bindings = NAME "=" expr { "," NAME "=" expr } ;
  std::vector<Binding> bindings() {
    std::vector<Binding> result;
    do {
      Name name = tokens_.name();
      tokens_.eat("=");
      result.push_back({std::move(name.text), name.place, parse_expr(tokens_)});
    } while (tokens_.take(","));
    return result;
  }

  // block(x) = "{" [ x { NL x } ] "}" ;
  template <typename Line>
  void block(Line line) {
    tokens_.eat("{");
    tokens_.skip_line_ends();
    while (!tokens_.at("}")) {
      if (tokens_.at_kind(Kind::End))
        tokens_.fail(tokens_.place(), "expected `}`, found the end of the file");
      try {
        const Token& token = tokens_.peek();
        if (token.kind == Kind::Sign && goes_on(token.text))
          tokens_.fail(Code::LineStart, token.place, fmt::format("a line cannot begin with `{}`", token.text),
                       "end the line before with it");
        line();
        tokens_.end_of_line();
      } catch (const UserError& error) {
        note(error);
        skip_line();
      }
    }
    tokens_.next();
  }

  // type = NAME | [ NAME ] "[" [ size { "," size } ] "]" ;
  // size = [ "tree" ] expr ;
  Type type() {
    Type type;
    type.place = tokens_.place();
    const bool named = tokens_.at_kind(Kind::Name) && !tokens_.at("tree");
    if (named) type.vocabulary = tokens_.name().text;
    if (!named && !tokens_.at("["))
      tokens_.fail(type.place,
                   fmt::format("expected a type such as `[H]` or `C[T]`, found {}", tokens_.found()));
    if (!tokens_.take("[")) return type;
    while (!tokens_.at("]")) {
      const bool tree = tokens_.take("tree");
      type.sizes.push_back({parse_expr(tokens_), tree});
      if (!tokens_.at("]")) tokens_.eat(",");
    }
    tokens_.next();
    return type;
  }

  // data = "data" NAME block(source | field | setting) ;
  DataBlock data() {
    tokens_.next();
    Name name = tokens_.name();
    DataBlock data;
    data.name = std::move(name.text);
    data.place = name.place;
    block([&] {
      const bool text_next = tokens_.at_kind(Kind::Text, 1);
      if (tokens_.at_any({"read", "train", "valid", "test"}) && text_next) {
        data.sources.push_back(source());
      } else if (tokens_.at(":", 1)) {
        data.fields.push_back(field());
      } else {
        data.settings.push_back(setting());
      }
    });
    return data;
  }

  // source = ( "read" | "train" | "valid" | "test" ) STRING { "," STRING } "as" expr ;
  FileSource source() {
    FileSource source;
    const Token word = tokens_.next();
    source.place = word.place;
    source.part = word.text == "read"    ? FileSource::Part::Read
                  : word.text == "train" ? FileSource::Part::Train
                  : word.text == "valid" ? FileSource::Part::Valid
                                         : FileSource::Part::Test;
    do {
      const Token file = tokens_.peek();
      if (file.kind != Kind::Text)
        tokens_.fail(file.place, fmt::format("expected a file name in quotes, found {}", tokens_.found()));
      tokens_.next();
      source.files.push_back(unescape(file.text));
      source.file_places.push_back(file.place);
    } while (tokens_.take(","));
    if (tokens_.take("as")) source.format = parse_expr(tokens_);
    return source;
  }

  // field = NAME ":" type "=" expr ;
  Field field() {
    Field field;
    Name name = tokens_.name();
    field.name = std::move(name.text);
    field.place = name.place;
    tokens_.eat(":");
    field.type = type();
    tokens_.eat("=");
    field.value = parse_expr(tokens_);
    return field;
  }

  // setting = NAME arg { "," arg } ;
  Setting setting() {
    Name name = tokens_.name();
    Setting setting{std::move(name.text), name.place, {}};
    do setting.args.push_back(parse_arg(tokens_));
    while (tokens_.take(","));
    return setting;
  }

  std::vector<Setting> settings() {
    std::vector<Setting> result;
    block([&] { result.push_back(setting()); });
    return result;
  }

  // cell = [ "tree" ] "cell" NAME head block(statement) ;
  // layer = "layer" NAME head block(statement) ;   model = "model" NAME head block(statement) ;
  Definition definition() {
    Definition result;
    result.tree = tokens_.take("tree");
    const std::string_view word = result.tree ? tokens_.eat("cell").text : tokens_.next().text;
    result.kind = word == "cell"    ? Definition::Kind::Cell
                  : word == "layer" ? Definition::Kind::Layer
                                    : Definition::Kind::Model;
    Name name = tokens_.name();
    result.name = std::move(name.text);
    result.place = name.place;
    head(result);
    block([&] { result.body.push_back(statement()); });
    return result;
  }

  // head = "(" [ ports ] [ ";" ports ] ")" [ "with" "(" ports ")" ] [ "->" "(" ports ")" ] ;
  void head(Definition& definition) {
    tokens_.eat("(");
    definition.inputs = ports();
    if (tokens_.at(";")) {
      if (definition.kind != Definition::Kind::Cell) tokens_.fail(tokens_.place(), "only a cell has states");
      tokens_.next();
      definition.states = ports();
    }
    tokens_.eat(")");
    const auto group = [&] {
      tokens_.eat("(");
      std::vector<Port> result = ports();
      tokens_.eat(")");
      return result;
    };
    if (tokens_.take("with")) definition.constants = group();
    if (tokens_.take("->")) definition.results = group();
  }

  // ports = NAME ":" type { "," NAME ":" type } ;
  std::vector<Port> ports() {
    std::vector<Port> result;
    while (!tokens_.at_any({")", ";"})) {
      Name name = tokens_.name();
      tokens_.eat(":", fmt::format(" and a type after `{}`", name.text));
      result.push_back({std::move(name.text), name.place, type()});
      if (!tokens_.at_any({")", ";"})) tokens_.eat(",");
    }
    return result;
  }

  // statement = "param" ... | "let" NAME "=" cellref | ( NAME | PRIMED ) "=" ( scan | fold | expr ) ;
  Statement statement() {
    if (tokens_.at("param")) return parameters();
    if (tokens_.take("let")) {
      Name name = tokens_.name();
      tokens_.eat("=");
      return Let{std::move(name.text), name.place, parse_cellref(tokens_)};
    }
    Name name = tokens_.name(/*may_be_primed=*/true);
    tokens_.eat("=");
    if (tokens_.at_any({"scan", "fold"})) return Equation{std::move(name.text), name.place, scan()};
    return Equation{std::move(name.text), name.place, parse_expr(tokens_)};
  }

  // "param" NAME { "," NAME } ":" type ( "~" expr | "=" expr ) [ "frozen" ]
  Parameters parameters() {
    Parameters result;
    result.place = tokens_.next().place;
    do result.names.push_back(tokens_.name());
    while (tokens_.take(","));
    tokens_.eat(":", " and a type");
    result.type = type();
    if (!tokens_.at_any({"~", "="}))
      tokens_.fail(Code::NoFirstValue, tokens_.place(),
                   "a parameter needs a first value: `~ glorot` or `= 0`");
    result.constant = tokens_.next().text == "=";
    result.first_value = parse_expr(tokens_);
    result.frozen = tokens_.take("frozen");
    return result;
  }

  // scan = "scan" cellref ( "over" expr { "," expr } | "for" expr )
  //        [ "with" bindings ] [ "from" ( bindings | NAME ) ] [ "carry" ] ;
  // fold = "fold" cellref "over" expr { "," expr } [ "with" bindings ] ;
  Scan scan() {
    Scan scan;
    scan.fold = tokens_.at("fold");
    scan.place = tokens_.next().place;
    scan.cell = parse_cellref(tokens_);
    if (!scan.fold && tokens_.take("for")) {
      scan.count = parse_expr(tokens_);
    } else {
      tokens_.eat("over");
      do scan.over.push_back(parse_expr(tokens_));
      while (tokens_.take(","));
    }
    if (tokens_.take("with")) scan.constants = bindings();
    if (scan.fold) return scan;
    if (tokens_.take("from")) {
      if (tokens_.at("=", 1)) {
        scan.first = bindings();
      } else {
        scan.from_scan = tokens_.name();
      }
    }
    scan.carry = tokens_.take("carry");
    return scan;
  }

  // train = "train" NAME "on" NAME block(setting) ;
  Train train() {
    tokens_.next();
    Train train;
    train.model = tokens_.name();
    tokens_.eat("on");
    train.data = tokens_.name();
    train.settings = settings();
    return train;
  }

  // generate = "generate" NAME block(setting) ;   predict = "predict" NAME block(setting) ;
  Use use() {
    Use use;
    use.kind = tokens_.next().text == "generate" ? Use::Kind::Generate : Use::Kind::Predict;
    use.model = tokens_.name();
    use.settings = settings();
    return use;
  }

  void note(const UserError& error) {
    constexpr size_t kMaxErrors = 10;
    errors_.insert(errors_.end(), error.diagnostics().begin(), error.diagnostics().end());
    if (errors_.size() >= kMaxErrors) throw EnoughErrors();
  }

  /// To the next line of this block, or before its `}`.
  void skip_line() {
    for (int depth = 0; !tokens_.at_kind(Kind::End); tokens_.next()) {
      if (depth == 0 && tokens_.at("}")) return;
      if (depth == 0 && tokens_.at_kind(Kind::LineEnd)) break;
      depth += tokens_.at("{") - tokens_.at("}");
    }
    tokens_.skip_line_ends();
  }

  /// Behind the item that could not be read: to a line end outside of braces.
  void skip_item() {
    for (int depth = 0; !tokens_.at_kind(Kind::End); tokens_.next()) {
      if (depth <= 0 && tokens_.at_kind(Kind::LineEnd)) return;
      depth += tokens_.at("{") - tokens_.at("}");
    }
  }

  TokenStream tokens_;
  std::vector<Diagnostic> errors_;
};

}  // namespace

File parse(const Source& source, uint16_t source_number) {
  return Parser(source, source_number).file();
}

}  // namespace rnnc
