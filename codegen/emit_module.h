// From a kernel to a function: the loops around products, bodies and reductions.
#pragma once
#include <string>

#include "codegen/kernel_builder.h"

namespace rnnc {

/// Adds `void name(const KernelArgs*, int64_t begin, int64_t end)` to the builder's module. Micro-kernels are
/// declared, not defined.
void emit_kernel(KernelBuilder& b, const Kernel& kernel, const std::string& name);

/// Adds `void name(int64_t turns, float* sink)`: independent chains of x = x * s + s with s = sink[0], whose
/// sum goes to sink[0]; peak_flops operations a turn.
void emit_peak(KernelBuilder& b, const std::string& name);
int64_t peak_flops(const Target& target);

}  // namespace rnnc
