// Sequences within a sequence, words of letters: what the equations mean, computed by loops, and a model from
// its text to what it predicts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/driver/command_helpers.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/rows_world.h"

namespace rnnc {
namespace {

using testing::HasSubstr;

/// The examples: words, each some letters of four.
const std::vector<std::vector<std::vector<int>>> kTexts{
    {{1, 0, 3}, {2}, {2, 1}}, {{3, 3}, {0, 1, 2, 3}}, {{1}}, {}};

std::string model_text(const std::string& layer, const std::string& equations) {
  return R"(
data d {
  read "a.txt" as lines
  x: C[S, U] = chars(words(line))
}
cell fading(x: []; s: []) {
  s' = 0.5 * s + x
}
)" + layer +
         R"(
model m(x: C[S, U]) -> (out: []) {
  param e: [C] = 1
)" + equations +
         R"(
}
train m on d {
  loss      mean(out)
  optimizer sgd(rate = 0.1)
  epochs    1
}
predict m {
  show out
}
)";
}

/// The value of each letter that RowsWorld gives to the parameter.
double value(int letter) {
  return 0.25 * (letter * 3 % 5) - 0.45;
}

std::vector<double> shown(const std::string& layer, const std::string& equations) {
  Examples given;
  given.count = int64_t(kTexts.size());
  given.lengths.resize(2);
  for (const auto& text : kTexts) {
    given.lengths[0].push_back(int32_t(text.size()));
    for (const auto& word : text) given.lengths[1].push_back(int32_t(word.size()));
  }
  test::RowsWorld world(test::lower_text(model_text(layer, equations), {{"C", 4}}, {"S", "U"}),
                        ProgramKind::Predict, given);
  for (const auto& text : kTexts) {
    size_t longest = 0;
    for (const auto& word : text) longest = std::max(longest, word.size());
    std::vector<double> letters;  // each word as long as the longest, the rest is never read
    for (const auto& word : text)
      for (size_t i = 0; i < longest; ++i) letters.push_back(i < word.size() ? word[i] : 3);
    world.add("x", letters);
  }
  return world.output("show.0");
}

/// `of_word` gives a number for each word, `of_text` one for those of an example.
void expect_shown(const std::string& layer, const std::string& equations,
                  const std::function<double(const std::vector<double>&)>& of_word,
                  const std::function<double(const std::vector<double>&)>& of_text) {
  SCOPED_TRACE(layer + equations);
  const std::vector<double> got = shown(layer, equations);
  ASSERT_EQ(got.size(), kTexts.size());
  for (size_t r = 0; r < got.size(); ++r) {
    std::vector<double> words;
    for (const auto& word : kTexts[r]) {
      std::vector<double> letters(word.size());
      std::ranges::transform(word, letters.begin(), value);
      words.push_back(of_word(letters));
    }
    EXPECT_NEAR(got[r], of_text(words), 1e-9) << "example " << r;
  }
}

double faded(const std::vector<double>& x) {
  double s = 0;
  for (double v : x) s = 0.5 * s + v;
  return s;
}
double faded_backwards(std::vector<double> x) {
  std::ranges::reverse(x);
  return faded(x);
}
double sum(const std::vector<double>& x) {
  double s = 0;
  for (double v : x) s += v;
  return s;
}

TEST(Words, AreScannedByThemselves) {
  expect_shown("layer word(c: [U]) -> (v: []) {\n  h = scan fading over c\n  v = final(h)\n}\n",
               "  w   = word(e[x])\n  h   = scan fading over w\n  out = final(h)", faded, faded);
  expect_shown("layer word(c: [U]) -> (v: []) {\n  h = scan reverse(fading) over c\n  v = final(h)\n}\n",
               "  w   = word(e[x])\n  h   = scan reverse(fading) over w\n  out = final(h)", faded_backwards,
               faded_backwards);
}

TEST(Words, BeginWhereAnotherScanEnded) {
  expect_shown(
      "layer word(c: [U]) -> (v: []) {\n  g = scan fading over c\n  h = scan fading over c from g\n  v = "
      "last(h)\n}\n",
      "  w   = word(e[x])\n  out = sum over S (w)",
      [](const std::vector<double>& x) { return faded(x) + faded(x) * std::pow(0.5, double(x.size())); },
      sum);
}

