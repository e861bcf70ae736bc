// What coins read (ir/chance.h), bound to a program: the numbers of the rows, and the key of a training step.
#pragma once
#include <array>
#include <cstdint>

#include "runtime/batches.h"
#include "runtime/program.h"

namespace rnnc {

/// The number in the data of the row at a place of a batch, in the order of a sequence dimension.
int64_t row_number(const Batch& batch, size_t dimension, int64_t place);

/// Sets the numbers of the rows of a batch, alone and beside the steps of each sequence, where the program
/// reads them.
void bind_rows(Session& session, const Batch& batch);

/// The key of all coins of a training step, counted from 1 over all epochs.
std::array<int32_t, 2> chance_of_step(uint64_t seed, int64_t step);

}  // namespace rnnc
