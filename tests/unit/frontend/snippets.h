// The blocks of the language in the pages for users: what stands between ```rnn and ```, with what a comment
// in the line above it says about its context.
//
//   (no comment)                       a file by itself
//   <!-- file: NAME -->                the same, and other blocks can go on with it
//   <!-- continues: NAME -->           the file NAME with this block after it; also NAME with both from then
//   on
//   <!-- body: HEAD -->                what stands in a cell, layer or model: HEAD { ... }
//   <!-- continues: NAME; body: HEAD --> both; NAME stays as it was
#pragma once

#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/frontend/files.h"

namespace rnnc::testing {

struct Snippet {
  std::string place, text, continues, file, body;
  bool tagged = true;
};

inline std::vector<Snippet> snippets_of(const std::filesystem::path& page) {
  std::vector<Snippet> result;
  std::istringstream in(read_file(page));
  std::string comment;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) {
        Snippet snippet;
        snippet.place = page.filename().string() + ":" + std::to_string(number);
        snippet.tagged = line == "```rnn";
        std::smatch match;
        if (std::regex_search(comment, match, std::regex("file: ([^; ]+)"))) snippet.file = match[1];
        if (std::regex_search(comment, match, std::regex("continues: ([^; ]+)")))
          snippet.continues = match[1];
        if (std::regex_search(comment, match, std::regex("body: (.*) -->"))) snippet.body = match[1];
        result.push_back(snippet);
      }
    } else if (inside) {
      result.back().text += line + "\n";
    }
    if (!inside) comment = line.starts_with("<!--") ? line : "";
  }
  return result;
}

/// The pages of this repository.
inline std::vector<std::filesystem::path> pages() {
  std::vector<std::filesystem::path> result = {source_dir() / "README.md"};
  for (const auto& page : files_in(source_dir() / "docs", ".md")) result.push_back(page);
  return result;
}

/// A whole file, and where in a page its last block stands.
struct SnippetFile {
  std::string place, text;
};

/// The whole files that the blocks of a page make.
inline std::vector<SnippetFile> snippet_files(const std::filesystem::path& page) {
  std::vector<SnippetFile> result;
  std::map<std::string, std::string> files;
  for (const Snippet& snippet : snippets_of(page)) {
    if (!snippet.tagged) continue;
    std::string text = snippet.text;
    if (!snippet.body.empty()) text = snippet.body + " {\n" + text + "}\n";
    if (!snippet.continues.empty()) {
      if (!files.contains(snippet.continues))
        throw std::runtime_error(snippet.place + ": no file " + snippet.continues);
      text = files[snippet.continues] + "\n" + text;
      if (snippet.body.empty()) files[snippet.continues] = text;
    }
    if (!snippet.file.empty()) files[snippet.file] = text;
    result.push_back({snippet.place, text});
  }
  return result;
}

}  // namespace rnnc::testing
