// Every train block of every file in examples/, found by listing them: its gradients against finite
// differences, and its training steps on the real data, whose bits depend on nothing but file, data and seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "driver/binder.h"
#include "driver/chance.h"
#include "driver/compiler.h"
#include "driver/initial_files.h"
#include "driver/parameters.h"
#include "driver/piece_inputs.h"
#include "driver/subject.h"
#include "ir/chance.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

constexpr int64_t kSteps = 2;
const std::string kData = std::string(RNNC_SOURCE_DIR) + "/../shared/data";

struct Block {
  std::string file, name;
};

std::vector<Block> train_blocks() {
  std::vector<Block> blocks;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(RNNC_SOURCE_DIR) + "/examples")) {
    if (entry.path().extension() != ".rnn") continue;
    const std::string text = file_bytes(entry.path());
    const std::regex head(R"((^|\n)train[ ]+(\w+))");
    for (std::sregex_iterator it(text.begin(), text.end(), head), end; it != end; ++it)
      blocks.push_back({entry.path(), (*it)[2]});
  }
  std::ranges::sort(blocks, {}, [](const Block& b) { return std::pair(b.file, b.name); });
  return blocks;
}

/// The data block's own words where data are not on this machine, else nothing.
std::string missing_data(const Outcome& outcome) {
  return outcome.status == 2 && outcome.err.find("no file matches") != std::string::npos ? outcome.err : "";
}

/// Variables after the first steps of training, and the last loss.
using Bits = std::map<std::string, std::vector<uint32_t>>;

Bits train_steps(const Subject& subject, const Compiled& compiled, const Variables& first, int threads) {
  const int64_t batch = subject.settings.batch ? subject.settings.batch : rows_to_batch(subject.dataset);
  Variables variables;
  Session session(compiled.plan.program, variables);
  for (const auto& [name, variable] : first.all())
    variables.add(name, variable->rows, variable->cols).data = variable->data;
  Batches batches(subject.dataset, Part::Train, batch, batch_steps(longest_rows(subject.dataset)));
  batches.shuffle(subject.settings.seed, 1);
  Binder binder(subject.lowered.model);
  CarriedStates states(session);
  Team team(threads);
  for (int64_t step = 1; step <= std::min(kSteps, batches.steps()); ++step) {
    const Batch& rows = batches.batch(step - 1);
    binder.bind(session, subject.dataset, rows);
    states.set(session, rows);
    const auto set = [&](const char* name, double value) {
      const auto number = static_cast<float>(value);
      session.set_input(name, std::span<const float>(&number, 1));
    };
    const auto t = static_cast<double>(step);
    set(kRateInput, subject.settings.rate);
    set(kCorrection1Input, 1 - std::pow(subject.settings.optimizer.beta1, t));
    set(kCorrection2Input, 1 - std::pow(subject.settings.optimizer.beta2, t));
    session.set_input(kChanceInput, std::span<const int32_t>(chance_of_step(subject.settings.seed, step)));
    session.run(team);
    states.take(session);
  }
  Bits bits;
  for (const auto& [name, variable] : variables.all())
    for (const float value : variable->values()) bits[name].push_back(std::bit_cast<uint32_t>(value));
  bits["loss"] = {std::bit_cast<uint32_t>(session.scalar("loss"))};
  return bits;
}

class EveryExample : public testing::TestWithParam<Block> {
 protected:
  Block block_ = GetParam();
};

TEST_P(EveryExample, GradientsAgreeWithFiniteDifferences) {
  const Outcome outcome = run_rnnc({"gradcheck", block_.file, block_.name, "--data", kData, "--json"});
  if (const std::string missing = missing_data(outcome); !missing.empty()) GTEST_SKIP() << missing;
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  const auto result = nlohmann::json::parse(outcome.out);
  EXPECT_LT(result.at("max_relative_error").get<double>(), 1e-6);
  EXPECT_GT(result.at("max_relative_error").get<double>(), 0);  // that something was looked at
}

TEST_P(EveryExample, TrainsToTheSameBits) {
  Options options;
  options.command = "train";
  options.file = block_.file;
  options.name = block_.name;
  options.data_folder = kData;
  options.quiet = true;
  try {
    const Experiment experiment = open_experiment(options);
    const Subject subject = open_subject(experiment, options);
    Jit jit = make_jit(options);
    const Compiled compiled = compile(
        subject.lowered,
        subject.compile_options(options, longest_rows(subject.dataset), tree_sizes(subject.dataset)), jit);
    Variables first;
    initialize_parameters(subject.lowered.model, subject.settings.seed, first);
    read_first_values(experiment, subject.lowered.model, subject.dataset, first);

    const Bits one = train_steps(subject, compiled, first, 1);
    bool moved = false;
    for (const auto& [name, variable] : first.all())
      for (size_t i = 0; i < one.at(name).size(); ++i)
        moved = moved || one.at(name)[i] != std::bit_cast<uint32_t>(variable->values()[i]);
    EXPECT_TRUE(moved) << "no step was made";
    EXPECT_TRUE(std::isfinite(std::bit_cast<float>(one.at("loss")[0])));
    EXPECT_EQ(one, train_steps(subject, compiled, first, 1)) << "run again";
    EXPECT_EQ(one, train_steps(subject, compiled, first, 2)) << "two threads";
    EXPECT_EQ(one, train_steps(subject, compiled, first, 3)) << "three threads";
  } catch (const DataError& problem) {
    const std::string text = problem.what();
    if (text.find("no file matches") == std::string::npos) throw;
    GTEST_SKIP() << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, EveryExample, testing::ValuesIn(train_blocks()), [](const auto& info) {
  return std::filesystem::path(info.param.file).stem().string() + "_" + info.param.name;
});

}  // namespace
}  // namespace rnnc::test
