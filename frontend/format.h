// A file in the one way it is written: what `rnnc format` prints.
//
//   cell c(x:[E];h:[H]){            cell c(x: [E]; h: [H]) {
//   param W:[E,H]~glorot      →       param W: [E, H] ~ glorot
//     z=x@W                           z  = x @ W
//     h'=tanh( z+h )}                 h' = tanh(z + h)
//                                   }
//
// Blanks and line breaks inside a statement follow from its tokens alone. What the writer keeps: comments,
// single empty lines, and columns that were lined up by hand (format_columns.h).
#pragma once

#include <string>

#include "ir/source.h"

namespace rnnc {

/// The text of `source`, formatted. Its tokens, comments and syntax tree are those of the text given, and
/// formatting the result changes nothing. Throws UserError for what is no syntax.
std::string format(const Source& source);

}  // namespace rnnc
