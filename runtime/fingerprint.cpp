// A number that tells data apart: see fingerprint.h.
#include "runtime/fingerprint.h"

#include <bit>
#include <cstring>
#include <span>

namespace rnnc {
namespace {

class Hash {
 public:
  template <typename T>
  void add(const std::vector<T>& values) {
    word(values.size());
    const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= bytes.size(); at += sizeof(uint64_t)) {
      uint64_t value = 0;
      std::memcpy(&value, bytes.data() + at, sizeof(value));
      word(value);
    }
    uint64_t rest = 0;
    if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
    word(rest);
  }
  void add(const Ids& ids) {  // as a vector of int32_t
    const auto at = [&](size_t i) { return uint64_t{i < ids.size() ? static_cast<uint32_t>(ids[i]) : 0}; };
    word(ids.size());
    for (size_t i = 0; i + 1 < ids.size(); i += 2) word(at(i) | at(i + 1) << 32);
    word(ids.size() % 2 == 0 ? 0 : at(ids.size() - 1));
  }
  uint64_t value() const { return state_ ^ state_ >> 32; }

 private:
  // A round of the splitmix64 kind: every bit of what came before moves every bit after.
  void word(uint64_t value) { state_ = (std::rotl(state_, 25) ^ value) * 0x9E3779B97F4A7C15U; }

  uint64_t state_ = 0x243F6A8885A308D3U;
};

}  // namespace

uint64_t fingerprint(const Dataset& dataset) {
  Hash hash;
  for (const std::vector<int64_t>* rows : {&dataset.train, &dataset.valid, &dataset.test}) hash.add(*rows);
  for (const FieldData& data : dataset.data) {
    hash.add(data.offsets);
    hash.add(data.ids);
    hash.add(data.numbers);
    hash.add(data.left);
    hash.add(data.right);
  }
  return hash.value();
}

}  // namespace rnnc
