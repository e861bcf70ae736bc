// See compiler.h.
#include "driver/compiler.h"

#include "codegen/object_cache.h"
#include "codegen/target.h"

namespace rnnc {

Jit make_jit(const Options& options) {
  return Jit(target_by_name(options.target), thread_count(options), ObjectCache(cache_folder(options)));
}

}  // namespace rnnc
