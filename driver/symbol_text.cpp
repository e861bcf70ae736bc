// Symbols to text: see symbol_text.h.
#include "driver/symbol_text.h"

#include <charconv>

namespace rnnc {
namespace {

/// `<0xE9>` is the byte with this number; any other name is the sign itself.
std::string byte_of(const std::string& name) {
  constexpr std::string_view kFront = "<0x";
  unsigned value = 0;
  if (name.size() <= kFront.size() + 1 || !name.starts_with(kFront) || !name.ends_with('>')) return name;
  const char* end = name.data() + name.size() - 1;
  const auto [at, error] = std::from_chars(name.data() + kFront.size(), end, value, 16);
  if (error != std::errc() || at != end || value > 0xFF) return name;
  return std::string(1, static_cast<char>(value));
}

}  // namespace

SymbolText::SymbolText(const DataSpec& spec, const std::string& name, const Vocabulary& vocabulary)
    : vocabulary_(vocabulary) {
  for (const DataField& field : spec.fields) {
    if (field.kind != FieldKind::Sequence || field.vocabulary != name) continue;
    if (field.value.op == EncodeOp::Chars) kind_ = Kind::Chars;
    if (field.value.op == EncodeOp::Bytes) kind_ = Kind::Bytes;
  }
}

bool SymbolText::is_text(int32_t symbol) const {
  const std::string& name = vocabulary_.text(symbol);
  return name != kEos && name != kBos && name != kPad;
}

std::string SymbolText::piece(int32_t symbol, bool first) const {
  const std::string& name = vocabulary_.text(symbol);
  switch (kind_) {
    case Kind::Chars: return name;
    case Kind::Bytes: return byte_of(name);
    case Kind::Words: break;
  }
  return first ? name : " " + name;
}

std::string SymbolText::text(std::span<const int32_t> symbols) const {
  std::string all;
  bool first = true;
  for (const int32_t symbol : symbols) {
    if (!is_text(symbol)) continue;
    all += piece(symbol, first);
    first = false;
  }
  return all;
}

}  // namespace rnnc
