// The vocabularies of a data block, from counts over its training part.
#pragma once

#include <map>
#include <string>

#include "runtime/dataset.h"

namespace rnnc {

/// How often each symbol or label of each vocabulary was seen.
using VocabularyCounts = std::map<std::string, Counts>;

/// Adds one to a count.
void see(Counts& counts, std::string_view text, int64_t times = 1);

/// Makes learned.vocabularies of the block's fields: of `counts`, or as `others` has them. Throws DataError:
/// a category of one value, a vocabulary of another block that lacks what is needed here.
void learn_vocabularies(const DataSpec& spec, const VocabularyCounts& counts, const Learned& others,
                        Learned& learned);

}  // namespace rnnc
