// Text: UTF-8, characters, words, numbers; vocabularies made of them.
#include "runtime/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/vocabulary.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view text, bool marks = false) {
  std::vector<std::string> result;
  for_each_word(text, marks, [&](std::string_view word) { result.emplace_back(word); });
  return result;
}

std::vector<std::string> chars(std::string_view text) {
  std::vector<std::string> result;
  for_each_char(text, [&](std::string_view c) { result.emplace_back(c); });
  return result;
}

TEST(Text, Utf8IsCheckedStrictly) {
  EXPECT_EQ(invalid_utf8(""), std::string::npos);
  EXPECT_EQ(invalid_utf8("aä€😀"), std::string::npos);
  EXPECT_EQ(invalid_utf8("ab\xF0"), 2u);
  EXPECT_EQ(invalid_utf8("a\x80"), 1u);             // a continuation alone
  EXPECT_EQ(invalid_utf8("\xC0\xAF"), 0u);          // overlong
  EXPECT_EQ(invalid_utf8("\xED\xA0\x80"), 0u);      // half a surrogate pair
  EXPECT_EQ(invalid_utf8("\xF4\x90\x80\x80"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(invalid_utf8("\xE2\x82"), 0u);          // cut short
}

TEST(Text, Latin1) {
  EXPECT_EQ(latin1_to_utf8("a\xE9\xFF"), "aéÿ");
  EXPECT_EQ(code_points("aéÿ"), 3u);
}

TEST(Text, LowerKeepsTheNumberOfCodePoints) {
  EXPECT_EQ(lower("ÄÉ Ж Ω Hi"), "äé ж ω hi");
  for (const char* text : {"İ", "ẞ", "ǅ", "ﬃ", "Σς"}) EXPECT_EQ(code_points(lower(text)), code_points(text));
}

TEST(Text, Chars) {
  EXPECT_THAT(chars("aé€😀"), ElementsAre("a", "é", "€", "😀"));
}

TEST(Text, Words) {
  EXPECT_THAT(words("  a\tb\r\nc\u00A0d\u202Fe\u3000f  "), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_THAT(words(" \t "), IsEmpty());
  EXPECT_THAT(words(""), IsEmpty());
}

TEST(Text, WordsWithMarks) {
  EXPECT_THAT(words("C'est l'a_1, où?!", true),
              ElementsAre("C", "'", "est", "l", "'", "a_1", ",", "où", "?", "!"));
  EXPECT_THAT(words("the <unk> <eos>.", true), ElementsAre("the", "<unk>", "<eos>", "."));
  EXPECT_THAT(words("a <b>", true), ElementsAre("a", "<", "b", ">"));
}

TEST(Text, Bytes) {
  std::vector<std::string> bytes;
  for_each_byte("aé\n", [&](std::string_view byte) { bytes.emplace_back(byte); });
  EXPECT_THAT(bytes, ElementsAre("a", "<0xC3>", "<0xA9>", "<0x0A>"));
}

TEST(Text, Numbers) {
  EXPECT_EQ(parse_number("3"), 3.0);
  EXPECT_EQ(parse_number(" -2.5e3\t"), -2500.0);
  EXPECT_EQ(parse_number("+.5"), 0.5);
  EXPECT_EQ(parse_number("9.520000000000000000e+02"), 952.0);
  EXPECT_TRUE(std::isinf(*parse_number("1e999")));
  EXPECT_EQ(parse_number("1e-999"), 0.0);
  for (const char* text :
       {"", " ", "a", "1a", "1 2", "1,5", "nan", "inf", "-inf", "+-1", "0x10", "--1", "e5", "+"})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(Text, PlacesCountCodePoints) {
  const std::string text = "one\r\nzwö é\nx";
  EXPECT_EQ(place_in(text, 0).line, 1);
  EXPECT_EQ(place_in(text, text.find("é")).line, 2);
  EXPECT_EQ(place_in(text, text.find("é")).column, 5);
  EXPECT_EQ(place_in(text, text.size()).line, 3);
  EXPECT_EQ(place_in(text, text.size()).column, 2);
}

TEST(Text, QuotedIsShortAndPrintable) {
  EXPECT_EQ(in_quotes("a\tb\n"), "\"a\\tb\\n\"");
  EXPECT_EQ(in_quotes(std::string("\0\x1b", 2)), "\"\\x00\\x1b\"");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "\"" + std::string(40, 'x') + "...\"");
}

TEST(Vocabulary, MostFrequentFirstTiesByCodePoint) {
  const Counts counts = {{"b", 2}, {"a", 2}, {"z", 5}, {"é", 2}, {"<unk>", 9}, {"once", 1}};
  const std::vector<std::string_view> special = {kPad, kUnk};
  EXPECT_THAT(make_vocabulary(counts, special).entries(),
              ElementsAre("<pad>", "<unk>", "z", "a", "b", "é", "once"));
  EXPECT_THAT(make_vocabulary(counts, special, 2).entries(), ElementsAre("<pad>", "<unk>", "z", "a"));
  EXPECT_THAT(make_vocabulary(counts, special, -1, 2).entries(),
              ElementsAre("<pad>", "<unk>", "z", "a", "b", "é"));
  const Vocabulary vocabulary = make_vocabulary(counts, special);
  EXPECT_EQ(vocabulary.find("a"), 3);
  EXPECT_EQ(vocabulary.find("?"), -1);
  EXPECT_EQ(vocabulary.find_or_unk("?"), 1);
  EXPECT_EQ(vocabulary.text(2), "z");
}

TEST(Vocabulary, CategoriesAreAlphabeticalOrNumerical) {
  EXPECT_THAT(make_category({{"b", 1}, {"a", 5}, {"10", 1}, {"9", 1}}).entries(),
              ElementsAre("10", "9", "a", "b"));
  EXPECT_THAT(make_category({{"10", 1}, {"9", 1}, {"-1", 1}, {"2.5", 1}}).entries(),
              ElementsAre("-1", "2.5", "9", "10"));
}

TEST(Vocabulary, ComesBackFromJson) {
  const Vocabulary vocabulary({"<unk>", "\"", "\n", "é", std::string(1, '\0')});
  EXPECT_EQ(vocabulary_from_json(nlohmann::json::parse(to_json(vocabulary).dump())), vocabulary);
  EXPECT_THROW(vocabulary_from_json(nlohmann::json::parse(R"(["a", "a"])")), std::invalid_argument);
  EXPECT_THROW(vocabulary_from_json(nlohmann::json::parse(R"(["a", 1])")), std::invalid_argument);
  EXPECT_THROW(vocabulary_from_json(nlohmann::json::parse(R"({"a": 1})")), std::invalid_argument);
}

}  // namespace
}  // namespace rnnc
