// Wrong files of every kind (tests/fuzz/mutants.h). The front end answers each with its messages, never with
// anything else.
#include <gtest/gtest.h>

#include "frontend/check.h"
#include "ir/diagnostic.h"
#include "tests/fuzz/mutants.h"
#include "tests/unit/frontend/snippets.h"

namespace rnnc {
namespace {

TEST(Mutations, GiveMessagesOnly) {
  std::vector<std::string> texts;
  for (const auto& folder : {testing::source_dir() / "examples", testing::source_dir() / "frontend",
                             testing::source_dir() / ".." / "shared" / "language"})
    for (const auto& file : testing::files_in(folder, ".rnn")) texts.push_back(testing::read_file(file));
  for (const auto& page : testing::pages())
    for (const testing::SnippetFile& file : testing::snippet_files(page)) texts.push_back(file.text);
  std::mt19937 random(20240607);
  int wrong = 0;
  for (const std::string& text : texts) {
    for (int i = 0; i < 40; ++i) {
      const std::string mutant = fuzz::mutate(text, random);
      try {
        check({"t.rnn", mutant});
      } catch (const UserError& error) {
        ++wrong;
        EXPECT_LE(error.diagnostics().size(), 10u);
      } catch (const std::exception& error) {
        FAIL() << error.what() << "\nin\n" << mutant;
      }
    }
  }
  EXPECT_GT(wrong, 0);
}

}  // namespace
}  // namespace rnnc
