// libFuzzer target for the front end: any bytes give a checked file or messages. Not in the default build:
//
//   clang++-19 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_frontend.cpp
//     frontend/{ast,check*,language,lexer,parse*,print_types,suggest,token_stream,types,utf8}.cpp
//     ir/diagnostic.cpp BUILD/std_rnn.cpp -lfmt -o fuzz_frontend
//   ./fuzz_frontend CORPUS examples tests/errors
#include <cstddef>
#include <cstdint>
#include <string>

#include "frontend/check.h"
#include "ir/diagnostic.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const rnnc::Source source{"fuzz.rnn", std::string(reinterpret_cast<const char*>(data), size)};
  try {
    rnnc::print_types(rnnc::check(source));
  } catch (const rnnc::UserError&) {
  }
  return 0;
}
