// Files of numbers with dimensions: see arrays.h.
#include "runtime/arrays.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "runtime/errors.h"

namespace rnnc {
namespace {

using Type = NumberArray::Type;

// IEEE 754 half precision.
double half(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1F;
  const int fraction = bits & 0x3FF;
  double size = 0;
  if (exponent == 0x1F)
    size = fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (exponent == 0) size = std::ldexp(fraction, -24);
  else size = std::ldexp(0x400 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

// The type of an idx file by its third byte.
std::optional<Type> idx_type(unsigned char code) {
  switch (code) {
    case 0x08: return Type::U8;
    case 0x09: return Type::I8;
    case 0x0B: return Type::I16;
    case 0x0C: return Type::I32;
    case 0x0D: return Type::F32;
    case 0x0E: return Type::F64;
    default: return std::nullopt;
  }
}

// The type of an npy file: `f4` of `<f4`.
std::optional<Type> npy_type(std::string_view code) {
  struct Row {
    std::string_view code;
    Type type;
  };
  static constexpr std::array<Row, 12> kTypes = {{{"b1", Type::Bool},
                                                  {"u1", Type::U8},
                                                  {"u2", Type::U16},
                                                  {"u4", Type::U32},
                                                  {"u8", Type::U64},
                                                  {"i1", Type::I8},
                                                  {"i2", Type::I16},
                                                  {"i4", Type::I32},
                                                  {"i8", Type::I64},
                                                  {"f2", Type::F16},
                                                  {"f4", Type::F32},
                                                  {"f8", Type::F64}}};
  for (const Row& row : kTypes)
    if (row.code == code) return row.type;
  return std::nullopt;
}

}  // namespace

int64_t bytes_of(NumberArray::Type type) {
  switch (type) {
    case Type::Bool:
    case Type::U8:
    case Type::I8: return 1;
    case Type::U16:
    case Type::I16:
    case Type::F16: return 2;
    case Type::U32:
    case Type::I32:
    case Type::F32: return 4;
    case Type::U64:
    case Type::I64:
    case Type::F64: return 8;
  }
  return 1;
}

double NumberArray::at(int64_t index) const {
  const auto size = static_cast<size_t>(bytes_of(type_));
  const auto* from =
      reinterpret_cast<const unsigned char*>(bytes_.data()) + begin_ + static_cast<size_t>(index) * size;
  uint64_t bits = 0;
  for (size_t i = 0; i < size; ++i) bits = bits << 8 | from[big_endian_ ? i : size - 1 - i];
  switch (type_) {
    case Type::Bool: return bits != 0 ? 1 : 0;
    case Type::U8:
    case Type::U16:
    case Type::U32:
    case Type::U64: return static_cast<double>(bits);
    case Type::I8: return static_cast<int8_t>(bits);
    case Type::I16: return static_cast<int16_t>(bits);
    case Type::I32: return static_cast<int32_t>(bits);
    case Type::I64: return static_cast<double>(static_cast<int64_t>(bits));
    case Type::F16: return half(static_cast<uint16_t>(bits));
    case Type::F32: return std::bit_cast<float>(static_cast<uint32_t>(bits));
    case Type::F64: return std::bit_cast<double>(bits);
  }
  return 0;
}

void NumberArray::entry(int64_t row, std::span<double> to) const {
  for (int64_t i = 0; i < width_; ++i) {
    int64_t index = row * width_ + i;
    if (first_fastest_) {
      // Place of the element whose last index runs fastest, among those whose first does.
      int64_t rest = i, scale = width_ * dims_[0];
      index = row;
      for (size_t d = dims_.size() - 1; d > 0; --d) {
        scale /= dims_[d];
        index += rest % dims_[d] * scale;
        rest /= dims_[d];
      }
    }
    to[static_cast<size_t>(i)] = at(index);
  }
}

/// Reads the header of a file of numbers and checks it against the file's size.
class ArrayReader {
 public:
  ArrayReader(const std::string& name, std::string bytes) {
    array_.name_ = name;
    array_.bytes_ = std::move(bytes);
  }

  NumberArray idx() {
    const std::string& bytes = array_.bytes_;
    if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0)
      refuse("no idx file: it begins with two zero bytes, the type and the number of dimensions");
    const std::optional<Type> type = idx_type(byte(2));
    if (!type) refuse(fmt::format("no idx file: there is no type of numbers 0x{:02X}", byte(2)));
    array_.type_ = *type;
    array_.big_endian_ = true;
    const size_t dimensions = byte(3);
    if (dimensions == 0) refuse("an idx file without dimensions has no rows");
    array_.begin_ = 4 + 4 * dimensions;
    if (bytes.size() < array_.begin_) refuse("cut short within its dimensions");
    for (size_t d = 0; d < dimensions; ++d) {
      int64_t size = 0;
      for (size_t i = 0; i < 4; ++i) size = size << 8 | byte(4 + 4 * d + i);
      array_.dims_.push_back(size);
    }
    return finish();
  }

  NumberArray npy() {
    using namespace std::string_view_literals;
    const std::string& bytes = array_.bytes_;
    if (bytes.starts_with("PK\x03\x04"))
      refuse("an archive (npz) of several arrays", "save the array alone, with `numpy.save`");
    if (!bytes.starts_with("\x93NUMPY"sv) || bytes.size() < 10) refuse("no npy file");
    const int version = byte(6);
    if (version < 1 || version > 3) refuse(fmt::format("npy of version {} is not known", version));
    const size_t length_bytes = version == 1 ? 2 : 4;
    size_t length = 0;
    for (size_t i = length_bytes; i-- > 0;) length = length << 8 | (8 + i < bytes.size() ? byte(8 + i) : 0);
    const size_t header_begin = 8 + length_bytes;
    if (bytes.size() < header_begin || bytes.size() - header_begin < length)
      refuse("cut short within its header");
    const std::string_view header = std::string_view(bytes).substr(header_begin, length);
    array_.begin_ = header_begin + length;
    read_type(header);
    const std::string order = value(header, "fortran_order");
    if (order != "True" && order != "False") refuse("its header has no `fortran_order`");
    array_.first_fastest_ = order == "True";
    read_shape(header);
    return finish();
  }

 private:
  [[noreturn]] void refuse(std::string message, std::string help = {}) const {
    DataMessage text{.file = array_.name_, .message = std::move(message), .notes = {}, .help = {}};
    if (!help.empty()) text.help.push_back(std::move(help));
    throw DataError(std::move(text));
  }

  unsigned char byte(size_t i) const { return static_cast<unsigned char>(array_.bytes_[i]); }

  // What stands behind `'key':` in the header, a Python dict, up to the comma or brace that ends it.
  static std::string value(std::string_view header, std::string_view key) {
    const std::string quoted = fmt::format("'{}':", key);
    size_t at = header.find(quoted);
    if (at == std::string_view::npos) return {};
    at += quoted.size();
    while (at < header.size() && header[at] == ' ') ++at;
    size_t end = at;
    for (int depth = 0; end < header.size(); ++end) {
      const char c = header[end];
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (depth == 0 && (c == ',' || c == '}')) break;
    }
    return std::string(header.substr(at, end - at));
  }

  void read_type(std::string_view header) {
    const std::string text = value(header, "descr");
    const auto shown = [&] { return text.substr(0, 40); };
    if (text.starts_with('[')) refuse("an array of records, one of numbers is needed");
    if (text.size() < 4 || text.front() != '\'' || text.back() != '\'')
      refuse("its header has no type (`descr`)");
    const char order = text[1];
    const std::string_view code = std::string_view(text).substr(2, text.size() - 3);
    if (code.starts_with('O') || text.starts_with("'O"))
      refuse("holds Python objects (a pickle), which are not read",
             "an array of numbers, as `numpy.float32`");
    const std::optional<Type> type = npy_type(code);
    if (!type || (order != '<' && order != '>' && order != '|' && order != '='))
      refuse(fmt::format("its type {} is none of numbers that are read", shown()),
             "`numpy.float32`, or another float, int, uint or bool");
    array_.type_ = *type;
    array_.big_endian_ = order == '>';
  }

  void read_shape(std::string_view header) {
    const std::string text = value(header, "shape");
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') refuse("its header has no shape");
    int64_t size = -1;
    for (const char c : text) {
      if (c >= '0' && c <= '9') {
        size = std::max<int64_t>(size, 0) * 10 + (c - '0');
        if (size > std::numeric_limits<int32_t>::max()) refuse("a dimension of its shape is too large");
      } else if (c == ',' || c == ')') {
        if (size >= 0) array_.dims_.push_back(size);
        size = -1;
      } else if (c != '(' && c != ' ' && c != 'L') {
        refuse("its header has no shape");
      }
    }
    if (array_.dims_.empty()) refuse("one number alone has no rows");
  }

  NumberArray finish() {
    constexpr int64_t kMost = int64_t{1} << 40;
    int64_t numbers = 1;
    for (const int64_t size : array_.dims_) {
      if (size > 0 && numbers > kMost / size) refuse("more numbers than any file has");
      numbers *= size;
    }
    array_.width_ = 1;
    for (const int64_t size : array_.shape()) array_.width_ *= size;
    const auto needed = array_.begin_ + static_cast<size_t>(numbers * bytes_of(array_.type_));
    if (array_.bytes_.size() != needed)
      refuse(fmt::format("{}: its header says {} bytes, it has {}",
                         array_.bytes_.size() < needed ? "cut short" : "bytes after the last number", needed,
                         array_.bytes_.size()));
    return std::move(array_);
  }

  NumberArray array_;
};

NumberArray parse_idx(const std::string& name, std::string bytes) {
  return ArrayReader(name, std::move(bytes)).idx();
}

NumberArray parse_npy(const std::string& name, std::string bytes) {
  return ArrayReader(name, std::move(bytes)).npy();
}

}  // namespace rnnc
