// From the syntax of a data block to what the readers understand.
//
// The runtime knows no syntax trees; this is the only place where both are seen. What the language has and
// the readers do not yet have is refused here by name.
#pragma once

#include <set>
#include <string>

#include "frontend/ast.h"
#include "frontend/types.h"
#include "ir/diagnostic.h"
#include "ir/source.h"
#include "runtime/data_spec.h"
#include "runtime/errors.h"

namespace rnnc {

/// The data block as the readers understand it. `dims` are the values of `dim`; `with_bos` the vocabularies
/// that need <bos> (`delay` is used on them), `with_blank` those that need <blank> (`ctc`). Throws UserError:
/// what is wrong or not built yet, and where.
DataSpec data_spec(const ast::DataBlock& block, const Source& source, const DimValues& dims = {},
                   const std::set<std::string>& with_bos = {}, const std::set<std::string>& with_blank = {});

/// A message of the runtime in the form of all messages.
Diagnostic to_diagnostic(const DataMessage& message);

}  // namespace rnnc
