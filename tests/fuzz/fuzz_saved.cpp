// libFuzzer target; `tools/nightly` builds and runs it. What it feeds stands in entries.h.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rnnc::fuzz::saved(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
