// Expressions by recursive descent: one function a rule, the loosest operator first.
#include "frontend/parse_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace rnnc {
namespace {

using ast::Arg;
using ast::BinaryOp;
using ast::Expr;
using Kind = Token::Kind;

constexpr int kMaxNesting = 100;
constexpr const char* kTooDeep = "this is nested too deeply; give parts of it names of their own";

/// Refuses `expr` if it has grown too high to be walked by recursion.
Expr finish(TokenStream& tokens, Expr expr) {
  uint32_t below = 0;
  for (const Expr& e : expr.operands) below = std::max(below, e.height);
  for (const Arg& a : expr.args) below = std::max(below, a.value.height);
  for (const Arg& a : expr.states) below = std::max(below, a.value.height);
  expr.height = below + 1;
  if (expr.height > ast::kMaxHeight) tokens.fail(expr.place, kTooDeep);
  return expr;
}

Expr make(Expr::Kind kind, Place place) {
  Expr expr;
  expr.kind = kind;
  expr.place = place;
  return expr;
}

Expr binary(TokenStream& tokens, BinaryOp op, Place place, Expr left, Expr right) {
  Expr expr = make(Expr::Kind::Binary, place);
  expr.op = op;
  expr.operands.push_back(std::move(left));
  expr.operands.push_back(std::move(right));
  return finish(tokens, std::move(expr));
}

std::optional<BinaryOp> comparison_at(const TokenStream& tokens) {
  for (BinaryOp op : {BinaryOp::Less, BinaryOp::Greater, BinaryOp::LessEqual, BinaryOp::GreaterEqual,
                      BinaryOp::Equal, BinaryOp::NotEqual})
    if (tokens.at(ast::spelling(op))) return op;
  return std::nullopt;
}

Expr number(TokenStream& tokens) {
  const Token& token = tokens.next();
  Expr expr = make(Expr::Kind::Number, token.place);
  std::string digits(token.text);
  std::erase(digits, '_');
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expr.number);
  const bool tiny = error == std::errc::result_out_of_range && digits.find('-') != std::string::npos;
  if (tiny) expr.number = 0;
  if ((error != std::errc() && !tiny) || std::isinf(expr.number))
    tokens.fail(token.place, "this number is too large");
  expr.whole = digits.find_first_of(".eE") == std::string::npos;
  return expr;
}

// primary = NUMBER | STRING | NAME | PRIMED | "(" expr ")" | NAME "over" NAME { "," NAME } "(" args ")" ;
Expr primary(TokenStream& tokens) {
  const Token token = tokens.peek();
  if (token.kind == Kind::Number) return number(tokens);
  if (token.kind == Kind::Text) {
    tokens.next();
    Expr expr = make(Expr::Kind::Text, token.place);
    expr.text = unescape(token.text);
    return expr;
  }
  if (tokens.at_any({"scan", "fold"}))
    tokens.fail(Code::ScanInside, token.place,
                fmt::format("a {} stands alone on the right of `=`", token.text),
                "give it a name on a line of its own");
  if (tokens.take("(")) {
    Expr expr = parse_expr(tokens);
    tokens.eat(")");
    return expr;
  }
  if (token.kind == Kind::Name && !is_reserved(token.text)) {
    tokens.next();
    Expr expr = make(Expr::Kind::Name, token.place);
    expr.text = std::string(token.text);
    if (!tokens.take("over")) return expr;
    expr.kind = Expr::Kind::Over;
    do expr.dimensions.push_back(tokens.name());
    while (tokens.take(","));
    tokens.eat("(");
    expr.args = parse_args(tokens, {")"});
    tokens.eat(")");
    return finish(tokens, std::move(expr));
  }
  if (tokens.at(".") && tokens.at_kind(Kind::Number, 1))
    tokens.fail(Code::Number, token.place, "a number begins with a digit",
                fmt::format("write `0.{}`", tokens.peek(1).text));
  tokens.fail(token.place, fmt::format("expected a value, found {}", tokens.found()));
}

