// The machine that code is made for: vector width, registers, fused multiply-add, and the names LLVM knows it
// by. Everything that depends on the instruction set asks a Target; nothing else tests for one.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

/// A target that does not exist or that this machine cannot run.
struct TargetError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Target {
  std::string name;                   // avx512, avx2, sse2
  int lanes = 4;                      // floats of a vector register
  int registers = 16;                 // vector registers
  bool has_fma = false;               // else products are rounded before they are added
  bool has_masks = false;             // masked stores are as fast as plain ones
  std::string triple, cpu, features;  // as LLVM wants them
  bool operator==(const Target&) const = default;
};

/// The best target this machine runs, by its feature list (a name like `znver5` may promise what a virtual
/// machine hides).
Target host_target();

/// `host`, `avx512`, `avx2` or `sse2`. Throws TargetError, saying what the machine lacks.
Target target_by_name(std::string_view name);

/// The names target_by_name knows besides `host`, best first.
std::vector<std::string_view> target_names();

/// How a micro-kernel covers a panel of `chunks` times 16 floats: `rows` rows at a time, in passes of so many
/// vectors. Each pass keeps rows * vectors sums, its vectors of the panel and one broadcast in registers.
struct Tiling {
  int rows = 1;
  std::vector<int> passes;  // vectors of each pass, left to right
};
Tiling tiling(const Target& target, int chunks);

}  // namespace rnnc
