// The rules of the grammar for expressions, arguments and cell references.
#pragma once

#include <initializer_list>
#include <vector>

#include "frontend/ast.h"
#include "frontend/token_stream.h"

namespace rnnc {

/// expr = sum [ ( "<" | ">" | "<=" | ">=" | "==" | "!=" ) sum ] ;
ast::Expr parse_expr(TokenStream& tokens);

/// arg = [ NAME "=" ] expr ;
ast::Arg parse_arg(TokenStream& tokens);

/// args = arg { "," arg } ;   up to one of the signs `ends`, which is not taken; may be empty.
std::vector<ast::Arg> parse_args(TokenStream& tokens, std::initializer_list<std::string_view> ends);

/// cellref = NAME [ "[" args "]" ] | NAME "(" cellref { "," arg } ")" ;
ast::CellRef parse_cellref(TokenStream& tokens);

/// What a text token says: without its quotes, escapes replaced.
std::string unescape(std::string_view token);

}  // namespace rnnc
