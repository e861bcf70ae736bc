// From the text of a file to the plans of its programs, with data made up: whatever `rnnc compile` does but
// the machine code, and that if wanted. Anything but a result or messages to the user is a bug of ours.
#pragma once

#include <string>

namespace rnnc::fuzz {

/// How far a text came.
enum class Came { ToMessages, ToPlans };

/// Throws what is neither UserError nor DataError. With `code` the first program goes through LLVM too.
Came lowering(const std::string& text, bool code = false);

/// A data file: its first line says how it is read (`csv header`, `lines latin1`, `npy`), the rest are its
/// bytes. Every field that the format can give is read from it.
void data_file(const std::string& bytes);

}  // namespace rnnc::fuzz
