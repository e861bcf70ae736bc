// A number is lost while training: the step, the parameter, what is kept.
#include <gmock/gmock.h>

#include "runtime/checkpoint.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Decay alone moves `b`: to 1 - 10^4 times what it was in each step, so the tenth step leaves no number.
constexpr const char* kGrowing = R"(
data words {
  read "words.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
  split train = 0.8, valid = 0.2
}
model growing(x: C[T]) -> (logits: [L]) {
  param b: [L] = 1
  logits = b
}
train growing on words {
  loss      cross_entropy(logits, y)
  optimizer sgd(rate = 1, decay = 1e4)
  batch     8
  epochs    40
}
)";

Outcome train_growing(const SmallModel& small, const std::string& batch) {
  small.folder().write("growing.rnn", kGrowing);
  return run_rnnc({"train", small.folder() / "growing.rnn", "--model", small.folder() / "growing.model",
                   "--quiet", "--set", "batch=" + batch});
}

void expect_tenth_step(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, StartsWith("step 10: error: `b` is not a number after it\n"
                                      "      = first seen in the optimizer's step of `b`, element [0, "));
}

TEST(LostNumber, UpdateSeenInTheNextLoss) {
  const SmallModel small;
  expect_tenth_step(train_growing(small, "8"));  // 12 steps an epoch
}

TEST(LostNumber, UpdateSeenAtTheEndOfAnEpoch) {
  const SmallModel small;
  expect_tenth_step(train_growing(small, "all"));
  // One step an epoch: those before are kept, as are the parameters before the step.
  const SavedModel best = load_model(small.folder() / "growing.model");
  const SavedModel before = load_model(small.folder() / "growing.model.before");
  EXPECT_EQ(best.parameters.at("b").shape, before.parameters.at("b").shape);
  for (const float value : before.parameters.at("b").floats()) EXPECT_GT(std::abs(value), 1e35F);
}

TEST(LostNumber, ParametersBeforeTheStepAreKept) {
  const SmallModel small;
  const std::vector<std::string> settings = {"--quiet", "--set", "rate=1", "--set", "decay=1e25"};
  const Outcome outcome = small.train("m.model", settings);
  EXPECT_EQ(outcome.status, 1);
  ASSERT_THAT(outcome.err, StartsWith("step 2: error: `h.embed.W` is not a number after it\n"));
  EXPECT_THAT(outcome.err,
              HasSubstr("= the parameters before this step are in " + small.folder() / "m.model.before"));
  std::vector<std::string> one = settings;
  one.insert(one.end(), {"--steps", "1"});
  ASSERT_EQ(small.train("one.model", one).status, 0);
  const SavedModel kept = load_model(small.folder() / "m.model.before");
  const SavedModel wanted = load_model(small.folder() / "one.model");
  ASSERT_EQ(kept.parameters.size(), wanted.parameters.size());
  for (const auto& [name, tensor] : wanted.parameters)
    EXPECT_EQ(kept.parameters.at(name).floats(), tensor.floats()) << name;
  // Another training can begin with them.
  small.write_model("  load \"" + small.folder() / "m.model.before\"", 1);
  EXPECT_THAT(small.train("next.model", settings).err,
              StartsWith("step 1: error: `h.embed.W` is not a number after it\n"));
}

}  // namespace
}  // namespace rnnc::test
