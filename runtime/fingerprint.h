// A number that tells data apart: training may go on only with those it began with.
#pragma once

#include <cstdint>

#include "runtime/dataset.h"

namespace rnnc {

/// Of everything that the rows are made of and the parts they are in; reads it once.
uint64_t fingerprint(const Dataset& dataset);

}  // namespace rnnc
