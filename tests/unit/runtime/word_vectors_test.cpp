// Vectors as word2vec and GloVe write them: which rows they set, and lines that are none.
#include "runtime/word_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/errors.h"

namespace rnnc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(WordVectors, OfTheEntriesOfAVocabulary) {
  const Vocabulary words({"<unk>", "a", "b", "ü"});
  std::vector<float> table(8, 9);
  EXPECT_EQ(read_vectors("3 2\na 1 2\nother 3 4\r\n\xc3\xbc\t-1e-1 0.5\na 7 7\n", "v.txt", words, 2, table),
            2);
  EXPECT_THAT(table, ElementsAre(9, 9, 1, 2, 9, 9, -0.1f, 0.5f));
  for (const auto& [text, message] :
       {std::pair<std::string, std::string>{"a 1 2\nb 1\n", "1 numbers behind `b`"},
        {"a 1 x\n", "`x` is not a number"}}) {
    try {
      read_vectors(text, "v.txt", words, 2, table);
      ADD_FAILURE() << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.message().message, HasSubstr(message));
      EXPECT_GT(error.message().line, 0);
    }
  }
}

}  // namespace
}  // namespace rnnc
