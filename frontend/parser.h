// Text to syntax tree, by recursive descent with two tokens of look-ahead.
#pragma once

#include "frontend/ast.h"
#include "ir/source.h"

namespace rnnc {

/// The items of `source`. Places carry `source_number`.
/// Throws UserError with all syntax errors found, at most ten.
ast::File parse(const Source& source, uint16_t source_number = Place::kOwnFile);

}  // namespace rnnc
