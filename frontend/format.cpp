// Items, blocks and statements as lines: see format.h. The text given is known to be right, so the tokens
// alone say what is what.
#include "frontend/format.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "frontend/format_columns.h"
#include "frontend/format_layout.h"
#include "frontend/format_pieces.h"
#include "frontend/parser.h"
#include "frontend/print_syntax.h"

namespace rnnc {
namespace {

using namespace formatting;
using Kind = Token::Kind;

constexpr uint32_t kIndent = 2;
constexpr uint32_t kLimit = 120;     // columns of a statement
constexpr uint32_t kFileLimit = 80;  // of a list of files

/// A statement of a block: its pieces, and the places that are lined up with those of its neighbours.
struct Statement {
  enum class Form { Other, Equation, Field, Source, Setting, Parameter };
  Form form = Form::Other;
  std::span<Piece> pieces;
  size_t body = 1;   ///< lines after the first begin below it
  size_t first = 0;  ///< name of a file, argument, type; 0: none
  size_t sign = 0;   ///< `=`, `~`, `as`, the `=` of a label; 0: none
};

/// The first piece that is `text` outside of brackets, from `from`; 0: none.
size_t find_outside(std::span<const Piece> pieces, std::string_view text, size_t from) {
  int depth = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (depth == 0 && i >= from && pieces[i].is(text)) return i;
    depth += pieces[i].is("(") || pieces[i].is("[");
    depth -= pieces[i].is(")") || pieces[i].is("]");
  }
  return 0;
}

enum class Block { Data, Definition, Settings };

Statement classify(std::span<Piece> pieces, Block block) {
  using enum Statement::Form;
  Statement s{.pieces = pieces};
  const auto is_at = [&](size_t i, std::string_view text) { return i < pieces.size() && pieces[i].is(text); };
  bool word_first = false;
  if (block == Block::Definition && pieces[0].is("param")) {
    const size_t colon = find_outside(pieces, ":", 1);
    const size_t drawn = find_outside(pieces, "~", colon), constant = find_outside(pieces, "=", colon);
    s.form = Parameter;
    s.first = colon + 1;
    s.sign = drawn ? drawn : constant;
    s.body = s.sign + 1;
  } else if (block == Block::Definition) {
    s.sign = find_outside(pieces, "=", 1);
    s.body = s.sign + 1;
    s.form = pieces[0].is("let") ? Other : Equation;
  } else if (block == Block::Data && pieces[1].token.kind == Kind::Text) {
    s.form = Source;
    s.first = 1;
    s.sign = find_outside(pieces, "as", 2);
  } else if (block == Block::Data && is_at(1, ":")) {
    s.form = Field;
    s.sign = find_outside(pieces, "=", 2);
    s.body = s.sign + 1;
  } else {
    word_first = true;
    s.form = block == Block::Data ? Other : Setting;
    s.first = 1;
    if (pieces[0].is("metric") && is_at(2, "=")) s.sign = 2;
    if (s.sign) s.body = 3;
  }
  space_out(pieces, word_first);
  return s;
}

/// The mark of a statement at `index`, without a pad; none if it does not stand on the first line.
std::optional<Mark> mark_at(const Statement& s, size_t index) {
  const std::optional<uint32_t> column = column_of(s.pieces, index);
  if (!column) return std::nullopt;
  const Piece &piece = s.pieces[index], &first = s.pieces[0];
  const auto space = static_cast<uint32_t>(piece.space);
  Mark mark{*column - space - piece.pad, std::nullopt, piece.gap, space};
  if (piece.line == first.line && piece.column >= first.column) mark.column = piece.column - first.column;
  return mark;
}

using Rule = std::vector<uint32_t> (*)(std::span<const Mark>);

/// Lines up piece `index(statement)` in each run of statements for which it is not 0.
template <typename Index>
void line_up_runs(std::vector<Statement>& statements, Index index, bool across_blank_lines, Rule rule) {
  std::vector<std::pair<Statement*, size_t>> run;
  std::vector<Mark> marks;
  const auto finish = [&] {
    const std::vector<uint32_t> columns = rule(marks);
    for (size_t i = 0; i < run.size(); ++i)
      run[i].first->pieces[run[i].second].pad = columns[i] - marks[i].width - marks[i].space;
    run.clear();
    marks.clear();
  };
  for (Statement& s : statements) {
    const size_t at = index(s);
    const std::optional<Mark> mark = at ? mark_at(s, at) : std::nullopt;
    const Piece& first = s.pieces[0];
    const bool blank = first.blank_before || (!first.above.empty() && first.above.front().blank_before);
    if (!mark || (blank && !across_blank_lines)) finish();
    if (!mark) continue;
    run.emplace_back(&s, at);
    marks.push_back(*mark);
  }
  finish();
}

uint32_t limit_of(const Statement& s) {
  return s.form == Statement::Form::Source ? kFileLimit : kLimit;
}

bool on_one_line(const Statement& s) {
  return lay_out(s.pieces, kIndent, s.body, limit_of(s)).size() == 1;
}

void line_up_block(std::vector<Statement>& statements) {
  using enum Statement::Form;
  const auto pick = [](Statement::Form form, size_t Statement::*index) {
    return [form, index](const Statement& s) { return s.form == form ? s.*index : 0; };
  };
  line_up_runs(statements, pick(Equation, &Statement::sign), false, line_up);
  line_up_runs(statements, pick(Field, &Statement::sign), false, line_up);
  line_up_runs(statements, pick(Setting, &Statement::first), true, line_up);
  line_up_runs(statements, pick(Setting, &Statement::sign), false, keep_lined_up);
  line_up_runs(statements, pick(Parameter, &Statement::first), false, keep_lined_up);
  line_up_runs(statements, pick(Parameter, &Statement::sign), false, keep_lined_up);
  // Lists of files that need several lines are left to themselves.
  std::vector<bool> single;
  for (const Statement& s : statements) single.push_back(s.form == Source && on_one_line(s));
  for (size_t Statement::*index : {&Statement::first, &Statement::sign})
    line_up_runs(
        statements,
        [&](const Statement& s) {
          return single[static_cast<size_t>(&s - statements.data())] ? s.*index : 0;
        },
        false, line_up);
}

class Formatter {
 public:
  explicit Formatter(const Source& source) : pieces_(pieces_of(source)) {}

