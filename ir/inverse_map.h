// Maps of rows backwards, so that what a one-to-one map carries away can be fetched back without adding up.
#pragma once
#include <optional>

#include "ir/spaces.h"

namespace rnnc {

/// The map back, if no two rows of `to` belong to one of `from`: the places of a window, an element later or
/// earlier. Rows of `from` that none belongs to have none.
std::optional<RowMap> inverse(const RowMap& map);

}  // namespace rnnc
