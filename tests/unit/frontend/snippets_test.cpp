// Every block of the language in the pages for users is right (snippets.h says what they are).
#include "tests/unit/frontend/snippets.h"

#include <gtest/gtest.h>

#include "frontend/check.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

TEST(Snippets, OfThePagesAreRight) {
  int checked = 0;
  for (const auto& page : testing::pages()) {
    for (const testing::SnippetFile& file : testing::snippet_files(page)) {
      ++checked;
      try {
        const Checked right = check({file.place, file.text});
        EXPECT_EQ(render(right.warnings), "");
      } catch (const UserError& error) {
        ADD_FAILURE() << file.place << "\n" << error.what();
      }
    }
  }
  EXPECT_GE(checked, 20);
}

TEST(Snippets, OfTheLanguageAreTaggedAsSuch) {
  const std::regex looks_like("(^|\n)(tree cell|cell|layer|model|data|train|dim) [^\n]*(\\{|=)");
  for (const auto& page : testing::pages()) {
    for (const testing::Snippet& snippet : testing::snippets_of(page)) {
      if (snippet.tagged) continue;
      EXPECT_FALSE(std::regex_search(snippet.text, looks_like)) << snippet.place << "\n" << snippet.text;
    }
  }
}

}  // namespace
}  // namespace rnnc
