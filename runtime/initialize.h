// First values of parameters: what stands after `~` (language reference, end of section 5).
#pragma once

#include <cstdint>
#include <span>

namespace rnnc {

enum class InitialKind {
  Constant,    // value
  Glorot,      // uniform, +-sqrt(6 / (in + out)): Glorot and Bengio 2010
  He,          // normal, sqrt(2 / in): He et al. 2015
  Orthogonal,  // orthonormal rows or columns, whichever are fewer: Saxe et al. 2014
  Identity,    // 1 on the diagonal
  Uniform,     // +-value
  Normal       // deviation value
};

struct InitialValues {
  InitialKind kind = InitialKind::Constant;
  double value = 0;
};

/// Fills `values`, row-major [rows, cols]: in = rows is the first dimension of the parameter, out = cols the
/// product of the others (1 for a vector). `place` names the parameter (place_of its name): the values depend
/// on seed, place and shape only. Throws std::invalid_argument if the sizes do not fit.
void initialize(std::span<float> values, int64_t rows, int64_t cols, InitialValues how, uint64_t seed,
                uint32_t place);

}  // namespace rnnc
