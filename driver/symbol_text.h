// Symbols of a vocabulary back to text: characters stand side by side, words have blanks between them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/data_spec.h"
#include "runtime/vocabulary.h"

namespace rnnc {

class SymbolText {
 public:
  /// The vocabulary `name` is that of `spec`, whose fields say what its symbols are; symbols of none of its
  /// fields are words. `vocabulary` must outlive this.
  SymbolText(const DataSpec& spec, const std::string& name, const Vocabulary& vocabulary);

  /// All of them; <eos>, <bos> and <pad> are left out.
  std::string text(std::span<const int32_t> symbols) const;
  /// What symbol `symbol` adds to a text that has something in it already, or not.
  std::string piece(int32_t symbol, bool first) const;
  /// <eos>, <bos> and <pad> are no text.
  bool is_text(int32_t symbol) const;

 private:
  enum class Kind { Chars, Words, Bytes } kind_ = Kind::Words;
  const Vocabulary& vocabulary_;
};

}  // namespace rnnc
