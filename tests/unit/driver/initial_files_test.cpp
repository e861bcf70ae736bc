// Parameters that begin with a file, and a first state that is drawn once and stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/checkpoint.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;

Outcome train_with(const SmallModel& small, const std::string& from, const std::string& to) {
  std::string text = file_bytes(small.file());
  text.replace(text.find(from), from.size(), to);
  small.folder().write("small.rnn", text);
  return small.train("m.model", {"--epochs", "1"});
}

const std::string kModel = "  h      = scan gru[H] over embed[6](x)\n";

TEST(FirstValues, FromATableOfVectors) {
  const SmallModel small;
  small.folder().write("v.txt", "a 1 2 3\nc 4 5 6\n");
  const Outcome outcome = train_with(small, kModel,
                                     "  param E: [C, 3] ~ file(\"v.txt\") frozen\n"
                                     "  h = scan gru[H] over E[x]\n");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const SavedModel saved = load_model(small.folder() / "m.model");
  const std::vector<float> table = saved.parameters.at("E").floats();
  const Vocabulary& c = saved.info.learned.vocabularies.at("C");
  const auto at = [&](const char* entry, size_t i) { return table.at(size_t(c.find(entry)) * 3 + i); };
  EXPECT_EQ(at("a", 0), 1);
  EXPECT_EQ(at("c", 2), 6);
  EXPECT_NE(at("b", 0), 0);  // not in the file: normal(0.1)
  EXPECT_LT(std::abs(at("b", 0)), 1);
}

TEST(FirstValues, MistakesHaveTheirPlace) {
  const SmallModel small;
  small.folder().write("v.txt", "nothing 1 2 3\n");
  Outcome outcome =
      train_with(small, kModel, "  param E: [C, 3] ~ file(\"w.txt\")\n  h = scan gru[H] over E[x]\n");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("small.rnn:9:"));
  EXPECT_THAT(outcome.err, HasSubstr("w.txt"));
  outcome = train_with(small, "w.txt", "v.txt");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("v.txt has no entry of vocabulary `C`"));
  outcome = train_with(small, "[C, 3]", "[H, 3]");
  EXPECT_EQ(outcome.status, 2) << outcome.err;
}

TEST(FirstValues, AStateThatIsDrawnOnceAndStays) {
  const SmallModel small;
  const Outcome outcome = train_with(small, kModel,
                                     "  param h0: [H] ~ normal(0.1) frozen\n"
                                     "  h = scan gru[H] over stop_gradient(embed[6](x)) from h = h0\n");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto after_one = load_model(small.folder() / "m.model").parameters.at("h0").floats();
  ASSERT_EQ(small.train("n.model", {"--epochs", "3"}).status, 0);
  EXPECT_EQ(load_model(small.folder() / "n.model").parameters.at("h0").floats(), after_one);
  EXPECT_NE(after_one.at(0), 0);
}

}  // namespace
}  // namespace rnnc::test
