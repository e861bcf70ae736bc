// What a train block teaches a model to write: the answer of its loss (language.md section 7).
#pragma once

#include <optional>
#include <string>

#include "frontend/ast.h"

namespace rnnc {

/// Of `cross_entropy(SCORES, next(x))` the field x, `next`; of `cross_entropy(SCORES, y)` the field y.
struct Answer {
  const ast::Expr* scores = nullptr;
  std::string field;
  bool next = false;               // the model reads the element itself and predicts the one after it
  const ast::Expr* far = nullptr;  // `next(x, n)`: n
};

/// The first loss of the block that compares with a category; nothing if its answer is no field.
std::optional<Answer> answer_of(const ast::Train& train);

}  // namespace rnnc
