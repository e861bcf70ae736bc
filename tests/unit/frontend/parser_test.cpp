// Lexer and parser: what the trees look like.
#include <gtest/gtest.h>

#include "frontend/lexer.h"
#include "frontend/parser.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

using ast::Expr;

/// An expression as text with every bracket written.
std::string show(const Expr& e) {
  const auto list = [](const std::vector<ast::Arg>& args) {
    std::string out;
    for (const ast::Arg& arg : args)
      out += (out.empty() ? "" : ", ") + (arg.name.empty() ? "" : arg.name + " = ") + show(arg.value);
    return out;
  };
  switch (e.kind) {
    case Expr::Kind::Number: return std::to_string(static_cast<int>(e.number));
    case Expr::Kind::Text: return std::string("\"").append(e.text).append("\"");
    case Expr::Kind::Name: return e.text;
    case Expr::Kind::Negate: return std::string("(-").append(show(e.operands[0])).append(")");
    case Expr::Kind::Binary:
      return std::string("(")
          .append(show(e.operands[0]))
          .append(ast::spelling(e.op))
          .append(show(e.operands[1]))
          .append(")");
    case Expr::Kind::Call:
      return show(e.operands[0]) + "(" + list(e.args) + (e.has_states ? "; " + list(e.states) : "") + ")";
    case Expr::Kind::Index: return show(e.operands[0]) + "[" + list(e.args) + "]";
    case Expr::Kind::Part: return show(e.operands[0]) + "." + e.text;
    case Expr::Kind::Over: {
      std::string dims;
      for (const ast::Name& dim : e.dimensions) dims += " " + dim.text;
      return e.text + " over" + dims + " (" + list(e.args) + ")";
    }
  }
  return "";
}

ast::Equation equation(const std::string& text) {
  const ast::File file = parse({"t.rnn", "model m(x: [A]) -> (y: [A]) {\n" + text + "\n}\n"});
  return std::get<ast::Equation>(std::get<ast::Definition>(file.items[0]).body[0]);
}
std::string expression(const std::string& text) {
  return show(std::get<Expr>(equation("y = " + text).value));
}

TEST(Parser, Precedence) {
  EXPECT_EQ(expression("a + b * c @ d ^ e"), "(a+(b*(c@(d^e))))");
  EXPECT_EQ(expression("r * h @ U"), "(r*(h@U))");
  EXPECT_EQ(expression("a - b - c"), "((a-b)-c)");
  EXPECT_EQ(expression("-a ^ b"), "(-(a^b))");
  EXPECT_EQ(expression("a ^ -b"), "(a^(-b))");
  EXPECT_EQ(expression("a ^ b ^ c"), "(a^(b^c))");
  EXPECT_EQ(expression("a + b < c"), "((a+b)<c)");
  EXPECT_EQ(expression("lstm[H, A = 2](x; h, c).c"), "lstm[H, A = 2](x; h, c).c");
  EXPECT_EQ(expression("sum over S, T (e)"), "sum over S T (e)");
  EXPECT_EQ(expression("1_000"), "1000");
  EXPECT_EQ(expression("f(\"a\\n\\\"\")"), "f(\"a\n\"\")");
}

TEST(Parser, LinesGoOnAfterOperatorsAndInBrackets) {
  EXPECT_EQ(expression("a +   # a remark\n b"), "(a+b)");
  EXPECT_EQ(expression("f(a\n, b)"), "f(a, b)");
}

TEST(Parser, ScansAreNoExpressions) {
  const auto scan = std::get<ast::Scan>(
      equation("y = scan stack(both(gru[64]), 2, dropout = 0) over a, b with m = c from h = d carry").value);
  EXPECT_EQ(scan.cell.name, "stack");
  EXPECT_EQ(scan.cell.inner[0].inner[0].name, "gru");
  EXPECT_EQ(scan.cell.options[1].name, "dropout");
  EXPECT_EQ(scan.over.size(), 2u);
  EXPECT_EQ(scan.constants[0].name, "m");
  EXPECT_EQ(scan.first[0].name, "h");
  EXPECT_TRUE(scan.carry);
  EXPECT_EQ(std::get<ast::Scan>(equation("y = scan c for 5 from s").value).from_scan->text, "s");
  EXPECT_TRUE(std::get<ast::Scan>(equation("y = fold c over x").value).fold);
}

TEST(Parser, PlacesAreThoseOfTheWordsMeant) {
  const ast::Equation e = equation("y = a @ b");
  const Expr& product = std::get<Expr>(e.value);
  EXPECT_EQ(e.place.offset, 30u);
  EXPECT_EQ(product.place.offset, 36u);
  EXPECT_EQ(product.place.length, 1u);
}

TEST(Parser, GoesOnAfterAnError) {
  try {
    parse({"t.rnn", "cell c(x: [E]; h: [H]) {\n  a = = 1\n  h' = 0 < 1 < 2\n}\nmodle m\ndim E = 3\n"});
    FAIL();
  } catch (const UserError& error) {
    ASSERT_EQ(error.diagnostics().size(), 3u);
    EXPECT_EQ(error.diagnostics()[0].line, 2u);
    EXPECT_EQ(error.diagnostics()[1].line, 3u);
    EXPECT_EQ(error.diagnostics()[2].line, 5u);
  }
}

TEST(Lexer, Tokens) {
  const Source source{"t.rnn", "a' 2e-3 <= \"x\\\"y\" # end\n"};
  const auto tokens = lex(source);
  ASSERT_EQ(tokens.size(), 7u);
  EXPECT_EQ(tokens[0].text, "a'");
  EXPECT_EQ(tokens[1].text, "2e-3");
  EXPECT_EQ(tokens[2].text, "<=");
  EXPECT_EQ(tokens[3].text, "\"x\\\"y\"");
  EXPECT_EQ(tokens[4].kind, Token::Kind::LineEnd);
  EXPECT_EQ(tokens[6].kind, Token::Kind::End);
}

TEST(Suggest, NearestNameFirstInTheAlphabet) {
  const std::vector<std::string> known = {"sin", "sqrt", "softmax", "cos"};
  EXPECT_EQ(suggest("sotfmax", known), "did you mean `softmax`?");
  EXPECT_EQ(suggest("son", known), "did you mean `sin`?");
  EXPECT_EQ(suggest("x", known), "");
  EXPECT_EQ(suggest("nothing", known), "");
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("größe", "grösse"), 2u);
}

}  // namespace
}  // namespace rnnc
