// What coins read: see chance.h.
#include "driver/chance.h"

#include "ir/chance.h"
#include "runtime/random.h"

namespace rnnc {

std::array<int32_t, 2> chance_of_step(uint64_t seed, int64_t step) {
  const auto at = static_cast<uint64_t>(step);
  const PhiloxCounter words =
      philox({static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), place_of("the coins of a step"), 0},
             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return {static_cast<int32_t>(words[0]), static_cast<int32_t>(words[1])};
}

}  // namespace rnnc
