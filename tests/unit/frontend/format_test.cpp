// The formatter: examples are as they should be, formatting twice changes nothing, and how a file was spaced
// does not matter.
#include "frontend/format.h"

#include <gtest/gtest.h>

#include <random>

#include "frontend/format_pieces.h"
#include "frontend/parser.h"
#include "frontend/print_syntax.h"
#include "ir/diagnostic.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

using formatting::Piece;
using formatting::pieces_of;
using Kind = Token::Kind;

std::string formatted(const std::string& text) {
  return format({"t.rnn", text});
}

std::vector<std::filesystem::path> right_files() {
  const auto root = testing::source_dir();
  std::vector<std::filesystem::path> files = {root / "frontend" / "std.rnn"};
  for (const auto& folder : {root / "examples", root / ".." / "shared" / "language"})
    for (const auto& file : testing::files_in(folder, ".rnn")) files.push_back(file);
  return files;
}

/// All comments and tokens in their order: what no formatting may touch.
std::vector<std::string> content(const std::string& text) {
  std::vector<std::string> result;
  const Source source{"t.rnn", text};
  for (const Piece& piece : pieces_of(source)) {
    for (const auto& comment : piece.above) result.emplace_back(comment.text);
    result.emplace_back(piece.text());
    if (piece.behind) result.emplace_back(piece.behind->text);
  }
  return result;
}

/// Formatting keeps content and meaning, and is done after once.
void expect_sound(const std::string& text, const std::filesystem::path& name) {
  const std::string once = formatted(text);
  EXPECT_EQ(formatted(once), once) << name;
  EXPECT_EQ(content(once), content(text)) << name;
  EXPECT_EQ(print_syntax(parse({"t.rnn", once})), print_syntax(parse({"t.rnn", text}))) << name;
}

TEST(Format, LeavesTheExamplesAsTheyAre) {
  for (const auto& file : right_files()) {
    const std::string text = testing::read_file(file);
    EXPECT_EQ(formatted(text), text) << file;
  }
}

TEST(Format, IsSoundForWhateverParses) {
  int parsed = 0;
  for (const auto& file : testing::files_in(testing::source_dir() / "tests" / "errors", ".rnn")) {
    const std::string text = testing::read_file(file);
    try {
      parse({"t.rnn", text});
    } catch (const UserError&) {
      EXPECT_THROW(formatted(text), UserError) << file;
      continue;
    }
    ++parsed;
    expect_sound(text, file);
  }
  EXPECT_GE(parsed, 40);
}

/// Writes a file anew with other blanks and line ends. Comments stay in their columns, and so does what may
/// be lined up by hand: parameters and labels, up to their `=` or `~`.
class Respacer {
 public:
  Respacer(const std::string& text, uint32_t seed) : source_{"t.rnn", text}, random_(seed) {}

  std::string run() {
    const std::vector<Piece> pieces = pieces_of(source_);
    size_t first = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const bool brace = pieces[i].is("{") || pieces[i].is("}");
      const bool before_brace = i + 1 < pieces.size() && pieces[i + 1].is("}");
      if (!brace && !before_brace && !pieces[i].ends_statement && i + 1 < pieces.size()) continue;
      statement({&pieces[first], i + 1 - first});
      first = i + 1;
    }
    return out_;
  }

 private:
  uint32_t any(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  std::string blanks(uint32_t least) { return std::string(least + (any(3) == 0 ? any(4) : 0), ' '); }
  uint32_t column() const {
    const size_t line = out_.rfind('\n') == std::string::npos ? 0 : out_.rfind('\n') + 1;
    return count_code_points(std::string_view(out_).substr(line));
  }
  void new_line() { out_ += any(4) == 0 ? (any(2) == 0 ? "\r\n" : "  \n") : "\n"; }

  void statement(std::span<const Piece> pieces) {
    const Piece& head = pieces[0];
    const bool closes = head.is("}");
    const bool after_open = out_.empty() || out_.ends_with('{');
    // On one line with the brace before or behind it, if there is no comment between.
    const bool joined = !out_.empty() && head.above.empty() && !comment_before_ && !pieces.back().behind &&
                        ((after_open && any(3) == 0) || (closes && any(3) == 0));
    if (joined) {
      out_ += blanks(0);
    } else {
      if (!out_.empty()) new_line();
      for (const auto& comment : head.above) {
        const bool opens = after_open && &comment == &head.above[0];
        if (comment.blank_before || (opens && any(3) == 0)) new_line();
        if (comment.blank_before && any(3) == 0) new_line();
        out_ += comment_before_ ? std::string(comment.column, ' ') : blanks(0);
        out_ += comment.text;
        new_line();
      }
      const bool opens = after_open && head.above.empty();
      if (head.blank_before || ((opens || closes) && any(3) == 0)) new_line();
      out_ += blanks(0);
    }
    const std::string before = out_;
    tokens(pieces, 3);
    const auto& behind = pieces.back().behind;
    if (behind && column() + std::min(2u, behind->gap) > behind->column) {  // no room for the comment: closer
      out_ = before.substr(0, before.find_last_not_of(' ') + 1);
      tokens(pieces, 0);
    }
    if (behind) out_.append(behind->column - column(), ' ').append(behind->text);
    comment_before_ = behind.has_value();
  }

  void tokens(std::span<const Piece> pieces, uint32_t looseness) {
    size_t kept = 0;  // up to here blanks stay
    int depth = 0;
    const bool lined_up = pieces[0].is("param") || pieces[0].is("metric");
    for (size_t i = 0; lined_up && kept == 0 && i < pieces.size(); ++i) {
      if (depth == 0 && (pieces[i].is("=") || pieces[i].is("~"))) kept = i;
      depth += pieces[i].is("(") || pieces[i].is("[");
      depth -= pieces[i].is(")") || pieces[i].is("]");
    }
    depth = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      if (i > 0) {
        const Piece& before = pieces[i - 1];
        const bool may_break = depth > 0 || (before.token.kind == Kind::Sign && goes_on(before.text()));
        const auto word = [](const Piece& p) { return p.token.kind != Kind::Sign; };
        const bool must = word(before) && word(piece);
        if (i <= kept) out_.append(piece.gap, ' ');
        else if (looseness > 0 && may_break && any(6) == 0) out_ += "\n" + blanks(0);
        else if (looseness > 0) out_ += blanks(must);
        else out_.append(must, ' ');
      }
      out_ += piece.text();
      depth += piece.is("(") || piece.is("[");
      depth -= piece.is(")") || piece.is("]");
    }
  }

  Source source_;
  std::mt19937 random_;
  std::string out_;
  bool comment_before_ = false;
};

