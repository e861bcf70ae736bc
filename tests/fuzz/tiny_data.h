// Data files for any data block: a few rows that its format and its fields can read, so that what comes after
// the data can be tried on files whose data nobody has.
#pragma once

#include <string>

#include "runtime/data_spec.h"

namespace rnnc::fuzz {

/// Writes a file for every name that `spec` reads (two for one with `*`) into `folder`. Names that lead out
/// of the folder are left alone.
void write_tiny_data(const DataSpec& spec, const std::string& folder);

}  // namespace rnnc::fuzz
