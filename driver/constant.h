// Numbers in settings: constants, `dim` names and arithmetic of them.
#pragma once

#include <optional>

#include "frontend/ast.h"
#include "frontend/types.h"

namespace rnnc {

/// The value of an expression that is known before the data are read; nothing for any other.
std::optional<double> constant_value(const ast::Expr& e, const DimValues& dims);

}  // namespace rnnc
