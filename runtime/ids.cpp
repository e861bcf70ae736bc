// See ids.h.
#include "runtime/ids.h"

#include <algorithm>
#include <utility>

namespace rnnc {
namespace {

uint32_t stored(int32_t id) {
  return static_cast<uint32_t>(id) + 1;
}

size_t width_of(uint32_t value) {
  return value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : 4;
}

}  // namespace

void Ids::reserve(size_t count) {
  room_ = std::max(room_, count);
  bytes_.reserve(room_ * width_);
}

void Ids::put(size_t at, uint32_t value) {
  for (size_t i = 0; i < width_; ++i) bytes_[at * width_ + i] = static_cast<uint8_t>(value >> 8 * i);
}

void Ids::widen_for(uint32_t value) {
  if (width_of(value) <= width_) return;
  Ids wider;
  wider.width_ = width_of(value);
  wider.reserve(std::max(room_, size()));
  wider.bytes_.resize(size() * wider.width_);
  for (size_t i = 0; i < size(); ++i) wider.put(i, stored((*this)[i]));
  *this = std::move(wider);
}

void Ids::push_back(int32_t id) {
  widen_for(stored(id));
  bytes_.resize(bytes_.size() + width_);
  put(size() - 1, stored(id));
}

void Ids::resize(size_t count, int32_t id) {
  const size_t before = size();
  widen_for(stored(id));
  bytes_.resize(count * width_);
  for (size_t i = before; i < count; ++i) put(i, stored(id));
}

void Ids::set(size_t at, int32_t id) {
  widen_for(stored(id));
  put(at, stored(id));
}

}  // namespace rnnc
