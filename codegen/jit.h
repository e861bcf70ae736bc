// Compiles kernels into this process. One Jit serves all programs: equal kernels and the micro-kernels of the
// products are compiled once.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/object_cache.h"
#include "codegen/target.h"
#include "runtime/abi.h"

namespace rnnc {

/// LLVM refused something: a mistake of ours, with its message.
struct JitError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct JitStats {
  double milliseconds = 0;  // in compile(): wall time
  int kernels = 0;          // unequal ones, without those that this Jit had already
  int micro_kernels = 0;
  int from_disk = 0;  // of both: found in the cache, not compiled
  int64_t bytes = 0;  // of the object files
};

/// Not to be used by two threads at once; the functions it gives may be.
class Jit {
 public:
  /// `threads`: how many compile at the same time, each its own module (1 or more). What is compiled is kept
  /// in `cache`, and looked for there first.
  explicit Jit(const Target& target, int threads = 1, ObjectCache cache = ObjectCache());
  ~Jit();
  Jit(const Jit&) = delete;
  Jit& operator=(const Jit&) = delete;

  /// The code of each kernel, valid as long as the Jit. Throws KernelError for a kernel that makes no sense.
  std::vector<KernelFn> compile(std::span<const Kernel> kernels);

  /// The same as text, micro-kernels included, without touching the cache: for --emit=llvm and --emit=asm.
  std::string ir(std::span<const Kernel> kernels) const;
  std::string assembly(std::span<const Kernel> kernels) const;

  /// A loop of independent multiply-adds, `flops` of them in each of `turns` turns: the most the target can
  /// do.
  struct Peak {
    void (*run)(int64_t turns, float* sink);
    int64_t flops;
  };
  Peak peak();

  const Target& target() const;
  const JitStats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rnnc
