// Right files to make wrong ones of: the examples, the reference beside the repository, the blocks of the
// pages. Data on this machine are read as if they stood beside the file, so that tiny_data.h can make them.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/frontend/snippets.h"

namespace rnnc::fuzz {

struct Seed {
  std::string name, text;
};

inline std::vector<Seed> seeds() {
  std::vector<Seed> result;
  const auto add = [&](const std::string& name, std::string text) {
    for (size_t at; (at = text.find("\"/")) != std::string::npos;) text.erase(at + 1, 1);
    result.push_back({name, std::move(text)});
  };
  for (const auto& folder :
       {testing::source_dir() / "examples", testing::source_dir() / ".." / "shared" / "language",
        testing::source_dir() / "tests" / "text" / "driver" / "Inputs"})
    for (const auto& file : testing::files_in(folder, ".rnn"))
      add(file.filename().string(), testing::read_file(file));
  for (const auto& page : testing::pages())
    for (const testing::SnippetFile& file : testing::snippet_files(page)) add(file.place, file.text);
  return result;
}

}  // namespace rnnc::fuzz
