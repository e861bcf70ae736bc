// Counts of n-tuples, by hand and against the figures of ../shared/language/results.md.
#include "runtime/ngrams.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/files.h"
#include "runtime/vocabulary.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using Ids = std::vector<int32_t>;

TEST(Ngrams, CountsByHand) {
  Ngrams pairs(2, 3, 0);
  pairs.count(Ids{0, 1, 0, 1, 0, 2});
  pairs.count(Ids{2, 2});
  EXPECT_DOUBLE_EQ(pairs.probability(Ids{0, 1}), 2.0 / 3);  // 0 begins three pairs
  EXPECT_DOUBLE_EQ(pairs.probability(Ids{1, 0}), 1);
  EXPECT_EQ(pairs.probability(Ids{2, 0}), 0);  // no pair runs from one row to the next
  EXPECT_EQ(pairs.probability(Ids{1, 2}), 0);
  int64_t positions = 0;
  EXPECT_NEAR(pairs.surprise(Ids{1, 0, 2}, positions), std::log(3.0), 1e-12);
  EXPECT_EQ(positions, 2);
  EXPECT_TRUE(std::isinf(pairs.surprise(Ids{1, 2}, positions)));
}

TEST(Ngrams, AddedToEveryCount) {
  Ngrams pairs(2, 4, 0.5);
  pairs.count(Ids{0, 1, 0});
  EXPECT_DOUBLE_EQ(pairs.probability(Ids{0, 1}), 1.5 / 3);
  EXPECT_DOUBLE_EQ(pairs.probability(Ids{0, 2}), 0.5 / 3);
  EXPECT_DOUBLE_EQ(pairs.probability(Ids{3, 3}), 0.25);  // what never began a pair knows nothing
  double all = 0;
  for (int32_t next = 0; next < 4; ++next) all += pairs.probability(Ids{1, next});
  EXPECT_DOUBLE_EQ(all, 1);
}

TEST(Ngrams, SingleElements) {
  Ngrams single(1, 2, 0);
  single.count(Ids{0, 0, 0, 1});
  int64_t positions = 0;
  EXPECT_NEAR(single.surprise(Ids{1, 0, 1}, positions), -std::log(0.75) - 2 * std::log(0.25), 1e-12);
  EXPECT_EQ(positions, 3);  // nothing has to stand before a single element
  EXPECT_THROW(Ngrams(0, 2, 0), std::invalid_argument);
}

double perplexity(const Ids& train, const Ids& test, int64_t vocabulary, int64_t length, double add,
                  int64_t* positions = nullptr) {
  Ngrams counts(length, vocabulary, add);
  counts.count(train);
  int64_t n = 0;
  const double sum = counts.surprise(test, n);
  if (positions != nullptr) *positions = n;
  return std::exp(sum / static_cast<double>(n));
}

/// The entries of `all` as numbers, the most frequent of the first `train` of them from 1; 0 is <unk>.
std::pair<Ids, int64_t> numbered(const std::vector<std::string>& all, size_t train) {
  Counts counts;
  for (size_t i = 0; i < train; ++i) ++counts[all[i]];
  counts.erase(std::string(kUnk));
  const std::string_view special[] = {kUnk};
  const Vocabulary vocabulary = make_vocabulary(counts, special);
  Ids ids;
  for (const std::string& entry : all) ids.push_back(vocabulary.find_or_unk(entry));
  return {ids, vocabulary.size()};
}

TEST(Ngrams, TimeMachine) {
  const std::string path = test::shared_data("timemachine/timemachine.txt");
  if (path.empty()) GTEST_SKIP() << "no ../shared/data/timemachine";
  std::vector<std::string> characters;
  for (const char c : read_file(path, path)) {
    if (c == '\r') continue;
    characters.emplace_back(1, static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  ASSERT_EQ(characters.size(), 178979U);
  const size_t cut = 161081;
  const auto [ids, vocabulary] = numbered(characters, cut);
  ASSERT_EQ(vocabulary, 46);
  const Ids train(ids.begin(), ids.begin() + long(cut)), valid(ids.begin() + long(cut), ids.end());
  auto figure = [&](int64_t length, double add) { return perplexity(train, valid, 46, length, add); };
  int64_t positions = 0;
  EXPECT_TRUE(std::isinf(perplexity(train, valid, 46, 2, 0, &positions)));
  EXPECT_EQ(positions, 17897);
  EXPECT_TRUE(std::isinf(perplexity(train, valid, 46, 3, 0, &positions)));
  EXPECT_EQ(positions, 17896);
  const std::map<int64_t, std::map<double, double>> table = {
      {1, {{0, 19.869}, {0.01, 19.869}, {0.1, 19.869}, {1, 19.870}}},
      {2, {{0.01, 10.961}, {0.1, 10.943}, {1, 10.972}}},
      {3, {{0.01, 7.234}, {0.1, 7.174}, {1, 7.619}}}};
  for (const auto& [length, row] : table)
    for (const auto& [add, want] : row)
      EXPECT_NEAR(figure(length, add), want, 0.0005) << length << "-grams, add " << add;
}

/// Words cut at blanks, <eos> at every line end.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\n') {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(std::exchange(word, {}));
    if (c == '\n') words.emplace_back(kEos);
  }
  return words;
}

TEST(Ngrams, Wikitext) {
  const std::string folder = test::shared_data("wikitext-2/");
  if (folder.empty()) GTEST_SKIP() << "no ../shared/data/wikitext-2";
  std::vector<std::string> words = words_of(read_file(folder + "valid.txt.gz", "valid.txt"));
  const size_t cut = 195881, stream = words.size();
  ASSERT_EQ(stream, cut + 21765);
  const std::vector<std::string> more = words_of(read_file(folder + "test.txt.gz", "test.txt"));
  ASSERT_EQ(more.size(), 245569U);
  words.insert(words.end(), more.begin(), more.end());
  const auto [ids, vocabulary] = numbered(words, cut);
  ASSERT_EQ(vocabulary, 12950);
  auto part = [&, &all = ids](size_t begin, size_t end) {
    return Ids(all.begin() + long(begin), all.begin() + long(end));
  };
  const Ids train = part(0, cut), valid = part(cut, stream), test = part(stream, ids.size());
  struct Row {
    int64_t length;
    double add, valid, test, digit;
  };
  for (const Row& row :
       {Row{1, 0.01, 502.5, 532.3, 0.1}, Row{2, 0.01, 600.5, 574.0, 0.1}, Row{2, 0.003, 616.3, 582.6, 0.1},
        Row{2, 0.1, 781.7, 781.0, 0.1}, Row{3, 0.01, 2806, 2850, 1}}) {
    EXPECT_NEAR(perplexity(train, valid, 12950, row.length, row.add), row.valid, row.digit / 2);
    EXPECT_NEAR(perplexity(train, test, 12950, row.length, row.add), row.test, row.digit / 2);
  }
}

}  // namespace
}  // namespace rnnc
