// Philox 4x32-10 and what is drawn from it.
#include "runtime/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace rnnc {
namespace {

// Multipliers and key increments of the paper (table 2 and section 2.2).
constexpr uint32_t kMultiplier0 = 0xD2511F53;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

constexpr uint64_t join(uint32_t low, uint32_t high) {
  return uint64_t{high} << 32 | low;
}

// The high half of a 64 x 64 bit product, by halves.
constexpr uint64_t high_product(uint64_t a, uint64_t b) {
  const uint64_t al = a & 0xFFFFFFFF, ah = a >> 32, bl = b & 0xFFFFFFFF, bh = b >> 32;
  const uint64_t middle = ah * bl + (al * bl >> 32);
  const uint64_t carry = (middle & 0xFFFFFFFF) + al * bh;
  return ah * bh + (middle >> 32) + (carry >> 32);
}

}  // namespace

PhiloxCounter philox(PhiloxCounter c, PhiloxKey key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = uint64_t{kMultiplier0} * c[0];
    const uint64_t p1 = uint64_t{kMultiplier1} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

uint32_t place_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 16777619u;
  return hash;
}

PhiloxCounter Random::block(uint64_t index) const {
  return philox({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), place_, step_},
                {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
}

uint64_t Random::bits(uint64_t index) const {
  const PhiloxCounter words = block(index / 2);  // two numbers a block
  return index % 2 == 0 ? join(words[0], words[1]) : join(words[2], words[3]);
}

float Random::uniform(uint64_t index) const {
  return static_cast<float>(block(index / 4)[index % 4] >> 8) * 0x1p-24f;
}

float Random::normal(uint64_t index) const {
  const PhiloxCounter words = block(index / 4);
  const size_t pair = index % 4 / 2 * 2;
  const double u = (static_cast<double>(words[pair]) + 1.0) * 0x1p-32;  // in (0, 1]: the logarithm is finite
  const double angle = 2 * std::numbers::pi * 0x1p-32 * static_cast<double>(words[pair + 1]);
  const double radius = std::sqrt(-2 * std::log(u));
  return static_cast<float>(radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle)));
}

uint64_t Random::below(uint64_t index, uint64_t bound) const {
  return high_product(bits(index), bound);
}

std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint32_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  const Random random(seed, place_of("the order of the rows"), epoch);
  for (uint64_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i - 2, i)]);
  return order;
}

}  // namespace rnnc
