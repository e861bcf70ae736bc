// Every block of the language in the pages for users is right: what stands between ```rnn and ``` is checked,
// with what a comment in the line above it says about its context.
//
//   (no comment)                       a file by itself
//   <!-- file: NAME -->                the same, and other blocks can go on with it
//   <!-- continues: NAME -->           the file NAME with this block after it; also NAME with both from then
//   on
//   <!-- body: HEAD -->                what stands in a cell, layer or model: HEAD { ... }
//   <!-- continues: NAME; body: HEAD --> both; NAME stays as it was
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "frontend/check.h"
#include "ir/diagnostic.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

struct Snippet {
  std::string place, text, continues, file, body;
  bool tagged = true;
};

std::vector<Snippet> snippets_of(const std::filesystem::path& page) {
  std::vector<Snippet> result;
  std::istringstream in(testing::read_file(page));
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

std::vector<std::filesystem::path> pages() {
  const auto root = testing::source_dir();
  std::vector<std::filesystem::path> result = {root / "README.md"};
  for (const auto& page : testing::files_in(root / "docs", ".md")) result.push_back(page);
  return result;
}

TEST(Snippets, OfThePagesAreRight) {
  int checked = 0;
  for (const auto& page : pages()) {
    std::map<std::string, std::string> files;
    for (const Snippet& snippet : snippets_of(page)) {
      if (!snippet.tagged) continue;
      ++checked;
      std::string text = snippet.text;
      if (!snippet.body.empty()) text = snippet.body + " {\n" + text + "}\n";
      if (!snippet.continues.empty()) {
        ASSERT_TRUE(files.contains(snippet.continues)) << snippet.place << ": no file " << snippet.continues;
        text = files[snippet.continues] + "\n" + text;
        if (snippet.body.empty()) files[snippet.continues] = text;
      }
      if (!snippet.file.empty()) files[snippet.file] = text;
      try {
        const Checked right = check({snippet.place, text});
        EXPECT_EQ(render(right.warnings), "");
      } catch (const UserError& error) {
        ADD_FAILURE() << snippet.place << "\n" << error.what();
      }
    }
  }
  EXPECT_GE(checked, 20);
}

TEST(Snippets, OfTheLanguageAreTaggedAsSuch) {
  const std::regex looks_like("(^|\n)(tree cell|cell|layer|model|data|train|dim) [^\n]*(\\{|=)");
  for (const auto& page : pages()) {
    for (const Snippet& snippet : snippets_of(page)) {
      if (snippet.tagged) continue;
      EXPECT_FALSE(std::regex_search(snippet.text, looks_like)) << snippet.place << "\n" << snippet.text;
    }
  }
}

}  // namespace
}  // namespace rnnc