TEST(Words, OfTheirLettersAlone) {
  expect_shown(
      "layer word(c: [U]) -> (v: []) {\n  v = max over U (c * delay(c, -1)) + first(c) - mean over U "
      "(c)\n}\n",
      "  w   = word(e[x])\n  out = last(w) + sum over S (w)",
      [](const std::vector<double>& x) {
        double most = -1e9;
        for (size_t i = 0; i < x.size(); ++i) most = std::max(most, i + 1 < x.size() ? x[i] * x[i + 1] : 0);
        return most + x[0] - sum(x) / double(x.size());
      },
      [](const std::vector<double>& w) { return w.empty() ? 0 : w.back() + sum(w); });
}

TEST(Words, MeetWhatAnExampleHas) {
  expect_shown(
      "", "  y   = e[x]\n  out = sum(y * (max over S, U (y)))",
      [](const std::vector<double>& x) {
        return sum(x) + 100 * std::round(*std::ranges::max_element(x) * 20);
      },
      [](const std::vector<double>& w) {
        double most = -1e9, all = 0;
        for (double v : w) {  // the word's sum and its largest letter, both in one number
          const double large = std::round(v / 100) / 20;
          most = std::max(most, large);
          all += v - 100 * std::round(v / 100);
        }
        return w.empty() ? 0 : all * most;
      });
}

TEST(Words, WhatIsNotBuiltIsNamed) {
  const auto why = [](const std::string& layer, const std::string& equations) {
    try {
      test::lower_text(model_text(layer, equations), {{"C", 4}}, {"S", "U"});
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string away = "a sequence within another one, away from it: not built yet";
  EXPECT_THAT(why("", "  y   = e[x]\n  z   = sum over S (y)\n  out = sum(z)"), HasSubstr(away));
  EXPECT_THAT(why("", "  y   = e[x]\n  out = sum(last(y))"), HasSubstr(away));
  EXPECT_THAT(
      why("layer l(c: [U]) -> (v: []) {\n  v = mean over U (c) / U\n}\n", "  w   = l(e[x])\n  out = sum(w)"),
      HasSubstr("the length of a sequence within another one: not built yet"));
}

TEST(Words, FromTextToPrediction) {
  test::TemporaryFolder folder;
  const std::vector<std::string> words{"red", "blue", "cat", "mouse", "a", "yellow"};
  std::string rows;
  for (size_t r = 0; r < 150; ++r) {
    bool color = false;
    std::string text;
    for (size_t i = 0; i < 1 + r % 4; ++i) {
      const std::string& word = words[(r * 7 + i * i + r / 5) % words.size()];
      color = color || word == "red" || word == "blue" || word == "yellow";
      text += (i > 0 ? " " : "") + word;
    }
    rows += text + "\t" + (color ? "yes" : "no") + "\n";
  }
  folder.write("t.tsv", rows);
  folder.write("words.rnn", R"(data d {
  read "t.tsv" as tsv
  x: C[S, U] = chars(words(col(1)))
  y: L       = category(col(2))
}
layer word(c: C[U]) -> (v: [H]) {
  h = scan gru[H] over embed[8](c)
  v = final(h)
}
model m(x: C[S, U]) -> (logits: [L]) {
  w      = word[12](x)
  logits = linear[L](max over S (w))
}
train m on d {
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 0.01)
  epochs    25
  save      "words.model"
}
predict m {
  show argmax(logits)
}
)");
  const std::string file = folder / "words.rnn", model = folder / "words.model";
  const test::Outcome trained = test::run_rnnc({"train", file, "--model", model});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const test::Outcome predicted =
      test::run_rnnc({"predict", model, "a red cat", "cat", "mouse mouse a blue"});
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_EQ(predicted.out, "yes\nno\nyes\n");
  EXPECT_EQ(test::run_rnnc({"gradcheck", file}).status, 0);
}

}  // namespace
}  // namespace rnnc
