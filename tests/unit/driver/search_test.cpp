// Searches over a model that is a table: the log probabilities of the next symbol for every text so far.
#include "driver/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "runtime/errors.h"

namespace rnnc::test {
namespace {

using testing::ElementsAre;
using Text = std::vector<int32_t>;

/// Gives every text a distribution of its own, at random but always the same. Its state is the text itself,
/// so that a search that mixes up rows writes something else.
class TableModel {
 public:
  TableModel(int64_t rows, int64_t entries, unsigned seed) : entries_(entries), seed_(seed) {
    texts_.resize(static_cast<size_t>(rows));
    for (size_t r = 0; r < texts_.size(); ++r) first_.push_back(static_cast<int32_t>(r));
  }

  /// All rows of one sequence begin alike: `beam` rows side by side.
  void begin_in_groups(int64_t beam) {
    for (size_t r = 0; r < first_.size(); ++r)
      first_[r] = static_cast<int32_t>(static_cast<int64_t>(r) / beam);
  }

  std::vector<float> log_p(int32_t first, const Text& text) const {
    std::vector<uint32_t> key = {seed_, static_cast<uint32_t>(first)};
    for (const int32_t symbol : text) key.push_back(static_cast<uint32_t>(symbol) + 1000);
    std::seed_seq seeds(key.begin(), key.end());
    std::mt19937 random(seeds);
    std::vector<double> p;
    double sum = 0;
    for (int64_t i = 0; i < entries_; ++i)
      sum += p.emplace_back(std::exp(3.0 * double(random()) / 4294967296.0));
    std::vector<float> result;
    for (const double x : p) result.push_back(static_cast<float>(std::log(x / sum)));
    return result;
  }

  Stepper stepper() {
    Stepper s;
    s.rows = static_cast<int64_t>(texts_.size());
    s.entries = entries_;
    s.begin = [this] { return scores(); };
    s.next = [this](std::span<const int32_t> symbols) {
      ++runs;
      for (size_t r = 0; r < texts_.size(); ++r) texts_[r].push_back(symbols[r]);
      return scores();
    };
    s.reorder = [this](std::span<const int64_t> order) {
      const std::vector<Text> before = texts_;
      for (size_t r = 0; r < texts_.size(); ++r) texts_[r] = before[static_cast<size_t>(order[r])];
    };
    return s;
  }

  int runs = 0;