  std::string run() {
    while (pieces_[at_].token.kind != Kind::End) item();
    ++item_;
    comments(pieces_[at_], 0);
    return write(std::move(lines_));
  }

 private:
  void add(Line line) {
    line.item = item_;
    lines_.push_back(std::move(line));
  }

  void comments(const Piece& piece, uint32_t indent) {
    for (const Comment& comment : piece.above)
      add({.code = std::string(indent, ' '),
           .comment = comment,
           .comment_only = true,
           .blank_before = comment.blank_before && !opened_});
    opened_ = opened_ && piece.above.empty();
  }

  /// The lines of a statement with the comments above it. `opened_`: nothing stands in its block yet.
  void statement(std::span<const Piece> pieces, uint32_t indent, size_t body, uint32_t limit) {
    comments(pieces[0], indent);
    std::vector<Line> lines = lay_out(pieces, indent, body, limit);
    lines[0].blank_before = pieces[0].blank_before && !opened_;
    for (Line& line : lines) add(std::move(line));
    opened_ = false;
  }

  void item() {
    ++item_;
    const size_t first = at_;
    const bool dims = pieces_[at_].is("dim");
    while (!(dims ? pieces_[at_].ends_statement : pieces_[at_].is("{"))) ++at_;
    ++at_;
    const std::span<Piece> head(&pieces_[first], at_ - first);
    separate(head[0], dims);
    space_out(head, false);
    const bool empty =
        !dims && pieces_[at_].is("}") && pieces_[at_].above.empty() && !pieces_[at_ - 1].behind;
    statement(head, 0, dims ? 1 : head.size(), kLimit);
    if (empty) lines_.back().code += "}";
    if (empty) lines_.back().comment = pieces_[at_].behind;
    if (!dims && !empty) {
      opened_ = true;
      block(head[0].is("data")                                                       ? Block::Data
            : head[0].is("train") || head[0].is("generate") || head[0].is("predict") ? Block::Settings
                                                                                     : Block::Definition);
      comments(pieces_[at_], kIndent);
      add({.code = "}", .comment = pieces_[at_].behind});
      opened_ = false;
    }
    if (!dims) ++at_;
    after_dims_ = dims;
  }

  /// An empty line between items, except between two of `dim`.
  void separate(Piece& first, bool dims) {
    if (lines_.empty()) return;
    if (lines_.back().comment_only && at_ == 0) return;
    bool blank = first.blank_before;
    for (const Comment& comment : first.above) blank = blank || comment.blank_before;
    if (blank || (dims && after_dims_)) return;
    (first.above.empty() ? first.blank_before : first.above.front().blank_before) = true;
  }

  void block(Block kind) {
    std::vector<Statement> statements;
    while (!pieces_[at_].is("}")) {
      const size_t first = at_;
      while (!pieces_[at_].ends_statement && !pieces_[at_ + 1].is("}")) ++at_;
      ++at_;
      statements.push_back(classify({&pieces_[first], at_ - first}, kind));
    }
    line_up_block(statements);
    for (const Statement& s : statements) statement(s.pieces, kIndent, s.body, limit_of(s));
  }

  std::vector<Piece> pieces_;
  size_t at_ = 0;
  std::vector<Line> lines_;
  uint32_t item_ = 0;
  bool opened_ = false;      // the block has no line yet
  bool after_dims_ = false;  // the item before is `dim`
};

}  // namespace

std::string format(const Source& source) {
  const std::string tree = print_syntax(parse(source));
  std::string text = Formatter(source).run();
  if (print_syntax(parse({source.name, text})) != tree)
    throw std::logic_error("formatting " + source.name + " would change its meaning");
  return text;
}

}  // namespace rnnc
