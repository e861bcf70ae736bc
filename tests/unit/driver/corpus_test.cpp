// The kept corpus of the fuzzers, and what is too deep or too long for a careless program: see
// tests/fuzz/entries.h and lowering.h.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fuzz/entries.h"
#include "tests/fuzz/lowering.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

void run_all(const std::string& text) {
  fuzz::frontend(text);
  fuzz::formatter(text);
  fuzz::graph(text);
  fuzz::saved(text);
}

TEST(Corpus, EveryKeptInputEndsWell) {
  const auto folder = testing::source_dir() / "tests" / "fuzz" / "corpus";
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    SCOPED_TRACE(entry.path());
    const std::string text = testing::read_file(entry.path());
    run_all(text);
    fuzz::lowering(text);
    fuzz::data_file(text);
  }
  EXPECT_GE(files, 3);
}

TEST(Corpus, DepthIsAnErrorNotACrash) {
  constexpr int many = 100000;
  const auto repeat = [](const std::string& s) {
    std::string out;
    for (int i = 0; i < many; ++i) out += s;
    return out;
  };
  const std::string head = "layer l(x: [A]) -> (y: [A]) {\n  y = ";
  for (const char* open :
       {"(", "[", "{", "f(", "x[", "x(", "-", "x^", "x.", "max over A (", "1 + ", "\"", "\n", "# "})
    run_all(head + repeat(open));
  run_all(head + repeat("(") + "x" + repeat(")") + "\n}\n");
  run_all("layer l(x: [" + repeat("(") + "A" + repeat(")") + "]) -> (y: [A]) {\n  y = x\n}\n");
  run_all("dim A = " + repeat("(") + "1" + repeat(")") + "\n");
  run_all(repeat("model m() {}\n"));
  run_all(repeat("%a = "));
  run_all("%0 = input x : f32[" + repeat("1, ") + "1]\n");
}

}  // namespace
}  // namespace rnnc