// postfix = primary { "(" [ args ] [ ";" args ] ")" | "[" [ args ] "]" | "." NAME } ;
Expr postfix(TokenStream& tokens) {
  Expr expr = primary(tokens);
  while (tokens.at_any({"(", "[", "."})) {
    const char sign = tokens.next().text.front();
    const Expr::Kind kind = sign == '('   ? Expr::Kind::Call
                            : sign == '[' ? Expr::Kind::Index
                                          : Expr::Kind::Part;
    Expr outer = make(kind, expr.place);
    outer.operands.push_back(std::move(expr));
    if (kind == Expr::Kind::Call) {
      outer.args = parse_args(tokens, {")", ";"});
      outer.has_states = tokens.take(";");
      if (outer.has_states) outer.states = parse_args(tokens, {")"});
      tokens.eat(")");
    } else if (kind == Expr::Kind::Index) {
      outer.args = parse_args(tokens, {"]"});
      tokens.eat("]");
    } else {
      outer.text = tokens.name().text;
    }
    expr = finish(tokens, std::move(outer));
  }
  return expr;
}

// unary = "-" unary | postfix [ "^" unary ] ;
Expr unary(TokenStream& tokens) {
  const TokenStream::Nesting nesting(tokens, kMaxNesting, kTooDeep);
  const Place place = tokens.place();
  if (tokens.take("-")) {
    Expr expr = make(Expr::Kind::Negate, place);
    expr.operands.push_back(unary(tokens));
    return finish(tokens, std::move(expr));
  }
  Expr base = postfix(tokens);
  const Place sign = tokens.place();
  if (!tokens.take("^")) return base;
  Expr exponent = unary(tokens);
  return binary(tokens, BinaryOp::Power, sign, std::move(base), std::move(exponent));
}

/// operand { sign operand }, grouped from the left.
Expr chain(TokenStream& tokens, std::initializer_list<BinaryOp> ops, Expr (*operand)(TokenStream&)) {
  Expr left = operand(tokens);
  for (;;) {
    const auto op =
        std::find_if(ops.begin(), ops.end(), [&](BinaryOp o) { return tokens.at(ast::spelling(o)); });
    if (op == ops.end()) return left;
    const Place place = tokens.next().place;
    Expr right = operand(tokens);
    left = binary(tokens, *op, place, std::move(left), std::move(right));
  }
}

// product = unary { "@" unary } ;
Expr product(TokenStream& tokens) {
  return chain(tokens, {BinaryOp::MatMul}, unary);
}

// term = product { ( "*" | "/" ) product } ;
Expr term(TokenStream& tokens) {
  return chain(tokens, {BinaryOp::Multiply, BinaryOp::Divide}, product);
}

// sum = term { ( "+" | "-" ) term } ;
Expr sum(TokenStream& tokens) {
  return chain(tokens, {BinaryOp::Add, BinaryOp::Subtract}, term);
}

}  // namespace

Expr parse_expr(TokenStream& tokens) {
  Expr left = sum(tokens);
  const std::optional<BinaryOp> op = comparison_at(tokens);
  if (!op) return left;
  const Place place = tokens.next().place;
  Expr right = sum(tokens);
  if (comparison_at(tokens))
    tokens.fail(Code::Chain, tokens.place(), "one comparison at a time", "`(a < b) * (b < c)`");
  return binary(tokens, *op, place, std::move(left), std::move(right));
}

Arg parse_arg(TokenStream& tokens) {
  Arg arg;
  arg.place = tokens.place();
  if (tokens.at_kind(Kind::Name) && tokens.at("=", 1)) {
    arg.name = tokens.name().text;
    tokens.eat("=");
  }
  arg.value = parse_expr(tokens);
  return arg;
}

std::vector<Arg> parse_args(TokenStream& tokens, std::initializer_list<std::string_view> ends) {
  std::vector<Arg> args;
  while (!tokens.at_any(ends)) {
    args.push_back(parse_arg(tokens));
    if (!tokens.at_any(ends)) tokens.eat(",");
  }
  return args;
}

ast::CellRef parse_cellref(TokenStream& tokens) {
  constexpr int kMaxCombinators = 8;  // `stack` doubles the work of checking what stands in it
  const TokenStream::Nesting nesting(tokens, kMaxCombinators, "so many combinators in one another");
  const ast::Name name = tokens.name();
  ast::CellRef ref;
  ref.name = name.text;
  ref.place = name.place;
  if (tokens.take("(")) {
    ref.inner.push_back(parse_cellref(tokens));
    while (tokens.take(",")) ref.options.push_back(parse_arg(tokens));
    tokens.eat(")");
  } else if (tokens.take("[")) {
    ref.sizes = parse_args(tokens, {"]"});
    tokens.eat("]");
  }
  return ref;
}

std::string unescape(std::string_view token) {
  std::string text;
  for (size_t i = 1; i + 1 < token.size(); ++i) {
    if (token[i] != '\\') {
      text += token[i];
      continue;
    }
    const char escaped = token[++i];
    text += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return text;
}

}  // namespace rnnc
