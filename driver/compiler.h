// The Jit of a command: for the target, the threads and the cache that its options say.
#pragma once

#include "codegen/jit.h"
#include "driver/options.h"

namespace rnnc {

Jit make_jit(const Options& options);

}  // namespace rnnc
