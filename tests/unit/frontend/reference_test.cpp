// The language's own pages, read where they stand: every message of the error list, the shape of every
// equation of every example.
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "frontend/check.h"
#include "frontend/parser.h"
#include "ir/diagnostic.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

std::filesystem::path language_dir() {
  return testing::source_dir() / ".." / "shared" / "language";
}

struct Case {
  std::string name, text, messages;
};

/// Sections `### NAME` with a fenced file and a fenced output.
std::vector<Case> cases_of(const std::string& page) {
  std::vector<Case> cases;
  std::istringstream in(page);
  std::string name;
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (!inside && line.starts_with("### ")) {
      name = line.substr(4);
      blocks.clear();
    } else if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.emplace_back();
      if (!inside && blocks.size() == 2) cases.push_back({name, blocks[0], blocks[1]});
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return cases;
}

std::string messages(const Case& c) {
  try {
    return render(check({c.name + ".rnn", c.text}).warnings);
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(Reference, EveryMessageOfItsErrorList) {
  const std::string page = testing::read_file(language_dir() / "errors.md");
  if (page.empty()) GTEST_SKIP() << "no ../shared/language/errors.md beside the repository";
  const std::vector<Case> cases = cases_of(page);
  EXPECT_GE(cases.size(), 63u);
  for (const Case& c : cases) {
    EXPECT_EQ(messages(c), c.messages) << c.name;
    const auto kept = testing::source_dir() / "tests" / "errors" / (c.name + ".rnn");
    EXPECT_EQ(testing::read_file(kept), c.text) << "not that of the error list: " << kept;
  }
}

TEST(Reference, EveryEquationOfEveryExampleHasAShape) {
  const auto files = testing::files_in(language_dir(), ".rnn");
  if (files.empty()) GTEST_SKIP() << "no ../shared/language beside the repository";
  EXPECT_GE(files.size(), 22u);
  for (const auto& file : files) {
    const Source source{file.filename().string(), testing::read_file(file)};
    const std::string shown = print_types(check(source));
    std::map<std::string, std::string> parts;  // by definition
    const std::regex heading("^(?:tree )?(?:cell|layer|model) (\\S+)$");
    std::istringstream lines(shown);
    std::string* part = nullptr;
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, heading)) part = &parts[match[1]];
      else if (part) *part += line + "\n";
    }
    for (const ast::Item& item : parse(source).items) {
      const auto* definition = std::get_if<ast::Definition>(&item);
      if (!definition) continue;
      for (const ast::Statement& statement : definition->body) {
        const auto* equation = std::get_if<ast::Equation>(&statement);
        if (!equation) continue;
        const std::string& types = parts[definition->name];
        EXPECT_TRUE(std::regex_search(types, std::regex("(^|\n)  " + equation->name + " +: \\S")))
            << file << ": " << equation->name << " of " << definition->name << "\n"
            << types;
      }
    }
  }
}

}  // namespace
}  // namespace rnnc
