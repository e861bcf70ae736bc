// How fast memory is, against which kernels that move much are measured.
#pragma once
#include <cstddef>

#include "runtime/threads.h"

namespace rnnc {

/// 10^9 bytes a second read and written by a[i] = b[i] + s * c[i] over three arrays of `bytes` together, all
/// threads of the team, the best of several runs. Choose more bytes than the last cache holds to measure main
/// memory. Throws ArenaError.
double measure_bandwidth(Team& team, size_t bytes = size_t{192} << 20);

}  // namespace rnnc
