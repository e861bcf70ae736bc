// Tables of vectors as text, a vector for each entry of a vocabulary: first values of a parameter.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/vocabulary.h"

namespace rnnc {

/// A vector for each entry, one a line: the entry, then its numbers, with blanks or tabs between, as word2vec
/// and GloVe write them; a first line of two whole numbers (how many, how long) is passed over. Sets the rows
/// [vocabulary, cols] of the entries that the vocabulary has, the first of equal ones; the others are left as
/// they are. Gives how many were set. Throws DataError: a line with another number of numbers.
int64_t read_vectors(std::string_view text, const std::string& name, const Vocabulary& vocabulary,
                     int64_t cols, std::span<float> values);

}  // namespace rnnc
