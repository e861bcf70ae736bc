// Text to syntax tree, by recursive descent with two tokens of look-ahead.
#pragma once

#include "frontend/ast.h"
#include "ir/source.h"

namespace rnnc {

/// The items of `source`. Places carry `source_number`; nodes are numbered from `first_id` on.
/// Throws UserError with all syntax errors found, at most ten.
ast::File parse(const Source& source, uint16_t source_number = Place::kOwnFile, ast::NodeId first_id = 0);

}  // namespace rnnc
