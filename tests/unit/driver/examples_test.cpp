// Examples of the language on their real data reach the figures that other tools reach on them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

/// `rnnc train EXAMPLE NAME --json` with its data, or a reason to skip.
class Examples : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(data_)) GTEST_SKIP() << "the data sets are not here: " << data_;
    if (!std::filesystem::exists(language_)) GTEST_SKIP() << "the examples are not here: " << language_;
  }
  nlohmann::json train(const std::string& example, const std::string& name,
                       std::vector<std::string> more = {}) {
    std::vector<std::string> line = {
        "train",   language_ + "/" + example, name, "--data", data_, "--json", "--quiet",
        "--model", folder_ / "m.model"};
    line.insert(line.end(), more.begin(), more.end());
    const Outcome outcome = run_rnnc(line);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? nlohmann::json::parse(outcome.out) : nlohmann::json::object();
  }

  const std::string data_ = std::string(RNNC_SOURCE_DIR) + "/../shared/data";
  const std::string language_ = std::string(RNNC_SOURCE_DIR) + "/../shared/language";
  TemporaryFolder folder_;
};

TEST_F(Examples, HouseLineIsLeastSquares) {
  const auto metrics = train("house.rnn", "line").at("test").at("metrics");
  EXPECT_NEAR(metrics.at("rmse").get<double>(), 24.08, 0.05);
  EXPECT_NEAR(metrics.at("mae").get<double>(), 19.44, 0.05);
  EXPECT_NEAR(metrics.at("mape").get<double>(), 4.75, 0.02);
}

TEST_F(Examples, IrisVirginica) {
  const auto test = train("iris.rnn", "virginica").at("test");
  EXPECT_NEAR(test.at("loss").get<double>(), 0.145, 0.002);
  // 28 or 29 of 30: one flower lies on the border, and the order of the rows decides it.
  EXPECT_GE(test.at("metrics").at("accuracy(logit, z)").get<double>(), 0.93);
  const auto seed3 = train("iris.rnn", "virginica", {"--seed", "3"}).at("test");
  EXPECT_NEAR(seed3.at("metrics").at("accuracy(logit, z)").get<double>(), 0.967, 0.001);
}

TEST_F(Examples, IrisSpecies) {
  const auto test = train("iris.rnn", "species").at("test");
  EXPECT_NEAR(test.at("metrics").at("accuracy(scores, y)").get<double>(), 0.967, 0.001);
  EXPECT_NEAR(test.at("metrics").at("error").get<double>(), 0.022, 0.003);
}

TEST_F(Examples, SurnameIsOnItsWay) {
  const auto result = train("surname.rnn", "surname", {"--epochs", "2"});
  EXPECT_GT(result.at("test").at("metrics").at("accuracy(logits, y)").get<double>(), 0.72);
  EXPECT_LT(result.at("test").at("loss").get<double>(), 0.9);
  EXPECT_LT(result.at("epochs").at(1).at("train_loss"), result.at("epochs").at(0).at("train_loss"));
}

}  // namespace
}  // namespace rnnc::test
