// The syntax tree as text, one line a thing, operators as (op a b): `rnnc compile FILE --emit=ast`.
#pragma once
#include <string>

#include "frontend/ast.h"

namespace rnnc {

std::string print_syntax(const ast::File& file);
std::string print_syntax(const ast::Expr& expr);

}  // namespace rnnc
