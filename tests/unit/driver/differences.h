// Gradients against central differences.
#pragma once
#include <string>
#include <vector>

#include "ir/interpret.h"

namespace rnnc::test {

/// Roots of `graph`: `loss`, and `d NAME` for each name in `names`. Compares the derivative along a random
/// direction of each name, and of all at once, with the central difference.
void check_gradients(const Graph& graph, const Tensors& values, const RowTable& table,
                     const std::vector<std::string>& names, double tolerance = 1e-7);

}  // namespace rnnc::test
