// Numbers of symbols of a whole corpus in as few bytes each as the largest of them needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace rnnc {

/// A vector of numbers from -1 on (-1: no symbol): a byte each while all are below 255, then two, then four.
class Ids {
 public:
  /// Reads only.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = int32_t;
    using difference_type = std::ptrdiff_t;
    using pointer = const int32_t*;
    using reference = int32_t;

    Iterator() = default;
    Iterator(const Ids& ids, size_t at) : ids_(&ids), at_(at) {}
    int32_t operator*() const { return (*ids_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return {*ids_, at_++}; }
    bool operator==(const Iterator&) const = default;

   private:
    const Ids* ids_ = nullptr;
    size_t at_ = 0;
  };
  using value_type = int32_t;
  using const_iterator = Iterator;
  using iterator = Iterator;

  size_t size() const { return bytes_.size() / width_; }
  bool empty() const { return bytes_.empty(); }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  /// Bytes of a number.
  size_t width() const { return width_; }

  int32_t operator[](size_t at) const {
    const uint8_t* from = bytes_.data() + at * width_;
    uint32_t value = from[0];
    if (width_ > 1) value |= static_cast<uint32_t>(from[1]) << 8;
    if (width_ > 2) value |= static_cast<uint32_t>(from[2]) << 16 | static_cast<uint32_t>(from[3]) << 24;
    return static_cast<int32_t>(value - 1);
  }
  /// `count` numbers from `begin` on.
  std::vector<int32_t> slice(size_t begin, size_t count) const {
    std::vector<int32_t> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = (*this)[begin + i];
    return values;
  }

  /// Room for so many numbers; memory that is not written to costs nothing.
  void reserve(size_t count);
  void push_back(int32_t id);
  /// With `id` for those that are new.
  void resize(size_t count, int32_t id = 0);
  void set(size_t at, int32_t id);
  template <class From>
  void append(const From& from) {
    for (const int32_t id : from) push_back(id);
  }

 private:
  void put(size_t at, uint32_t value);
  void widen_for(uint32_t value);

  std::vector<uint8_t> bytes_;  // 1 more than each number, the lowest byte first
  size_t width_ = 1;
  size_t room_ = 0;  // numbers reserved
};

}  // namespace rnnc
