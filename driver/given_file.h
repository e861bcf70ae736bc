// The file that is named on the command line: read, or refused with what was probably meant.
#pragma once

#include <string>
#include <string_view>

namespace rnnc {

/// The bytes of file `path`. A file that is not there is answered with the nearest name beside it that ends
/// with `ending` (or with `path` itself, if only the ending is missing), a folder with what it has of them.
/// Throws UserError, DataError.
std::string read_given_file(const std::string& path, std::string_view ending);

/// The text of an experiment; what is a saved model is refused.
std::string read_experiment(const std::string& path);

/// Do these bytes begin like a saved model? (A safetensors file begins with the size of its header, 8 bytes,
/// and the header with a brace.)
bool is_saved_model(std::string_view bytes);

}  // namespace rnnc
