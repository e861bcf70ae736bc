// A saved model in use: eval and predict, and saved models that do not fit or are damaged.
#include <gmock/gmock.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

/// Trained once for all tests of this file.
class Predict : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    small_ = new SmallModel("", 12);
    ASSERT_EQ(small_->train("m.model").status, 0);
  }
  static void TearDownTestSuite() {
    delete small_;
    small_ = nullptr;
  }

  static std::string path(const std::string& name) { return small_->folder() / name; }
  static Outcome predict(std::vector<std::string> more) {
    std::vector<std::string> line = {"predict", small_->file(), "--model", path("m.model")};
    line.insert(line.end(), more.begin(), more.end());
    return run_rnnc(line);
  }

  static inline SmallModel* small_ = nullptr;
};

TEST_F(Predict, Arguments) {
  const Outcome outcome = predict({"dada", "cfcb", "a"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("yes [01]\\.[0-9]+  no [0-9.e-]+\nno .*\nyes .*\n"));
  EXPECT_EQ(predict({"small", "dada", "cfcb", "a"}).out, outcome.out) << "the name is no input";
}

TEST_F(Predict, StandardInput) {
  // The last row is longer than any of training, and without a line end.
  small_->folder().write("input", "dada\ncfcb\n\ncfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfb");
  ASSERT_NE(std::freopen(path("input").c_str(), "r", stdin), nullptr);
  const Outcome outcome = predict({"--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::istringstream out(outcome.out);
  std::vector<std::string> best;
  for (std::string line; std::getline(out, line);)
    best.push_back(nlohmann::json::parse(line).at("top(softmax(logits), 2)").at(0).at("value"));
  ASSERT_EQ(best.size(), 4u);
  EXPECT_EQ(best[0], "yes");
  EXPECT_EQ(best[1], "no");
  EXPECT_EQ(best[3], "no");
}

TEST_F(Predict, Files) {
  const Outcome outcome = predict({path("words.tsv")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 120);
  EXPECT_THAT(outcome.out, StartsWith("yes "));
}

TEST_F(Predict, FromTheSavedModelAlone) {
  const Outcome outcome = run_rnnc({"predict", path("m.model"), "dada"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, predict({"dada"}).out);
}

TEST_F(Predict, ARowDependsOnNothingElse) {
  const std::string alone = predict({"abcab"}).out;
  const Outcome together = predict({"fedcbafedcba", "abcab", "a"});
  std::istringstream lines(together.out);
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(second + "\n", alone);
}

TEST_F(Predict, Eval) {
  const Outcome test = run_rnnc({"eval", small_->file(), "--model", path("m.model")});
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, MatchesRegex("test  loss [0-9.e-]+  accuracy\\(logits, y\\) 1\n"));
  const Outcome valid =
      run_rnnc({"eval", small_->file(), "--model", path("m.model"), "--on", "valid", "--json"});
  const auto json = nlohmann::json::parse(valid.out);
  EXPECT_EQ(json["part"], "valid");
  EXPECT_TRUE(json["loss"].is_number());
  EXPECT_EQ(json["metrics"]["accuracy(logits, y)"], 1.0);
}

TEST_F(Predict, EvalRefusesOtherData) {
  SmallModel other("", 1);
  other.folder().write("words.tsv",
                       "abc\tyes\nxyz\tno\nabd\tyes\nabcx\tno\nabg\tyes\nxb\tno\nxa\tyes\nab\tno\n");
  const Outcome outcome = run_rnnc({"eval", other.file(), "--model", path("m.model")});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("was trained on other data"));
}

TEST_F(Predict, ModelThatDoesNotFit) {
  SmallModel other("", 1);
  other.write_model("", 1, "13");
  const Outcome outcome =
      run_rnnc({"predict", other.file(), "--model", path("m.model"), "--set", "H=13", "a"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("this saved model does not fit model `small`"));
  EXPECT_THAT(outcome.err, HasSubstr("= h.gru.Wz: [6, 13] in the file, [6, 12] in the saved model"));
  EXPECT_THAT(outcome.err, HasSubstr("= logits.linear.W: [13, 2] in the file, [12, 2] in the saved model"));
}

TEST_F(Predict, SizesOfTheSavedModelCount) {
  SmallModel other("", 1);
  other.write_model("", 1, "13");  // it was trained with 12, by the file or by --set
  ASSERT_EQ(other.train("set.model", {"--set", "H=9"}).status, 0);
  const Outcome outcome = run_rnnc({"predict", other.file(), "--model", other.folder() / "set.model", "a"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

TEST_F(Predict, DamagedModels) {
  const std::string whole = file_bytes(path("m.model"));
  for (const size_t size : {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    small_->folder().write("cut.model", whole.substr(0, size));
    const Outcome outcome = run_rnnc({"predict", small_->file(), "--model", path("cut.model"), "a"});
    EXPECT_EQ(outcome.status, 2) << size;
    EXPECT_THAT(outcome.err, HasSubstr("cut.model: error: ")) << size;
  }
  std::string wrong = whole;
  for (size_t at = wrong.find("vocabularies"); at != std::string::npos; at = wrong.find("vocabularies", at))
    wrong.replace(at, 12, "vocabulories");
  small_->folder().write("wrong.model", wrong);
  const Outcome outcome = run_rnnc({"predict", small_->file(), "--model", path("wrong.model"), "a"});
  EXPECT_EQ(outcome.status, 2) << outcome.err;
  const Outcome missing = run_rnnc({"predict", small_->file(), "--model", path("none.model"), "a"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("there is no saved model of `small`"));
}

TEST_F(Predict, ModelOfOtherData) {
  const TemporaryFolder folder;
  folder.write("n.csv", "1,2,3\n4,5,6\n");
  folder.write(
      "n.rnn",
      "data d {\n  read \"n.csv\" as csv\n  x: [F] = standardize(col(1), col(2))\n  y: [] = number(col(3))\n"
      "  split train = 1\n}\nmodel m(x: [F]) -> (p: []) {\n  param w: [F] = 2\n  p = x @ w\n}\n"
      "train m on d {\n  loss squared_error(p, y)\n  optimizer sgd(0)\n  epochs 1\n}\n"
      "predict m {\n  show p, x\n}\n");
  ASSERT_EQ(run_rnnc({"train", folder / "n.rnn", "--model", folder / "n.model"}).status, 0);
  const Outcome crossed = run_rnnc({"predict", small_->file(), "--model", folder / "n.model", "a"});
  EXPECT_EQ(crossed.status, 2);
  EXPECT_THAT(crossed.err, HasSubstr("it has no vocabulary `C`"));
  // Several values make a row; several shown values stand side by side.
  const Outcome numbers =
      run_rnnc({"predict", folder / "n.rnn", "--model", folder / "n.model", "1", "5", "4\t-2"});
  ASSERT_EQ(numbers.status, 0) << numbers.err;
  EXPECT_EQ(numbers.out, "0\t-1 1\n-5.333\t1 -3.667\n");
  const Outcome few = run_rnnc({"predict", folder / "n.rnn", "--model", folder / "n.model", "1"});
  EXPECT_EQ(few.status, 2);
  EXPECT_THAT(few.err, HasSubstr("2 values are needed (col(1), col(2)), this row has 1"));
}

}  // namespace
}  // namespace rnnc::test
