// Files of numbers with dimensions: `idx` (the format of MNIST) and `npy` (NumPy's, without pickles).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rnnc {

/// One file. Its first dimension counts the rows; what is left are the dimensions of an entry.
class NumberArray {
 public:
  /// How a number is stored.
  enum class Type { Bool, U8, U16, U32, U64, I8, I16, I32, I64, F16, F32, F64 };

  const std::string& name() const { return name_; }
  int64_t rows() const { return dims_[0]; }
  /// The dimensions of an entry; none if it is one number.
  std::span<const int64_t> shape() const { return std::span(dims_).subspan(1); }
  /// Numbers of an entry.
  int64_t width() const { return width_; }
  /// The numbers of a row, the last dimension fastest.
  void entry(int64_t row, std::span<double> to) const;

 private:
  friend class ArrayReader;
  double at(int64_t index) const;

  std::string name_;
  std::string bytes_;
  size_t begin_ = 0;  // of the numbers in bytes_
  Type type_ = Type::U8;
  bool big_endian_ = false;
  bool first_fastest_ = false;  // Fortran's order
  std::vector<int64_t> dims_;
  int64_t width_ = 1;
};

/// Bytes of the type as it is stored.
int64_t bytes_of(NumberArray::Type type);

/// Throws DataError: no idx file, cut short, or with bytes too many.
NumberArray parse_idx(const std::string& name, std::string bytes);
/// The same for npy; Python objects, texts and records are refused.
NumberArray parse_npy(const std::string& name, std::string bytes);

}  // namespace rnnc
