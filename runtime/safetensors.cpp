// Reading and writing of safetensors files.
//
// The rules of the format that are checked here: the header is a JSON object of at most 100 MB; every tensor
// but
// __metadata__ has dtype, shape and data_offsets; the tensors, in the order of their offsets, cover the rest
// of the file without gap and overlap.
#include "runtime/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "runtime/errors.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr uint64_t kLargestHeader = 100'000'000;
constexpr size_t kSizeBytes = 8;
constexpr size_t kAlignment = 8;  // of the data in files written here
constexpr const char* kMetadata = "__metadata__";

struct TypeSize {
  const char* name;
  int64_t bytes;
};
constexpr std::array<TypeSize, 15> kTypes = {{{"BOOL", 1},
                                              {"U8", 1},
                                              {"I8", 1},
                                              {"F8_E5M2", 1},
                                              {"F8_E4M3", 1},
                                              {"I16", 2},
                                              {"U16", 2},
                                              {"F16", 2},
                                              {"BF16", 2},
                                              {"I32", 4},
                                              {"U32", 4},
                                              {"F32", 4},
                                              {"F64", 8},
                                              {"I64", 8},
                                              {"U64", 8}}};

std::optional<int64_t> type_bytes(std::string_view dtype) {
  const auto* found = std::ranges::find(kTypes, dtype, &TypeSize::name);
  if (found == kTypes.end()) return std::nullopt;
  return found->bytes;
}

// Bytes of a tensor; nothing for an unknown type, a negative size or a product beyond 64 bits.
std::optional<int64_t> tensor_bytes(std::string_view dtype, std::span<const int64_t> shape) {
  std::optional<int64_t> bytes = type_bytes(dtype);
  for (const int64_t size : shape) {
    if (!bytes || size < 0) return std::nullopt;
    if (size != 0 && *bytes > std::numeric_limits<int64_t>::max() / size) return std::nullopt;
    *bytes *= size;
  }
  return bytes;
}

[[noreturn]] void refuse(const std::string& file, std::string why) {
  throw DataError(
      {.file = file, .message = "not a safetensors file: " + std::move(why), .notes = {}, .help = {}});
}

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

bool is_count(const Json& json) {
  return json.is_number_unsigned();
}

Entry parse_entry(const std::string& name, const Json& json, const std::string& file) {
  Entry entry{.name = name, .dtype = {}, .shape = {}};
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    refuse(file, fmt::format("tensor \"{}\" needs dtype, shape and data_offsets", name));
  const Json &dtype = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
  if (!dtype.is_string() || !shape.is_array() || !std::ranges::all_of(shape, is_count) ||
      !offsets.is_array() || offsets.size() != 2 || !std::ranges::all_of(offsets, is_count))
    refuse(file, fmt::format("dtype, shape or data_offsets of tensor \"{}\" are malformed", name));
  entry.dtype = dtype.get<std::string>();
  if (!type_bytes(entry.dtype))
    refuse(file, fmt::format("tensor \"{}\" has the unknown type {}", name, entry.dtype));
  for (const Json& size : shape) {
    const auto value = size.get<uint64_t>();
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      refuse(file, fmt::format("the shape of tensor \"{}\" is too large", name));
    entry.shape.push_back(static_cast<int64_t>(value));
  }
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  const std::optional<int64_t> bytes = tensor_bytes(entry.dtype, entry.shape);
  if (!bytes) refuse(file, fmt::format("the shape of tensor \"{}\" is too large", name));
  if (entry.end < entry.begin || entry.end - entry.begin != static_cast<uint64_t>(*bytes))
    refuse(file, fmt::format("tensor \"{}\": {} {} is {} bytes, its offsets are {} to {}", name, entry.dtype,
                             shape_text(entry.shape), *bytes, entry.begin, entry.end));
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& json, const std::string& file) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object()) refuse(file, "the metadata are no map of texts");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) refuse(file, fmt::format("the metadata entry \"{}\" is no text", key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

}  // namespace

std::vector<float> SavedTensor::floats() const {
  if (dtype != "F32") throw RunError("a tensor of type " + dtype + " where F32 is needed");
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TensorView tensor_view(std::string name, std::vector<int64_t> shape, std::span<const float> values) {
  return {.name = std::move(name), .dtype = "F32", .shape = std::move(shape), .bytes = std::as_bytes(values)};
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

SafeTensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kSizeBytes) refuse(name, fmt::format("{} bytes are too few", bytes.size()));
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), kSizeBytes);
  if (header_size > kLargestHeader) refuse(name, fmt::format("a header of {} bytes", header_size));
  if (header_size > bytes.size() - kSizeBytes) refuse(name, "cut short in its header");
  const auto* text = reinterpret_cast<const char*>(bytes.data() + kSizeBytes);
  const Json header = Json::parse(text, text + header_size, nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded()) refuse(name, "its header is not JSON");
  if (!header.is_object()) refuse(name, "its header is no JSON object");

  SafeTensors result;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == kMetadata) result.metadata = parse_metadata(value, name);
    else entries.push_back(parse_entry(key, value, name));
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const std::span<const std::byte> data = bytes.subspan(kSizeBytes + header_size);
  uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      refuse(name, fmt::format("tensor \"{}\" begins at {}, {} was expected", entry.name, entry.begin, at));
    at = entry.end;
  }
  if (at > data.size())
    refuse(name, fmt::format("cut short: {} bytes of data, {} are needed", data.size(), at));
  if (at < data.size()) refuse(name, fmt::format("{} bytes after the last tensor", data.size() - at));
  for (Entry& entry : entries) {
    const std::span<const std::byte> part = data.subspan(entry.begin, entry.end - entry.begin);
    result.tensors[entry.name] = {.dtype = std::move(entry.dtype),
                                  .shape = std::move(entry.shape),
                                  .bytes = std::vector<std::byte>(part.begin(), part.end())};
  }
  return result;
}

SafeTensors read_safetensors(const std::string& path) {
  const std::string content = read_file(path, path);
  return parse_safetensors(std::as_bytes(std::span(content)), path);
}

void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  uint64_t at = 0;
  std::vector<std::span<const std::byte>> pieces(2);  // size and header, filled below
  for (const TensorView& tensor : tensors) {
    const std::optional<int64_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (!bytes || static_cast<size_t>(*bytes) != tensor.bytes.size())
      throw std::invalid_argument(fmt::format("tensor {}: {} bytes for {} {}", tensor.name,
                                              tensor.bytes.size(), tensor.dtype, shape_text(tensor.shape)));
    if (tensor.name == kMetadata || header.contains(tensor.name))
      throw std::invalid_argument("two tensors are called " + tensor.name);
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
    pieces.push_back(tensor.bytes);
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t size = text.size();
  if (size > kLargestHeader)
    throw RunError(fmt::format("{}: its header would be {} bytes, more than the format allows", path, size));
  pieces[0] = std::as_bytes(std::span(&size, 1));
  pieces[1] = std::as_bytes(std::span(text));
  replace_file(path, pieces);
}

}  // namespace rnnc
