// BLEU-4 against values computed by hand.
#include "runtime/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace rnnc {
namespace {

double bleu(const std::vector<std::pair<std::string, std::string>>& texts) {
  std::map<std::string, int32_t> words;
  const auto numbers = [&](const std::string& text) {
    std::vector<int32_t> result;
    std::istringstream in(text);
    for (std::string word; in >> word;)
      result.push_back(words.emplace(word, static_cast<int32_t>(words.size())).first->second);
    return result;
  };
  Bleu sum;
  for (const auto& [written, reference] : texts) sum.add(numbers(written), numbers(reference));
  return sum.value();
}

TEST(Bleu, TheSameTextIsHundred) {
  EXPECT_DOUBLE_EQ(bleu({{"the cat sat on the mat", "the cat sat on the mat"}}), 100);
}

TEST(Bleu, SharesOfNGrams) {
  // Words 5 of 6, pairs 4 of 5, triples 3 of 4, fours 2 of 3; no brevity.
  EXPECT_NEAR(bleu({{"the cat sat on the rug", "the cat sat on the mat"}}),
              100 * std::pow(5.0 / 6 * 4 / 5 * 3 / 4 * 2 / 3, 0.25), 1e-12);
}

TEST(Bleu, CountsAreClipped) {
  // "the" stands twice in the reference: words 2 + 3 of 9, pairs 3 of 8, triples 2 of 7, fours 1 of 6.
  EXPECT_NEAR(bleu({{"the the the the the cat sat on it", "the cat sat on the mat"}}),
              100 * std::pow(5.0 / 9 * 3 / 8 * 2 / 7 * 1 / 6, 0.25), 1e-12);
}

TEST(Bleu, ShortTextsPay) {
  // All n-grams are there, 5 words for 8.
  EXPECT_NEAR(bleu({{"a b c d e", "a b c d e f g h"}}), 100 * std::exp(1 - 8.0 / 5), 1e-12);
  EXPECT_NEAR(bleu({{"a b c d e f g h", "a b c d e"}}), 100 * std::pow(5.0 / 8 * 4 / 7 * 3 / 6 * 2 / 5, 0.25),
              1e-12)
      << "long ones by their shares";
}

TEST(Bleu, IsThatOfTheWholeCorpus) {
  // Words 4 + 3 of 4 + 4, pairs 3 + 2 of 6, triples 2 + 1 of 4, fours 1 + 0 of 2; 8 words for 9.
  EXPECT_NEAR(bleu({{"a b c d", "a b c d e"}, {"p q r s", "p q r t"}}),
              100 * std::exp(1 - 9.0 / 8) * std::pow(7.0 / 8 * 5 / 6 * 3 / 4 * 1 / 2, 0.25), 1e-12);
}

TEST(Bleu, NoFourWordsInARowAreZero) {
  EXPECT_EQ(bleu({{"a b c x d", "a b c y d"}}), 0);
  EXPECT_EQ(bleu({{"", "a b c d"}}), 0);
  EXPECT_EQ(bleu({}), 0);
}

}  // namespace
}  // namespace rnnc