TEST(Format, DoesNotSeeHowAFileIsSpaced) {
  for (const auto& file : right_files()) {
    const std::string text = testing::read_file(file);
    for (uint32_t seed = 0; seed < 20; ++seed) {
      const std::string other = Respacer(text, seed).run();
      ASSERT_EQ(content(other), content(text)) << file;
      ASSERT_EQ(formatted(other), text) << file << ", seed " << seed << "\n" << other;
    }
  }
}

TEST(Format, OneExampleOfEverything) {
  EXPECT_EQ(
      formatted("\n\n# top\ndim A=2,B = 2 *A\ndim C = 3  \ndata d{read \"a\",\"b\" as csv( header=yes )\n"
                "x : [F]=standardize( col(1),col(2) )\n"
                "yy:[] = number(col(3))/10}\n"
                "tree cell t(x:[2 * E,E/2];h:[H])with(k:[K])->(y:[H]){\n\n\n"
                "param W:[E,H]~glorot frozen   \n"
                "# own\n"
                "   h'=-x ^ 2*( - 1 )@W+left . h\n"
                "yes=h'>=- 1\n\n\n"
                "z=sum over A,B(x)\n"
                "s = scan both( lstm [ 2*H ] ) over(x),f( x )with k=k from h = 0 carry}\n"
                "predict m { show p }#end\n"
                "# last"),
      "# top\n"
      "dim A = 2, B = 2 * A\n"
      "dim C = 3\n"
      "\n"
      "data d {\n"
      "  read \"a\", \"b\" as csv(header = yes)\n"
      "  x: [F] = standardize(col(1), col(2))\n"
      "  yy: [] = number(col(3)) / 10\n"
      "}\n"
      "\n"
      "tree cell t(x: [2*E, E/2]; h: [H]) with (k: [K]) -> (y: [H]) {\n"
      "  param W: [E, H] ~ glorot frozen\n"
      "  # own\n"
      "  h'  = -x^2 * (-1) @ W + left.h\n"
      "  yes = h' >= -1\n"
      "\n"
      "  z = sum over A, B (x)\n"
      "  s = scan both(lstm[2*H]) over (x), f(x) with k = k from h = 0 carry\n"
      "}\n"
      "\n"
      "predict m {\n"
      "  show p\n"
      "}  #end\n"
      "# last\n");
}

TEST(Format, LinesTooLongAreBrokenWhereLeastIsTorn) {
  const std::string sum = "aaaaaaaaaaaaaaaa * bbbbbbbbbbbbbbbbbb + cccccccccccccc * ddd";
  EXPECT_EQ(formatted("layer l(a: [A]) -> (y: [A]) {\n  y = sigmoid(" + sum + " + f(eeeeeeeee, ffffffff), " +
                      "gggggggggggggggggggggggg)\n}\n"),
            "layer l(a: [A]) -> (y: [A]) {\n"
            "  y = sigmoid(" +
                sum +
                " + f(eeeeeeeee, ffffffff),\n"
                "              gggggggggggggggggggggggg)\n"
                "}\n");
}

TEST(Format, CommentsInsideAStatementStayWhereTheyAre) {
  const std::string text =
      "layer l(a: [A],  # the first\n"
      "        b: [A]) -> (y: [A]) {\n"
      "  y = f(a,  # one\n"
      "        # two\n"
      "        b) +  # three\n"
      "      a\n"
      "}\n";
  EXPECT_EQ(formatted(text), text);
  expect_sound(text, "comments");
}

TEST(Format, ColumnsLinedUpByHandStayAndTakeInNewLines) {
  EXPECT_EQ(formatted("cell c(x: [E]; h: [H]) {  # a\n"
                      "  param W: [E, H] ~ glorot\n"
                      "  param U: [H, H]~ orthogonal   # b\n"
                      "  param b: [H]    = 0           # c\n"
                      "  h' = x # d\n"
                      "}\n"),
            "cell c(x: [E]; h: [H]) {        # a\n"
            "  param W: [E, H] ~ glorot\n"
            "  param U: [H, H] ~ orthogonal  # b\n"
            "  param b: [H]    = 0           # c\n"
            "  h' = x                        # d\n"
            "}\n");
}

TEST(Format, NothingAndCommentsOnly) {
  EXPECT_EQ(formatted(""), "");
  EXPECT_EQ(formatted("\n \n"), "");
  EXPECT_EQ(formatted("\xEF\xBB\xBF# only \r\n\r\n\r\n  # two"), "# only\n\n# two\n");
  EXPECT_EQ(formatted("data d { \n\n }  # c\n"), "data d {}  # c\n");
}

}  // namespace
}  // namespace rnnc
