// Coins: see chance.h.
#include "ir/chance.h"

#include <cmath>

namespace rnnc {

uint32_t coin_bits(const CoinPlace& at, CoinKey key) {
  std::array<uint32_t, 4> c = {at.col / 16 * 4 + at.col % 4, at.time, at.row, at.place};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {uint32_t(p1 >> 32) ^ c[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ c[3] ^ key[1], uint32_t(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c[at.col / 4 % 4] >> 8;
}

uint32_t coin_threshold(double probability) {
  return uint32_t(std::lround(probability * 0x1p24));
}

int32_t coin_place(std::string_view path) {
  uint32_t hash = 2166136261u;
  for (const unsigned char byte : path) hash = (hash ^ byte) * 16777619u;
  return int32_t((hash ^ hash >> 30) & 0x3fffffff);
}

std::string row_input(int dim) {
  return "%row." + std::to_string(dim);
}

}  // namespace rnnc
