// Arrays of numbers in files of other programs: .npy, and tables of vectors as text.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/vocabulary.h"

namespace rnnc {

struct NumberArray {
  std::vector<int64_t> shape;
  std::vector<float> values;  // row-major
};

/// An array of little-endian float32 or float64 in C order, format version 1 to 3. Throws DataError.
NumberArray read_npy(std::string_view bytes, const std::string& name);

/// A vector for each entry, one a line: the entry, then its numbers, with blanks or tabs between, as word2vec
/// and GloVe write them; a first line of two whole numbers (how many, how long) is passed over. Sets the rows
/// [vocabulary, cols] of the entries that the vocabulary has, the first of equal ones; the others are left as
/// they are. Gives how many were set. Throws DataError: a line with another number of numbers.
int64_t read_vectors(std::string_view text, const std::string& name, const Vocabulary& vocabulary,
                     int64_t cols, std::span<float> values);

}  // namespace rnnc
