// An attack on "the compiler throws an internal error": right files with a few tokens changed go through all
// of the compiler (lowering.h), for as long as is said.
//
//   attack SECONDS [SEED [FOLDER]]
//
// What is found is written to FOLDER (default: the current one) as attack-N.rnn, one file for each message;
// attack-now.rnn is the file at work, which stays if the process dies. Exit status 1 if anything was found.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>

#include "tests/fuzz/entries.h"
#include "tests/fuzz/lowering.h"
#include "tests/fuzz/mutants.h"
#include "tests/fuzz/seeds.h"

namespace {

using rnnc::fuzz::Came;

/// The message without what differs from file to file.
std::string kind_of(const std::string& message) {
  std::string kind;
  for (const char c : message.substr(0, message.find('\n')))
    if (c < '0' || c > '9') kind += c;
  return kind;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: attack SECONDS [SEED [FOLDER]]\n";
    return 2;
  }
  constexpr unsigned kSecondsEach = 60;
  constexpr int kCodeEach = 50;  // LLVM is slow
  const std::chrono::seconds whole(std::atoi(argv[1]));
  std::mt19937 random(argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : std::random_device()());
  const std::filesystem::path folder = argc > 3 ? argv[3] : ".";
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };

  const std::vector<rnnc::fuzz::Seed> seeds = rnnc::fuzz::seeds();
  std::set<std::string> found;
  int tried = 0, compiled = 0;
  if (std::freopen("/dev/null", "w", stderr) == nullptr) return 2;  // warnings of files
  const auto end = std::chrono::steady_clock::now() + whole;
  while (std::chrono::steady_clock::now() < end) {
    const rnnc::fuzz::Seed& seed = seeds[random() % seeds.size()];
    const std::string text = rnnc::fuzz::mutate(seed.text, random);
    write("attack-now.rnn", text);
    ::alarm(kSecondsEach);  // what takes longer is found, too: the process ends, the file stays
    ++tried;
    try {
      rnnc::fuzz::frontend(text);
      compiled += rnnc::fuzz::lowering(text, tried % kCodeEach == 0) == Came::ToPlans;
    } catch (const std::exception& error) {
      if (!found.insert(kind_of(error.what())).second) continue;
      const std::string name = "attack-" + std::to_string(found.size()) + ".rnn";
      write(name, text);
      std::cout << name << " (from " << seed.name << "): " << error.what() << std::endl;
    }
  }
  ::alarm(0);
  std::filesystem::remove(folder / "attack-now.rnn");
  std::cout << tried << " files, " << compiled << " of them compiled, " << found.size() << " findings\n";
  return found.empty() ? 0 : 1;
}
