// What the processor can do at most, against which kernels are measured.
#pragma once
#include "codegen/jit.h"
#include "runtime/threads.h"

namespace rnnc {

/// 10^9 multiply or add operations a second of all threads of the team together, in independent chains of
/// multiply-adds in registers: the best of several short runs.
double measure_peak_gflops(Jit& jit, Team& team);

}  // namespace rnnc
