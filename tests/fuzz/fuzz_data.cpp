// libFuzzer target; `tools/nightly` builds and runs it. What it feeds stands in lowering.h.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/lowering.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rnnc::fuzz::data_file(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