 private:
  std::vector<float> scores() const {
    std::vector<float> all;
    for (size_t r = 0; r < texts_.size(); ++r) {
      const std::vector<float> one = log_p(first_[r], texts_[r]);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  int64_t entries_;
  unsigned seed_;
  std::vector<Text> texts_;
  std::vector<int32_t> first_;
};

struct Found {
  Text text;
  double log_probability = -std::numeric_limits<double>::infinity();
};

/// The most probable of all texts of at most `length` symbols, by trying every one of them.
void try_all(const TableModel& model, int32_t first, const SymbolRules& rules, int64_t length,
             const Text& text, double so_far, Found& best) {
  if (static_cast<int64_t>(text.size()) == length) {
    if (so_far > best.log_probability) best = {text, so_far};
    return;
  }
  const std::vector<float> log_p = model.log_p(first, text);
  for (size_t symbol = 0; symbol < log_p.size(); ++symbol) {
    const double sum = so_far + log_p[symbol];
    if (std::ranges::find(rules.never, static_cast<int32_t>(symbol)) != rules.never.end()) continue;
    if (static_cast<int32_t>(symbol) == rules.end) {
      if (sum > best.log_probability) best = {text, sum};
      continue;
    }
    Text longer = text;
    longer.push_back(static_cast<int32_t>(symbol));
    try_all(model, first, rules, length, longer, sum, best);
  }
}

TEST(Search, ABeamThatHoldsEverythingFindsTheMostProbableText) {
  constexpr int64_t kEntries = 4, kLength = 4, kBeam = 256;
  const SymbolRules rules{.end = 1, .never = {3}};
  for (unsigned seed = 0; seed < 20; ++seed) {
    TableModel model(2 * kBeam, kEntries, seed);
    model.begin_in_groups(kBeam);
    const auto written =
        search(model.stepper(), {.kind = SearchSettings::Beam, .beam = kBeam, .length = kLength}, rules);
    ASSERT_EQ(written.size(), 2u);
    for (int32_t e = 0; e < 2; ++e) {
      Found best;
      try_all(model, e, rules, kLength, {}, 0, best);
      EXPECT_EQ(written[size_t(e)].symbols, best.text) << "seed " << seed;
      EXPECT_NEAR(written[size_t(e)].log_probability, best.log_probability, 1e-9);
    }
  }
}

TEST(Search, ABeamOfOneIsGreedy) {
  const SymbolRules rules{.end = 0, .never = {}};
  for (unsigned seed = 0; seed < 20; ++seed) {
    TableModel a(3, 6, seed), b(3, 6, seed);
    const auto greedy = search(a.stepper(), {.length = 8}, rules);
    const auto beam = search(b.stepper(), {.kind = SearchSettings::Beam, .beam = 1, .length = 8}, rules);
    ASSERT_EQ(greedy.size(), beam.size());
    for (size_t i = 0; i < greedy.size(); ++i) {
      EXPECT_EQ(greedy[i].symbols, beam[i].symbols);
      EXPECT_EQ(greedy[i].ended, beam[i].ended);
      EXPECT_DOUBLE_EQ(greedy[i].log_probability, beam[i].log_probability);
    }
  }
}

TEST(Search, AWiderBeamIsOftenBetterAndItsSumsAreRight) {
  const SymbolRules rules{.end = 0, .never = {}};
  double greedy = 0, beam = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    TableModel one(1, 6, seed), four(4, 6, seed);
    four.begin_in_groups(4);
    greedy += search(one.stepper(), {.length = 6}, rules)[0].log_probability;
    const Written w =
        search(four.stepper(), {.kind = SearchSettings::Beam, .beam = 4, .length = 6}, rules)[0];
    beam += w.log_probability;
    double sum = 0;
    Text text;
    for (const int32_t symbol : w.symbols) {
      sum += four.log_p(0, text)[size_t(symbol)];
      text.push_back(symbol);
    }
    if (w.ended) sum += four.log_p(0, text)[0];
    EXPECT_NEAR(w.log_probability, sum, 1e-9) << "seed " << seed;
  }
  EXPECT_GT(beam, greedy);
}

TEST(Search, GreedyFollowsTheLargestAndEnds) {
  // After nothing: 2, after 2: 1, after 2 1: the end.
  const std::map<Text, std::vector<float>> table = {
      {{}, {-3, -2, -1, -0.5F}}, {{2}, {-2, -1, -3, -9}}, {{2, 1}, {-1, -2, -2, -9}}};
  Text text;
  Stepper s{.rows = 1, .entries = 4, .begin = {}, .next = {}, .reorder = {}};
  s.begin = [&] { return table.at(text); };
  s.next = [&](std::span<const int32_t> symbols) {
    text.push_back(symbols[0]);
    return table.at(text);
  };
  Text told;
  const auto written = search(s, {.length = 9}, {.end = 0, .never = {3}}, [&](int64_t row, int32_t symbol) {
    EXPECT_EQ(row, 0);
    told.push_back(symbol);
  });
  EXPECT_THAT(written[0].symbols, ElementsAre(2, 1));
  EXPECT_EQ(told, written[0].symbols);
  EXPECT_TRUE(written[0].ended);
  EXPECT_DOUBLE_EQ(written[0].log_probability, -3);
}

TEST(Search, LengthIsTheMost) {
  TableModel model(2, 5, 7);
  const auto written = search(model.stepper(), {.length = 3}, {});
  for (const Written& w : written) {
    EXPECT_EQ(w.symbols.size(), 3u);
    EXPECT_FALSE(w.ended);
  }
  EXPECT_EQ(model.runs, 2) << "nothing is computed after the last symbol";
}

TEST(Search, SamplesComeAsOftenAsTheyAreProbable) {
  // One distribution for all rows; temperature 0.5 squares the probabilities.
  const std::vector<float> log_p = {std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  constexpr int64_t kRows = 20000;
  Stepper s{.rows = kRows, .entries = 3, .begin = {}, .next = {}, .reorder = {}};
  s.begin = [&] {
    std::vector<float> all;
    for (int64_t r = 0; r < kRows; ++r) all.insert(all.end(), log_p.begin(), log_p.end());
    return all;
  };
  const auto shares = [&](double temperature, int64_t top) {
    std::vector<double> share(3);
    const SearchSettings settings{.kind = SearchSettings::Sample, .temperature = temperature, .top = top};
    for (const Written& w : search(s, settings, {})) share[size_t(w.symbols[0])] += 1.0 / kRows;
    return share;
  };
  using testing::DoubleNear;
  EXPECT_THAT(shares(1, 0),
              ElementsAre(DoubleNear(0.5, 0.015), DoubleNear(0.3, 0.015), DoubleNear(0.2, 0.015)));
  const double sum = 0.25 + 0.09 + 0.04;
  EXPECT_THAT(shares(0.5, 0), ElementsAre(DoubleNear(0.25 / sum, 0.015), DoubleNear(0.09 / sum, 0.015),
                                          DoubleNear(0.04 / sum, 0.015)));
  EXPECT_THAT(shares(1, 2), ElementsAre(DoubleNear(0.625, 0.015), DoubleNear(0.375, 0.015), 0));
  EXPECT_THAT(shares(1, 1), ElementsAre(DoubleNear(1, 1e-9), 0, 0));
}

TEST(Search, ASampleDependsOnSeedAndNumberOnly) {
  const SearchSettings settings{.kind = SearchSettings::Sample, .length = 10, .seed = 3};
  TableModel a(1, 8, 1), b(1, 8, 1), c(1, 8, 1), d(1, 8, 1);
  const Text first = search(a.stepper(), settings, {})[0].symbols;
  EXPECT_EQ(search(b.stepper(), settings, {})[0].symbols, first);
  EXPECT_NE(search(c.stepper(), settings, {}, {}, std::array{int64_t{1}})[0].symbols, first);
  SearchSettings other = settings;
  other.seed = 4;
  EXPECT_NE(search(d.stepper(), other, {})[0].symbols, first);
}

TEST(Search, ScoresThatAreNotNumbersAreAFailure) {
  Stepper s{.rows = 1, .entries = 2, .begin = {}, .next = {}, .reorder = {}};
  s.begin = [] { return std::vector<float>{std::nanf(""), 0}; };
  EXPECT_THROW(search(s, {}, {}), RunError);
  s.begin = [] { return std::vector<float>{0, 0}; };
  EXPECT_THROW(search(s, {}, {.end = -1, .never = {0, 1}}), RunError);
}

}  // namespace
}  // namespace rnnc::test
