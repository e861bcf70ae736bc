// A model that answers at every step, as text: what the classifiers of models.h leave out (an output layer
// and a loss for each time step).
#pragma once
#include <fmt/format.h>

#include <string>

namespace rnnc::test {

/// Symbols in, a label for each symbol out; `cell` defines what `scan` needs beyond the library.
inline std::string tagger(const std::string& cell, const std::string& scan) {
  return cell + fmt::format(R"(
data d {{
  read "t.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L[T] = chars(col(2))
}}
model m(x: C[T]) -> (logits: [T, L]) {{
  h      = {}
  logits = linear[L](h)
}}
train m on d {{
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 1e-3)
  epochs    1
}}
predict m {{
  show log_softmax(logits), argmax(logits), h
}}
)",
                            scan);
}

}  // namespace rnnc::test
