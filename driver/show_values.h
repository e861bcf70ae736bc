// A value that `predict` shows, of one row, as text for people or JSON for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "frontend/lower.h"
#include "runtime/data_spec.h"
#include "runtime/dataset.h"

namespace rnnc {

/// `values`: the elements of a sequence one after the other (`elements` of them), or one element.
///
///   argmax(s), a category       cat           "cat"
///   argmax(s), of a sequence    The cat sat   ["The", "cat", "sat"]      of characters without blanks
///   numbers                     0.1 0.2       [0.1, 0.2]
///   top(p, 2)                   a 0.7  b 0.2  [{"value": "a", "score": 0.7}, ...]
///   of a sequence               e1 | e2       [[...], [...]]
std::string show_text(const Show& show, std::span<const float> values, size_t elements, const DataSpec& spec,
                      const Learned& learned);
nlohmann::json show_json(const Show& show, std::span<const float> values, size_t elements,
                         const Learned& learned);

}  // namespace rnnc
