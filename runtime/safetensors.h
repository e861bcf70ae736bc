// Files of named tensors in the safetensors format: 8 bytes header size, a JSON header, the bytes.
//
// Read strictly (a file that lies about its sizes is refused), written so that a crash at any moment leaves
// either the old file or the new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

/// A tensor to be written; the bytes are the caller's. `dtype` is the format's name: "F32", "F64", "I32",
/// "I64", "U8", ...; little-endian, row-major.
struct TensorView {
  std::string name;
  std::string dtype = "F32";
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A tensor that was read.
struct SavedTensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  /// The values of an F32 tensor, copied. Throws RunError for another type.
  std::vector<float> floats() const;
};

struct SafeTensors {
  std::map<std::string, SavedTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// A view on floats (F32).
TensorView tensor_view(std::string name, std::vector<int64_t> shape, std::span<const float> values);

/// "[2, 3]"
std::string shape_text(std::span<const int64_t> shape);

/// Reads a whole file. Throws DataError (file, what is wrong) if it is missing, cannot be read, is cut short
/// or malformed.
SafeTensors read_safetensors(const std::string& path);

/// The same from bytes; `name` is for messages.
SafeTensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

/// Writes a file: to a temporary file in the same folder, synced, then renamed over `path`. Throws RunError
/// if that is not possible, and then `path` is as it was. Throws std::invalid_argument if bytes and shape of
/// a tensor do not fit or a name stands twice.
void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace rnnc
