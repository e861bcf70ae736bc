// Training as a whole: the same bits whatever the threads and however often it is interrupted, what is saved
// and what is refused.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/checkpoint.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Train, LearnsAndReports) {
  const SmallModel small("", 12);
  const Outcome outcome = small.train("m.model");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("test  loss "));
  EXPECT_THAT(outcome.out, HasSubstr("accuracy(logits, y) 1\n"));
  EXPECT_THAT(outcome.err, HasSubstr("epoch 12/12  train loss "));
  EXPECT_THAT(outcome.err, HasSubstr("  valid loss "));
  EXPECT_THAT(outcome.err, HasSubstr("gradient norm "));
  EXPECT_THAT(outcome.err, HasSubstr("saved in "));
}

TEST(Train, Json) {
  const SmallModel small("", 3);
  const Outcome outcome = small.train("m.model", {"--json", "--quiet"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["epochs"].size(), 3u);
  for (const char* key : {"epoch", "train_loss", "valid_loss", "metrics", "gradient_norm", "seconds"})
    EXPECT_TRUE(json["epochs"][0].contains(key)) << key;
  EXPECT_TRUE(json["test"]["metrics"].contains("accuracy(logits, y)"));
  for (const char* key : {"best_epoch", "seconds", "rows_per_second", "peak_rss_bytes", "model_file"})
    EXPECT_TRUE(json.contains(key)) << key;
}

TEST(Train, SameBitsWhateverTheThreads) {
  const SmallModel small("  clip norm(1)");
  ASSERT_EQ(small.train("one.model", {"--threads", "1"}).status, 0);
  ASSERT_EQ(small.train("three.model", {"--threads", "3"}).status, 0);
  EXPECT_EQ(file_bytes(small.folder() / "one.model"), file_bytes(small.folder() / "three.model"));
  ASSERT_EQ(small.train("other.model", {"--seed", "9"}).status, 0);
  EXPECT_NE(file_bytes(small.folder() / "one.model"), file_bytes(small.folder() / "other.model"));
}

/// Tensors of a state file, without what is told about times.
std::map<std::string, std::vector<std::byte>> tensors_of(const std::string& path) {
  std::map<std::string, std::vector<std::byte>> result;
  for (const auto& [name, tensor] : load_state(path).tensors) result[name] = tensor.bytes;
  return result;
}

TEST(Train, GoesOnAsIfNeverStopped) {
  const SmallModel small("  schedule halve(patience = 1), warmup(20)\n  stop patience(3)", 6);
  ASSERT_EQ(small.train("whole.model").status, 0);
  const std::string whole = file_bytes(small.folder() / "whole.model");
  // After an epoch, in the middle of one, at the last step of one; stopped twice.
  const std::vector<std::vector<std::string>> stops = {
      {"--epochs", "2"}, {"--steps", "16"}, {"--steps", "11"}, {"--steps", "1"}};
  for (const auto& stop : stops) {
    ASSERT_EQ(small.train("part.model", stop).status, 0);
    ASSERT_EQ(small.train("part.model", {"--resume", "--steps", "30"}).status, 0);
    const Outcome rest = small.train("part.model", {"--resume"});
    ASSERT_EQ(rest.status, 0) << rest.err;
    EXPECT_EQ(file_bytes(small.folder() / "part.model"), whole) << stop[0] << stop[1];
    EXPECT_EQ(tensors_of(small.folder() / "part.model.state"),
              tensors_of(small.folder() / "whole.model.state"));
  }
}

TEST(Train, ResumeRefusesAnotherRun) {
  const SmallModel small("", 2);
  EXPECT_THAT(small.train("m.model", {"--resume"}).err, HasSubstr("there is no state"));
  ASSERT_EQ(small.train("m.model").status, 0);
  const Outcome seed = small.train("m.model", {"--resume", "--seed", "5"});
  EXPECT_EQ(seed.status, 2);
  EXPECT_THAT(seed.err, HasSubstr("seed was 0, now it is 5"));
  const Outcome size = small.train("m.model", {"--resume", "--set", "H=13"});
  EXPECT_EQ(size.status, 2);
  EXPECT_THAT(size.err, HasSubstr("now it is"));
  const Outcome optimizer = small.train("m.model", {"--resume", "--set", "optimizer=rmsprop(0.01)"});
  EXPECT_EQ(optimizer.status, 2);
  EXPECT_THAT(optimizer.err, HasSubstr("it has no `h.embed.W%s`"));
  const std::string state = file_bytes(small.folder() / "m.model.state");
  small.folder().write("m.model.state", state.substr(0, state.size() / 2));
  const Outcome cut = small.train("m.model", {"--resume"});
  EXPECT_EQ(cut.status, 2);
  EXPECT_THAT(cut.err, HasSubstr("cut short"));
}

/// Trains in a process of its own, sends it a signal once the state is there, and gives its wait status.
int train_and_signal(const SmallModel& small, const std::string& name, int signal) {
  const std::string state = small.folder() / (name + ".state");
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<std::string> line = {
        "rnnc",    "train",        small.file(), "--model",   small.folder() / name,
        "--quiet", "--checkpoint", "1",          "--threads", "2"};
    std::vector<char*> argv;
    for (std::string& argument : line) argv.push_back(argument.data());
    ::_exit(run_command_line(static_cast<int>(argv.size()), argv.data()));
  }
  for (int i = 0; i < 2000 && !std::filesystem::exists(state); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Train, InterruptedOrKilledItGoesOn) {
  const SmallModel small("", 40);
  ASSERT_EQ(small.train("whole.model", {"--quiet"}).status, 0);
  testing::internal::CaptureStderr();
  const int interrupted = train_and_signal(small, "int.model", SIGINT);
  const std::string said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(WIFEXITED(interrupted));
  EXPECT_EQ(WEXITSTATUS(interrupted), 130);
  EXPECT_THAT(said, HasSubstr("--resume"));
  const int killed = train_and_signal(small, "kill.model", SIGKILL);
  ASSERT_TRUE(WIFSIGNALED(killed));
  for (const char* name : {"int.model", "kill.model"}) {
    ASSERT_EQ(small.train(name, {"--resume", "--quiet"}).status, 0);
    EXPECT_EQ(file_bytes(small.folder() / name), file_bytes(small.folder() / "whole.model")) << name;
  }
}

TEST(Train, LossThatIsNotANumber) {
  const SmallModel small("", 4);
  small.write_model("  load \"" + small.folder() / "good.model\"", 4);
  EXPECT_EQ(small.train("good.model").status, 2);  // there is nothing to load yet
  small.write_model("", 2);
  ASSERT_EQ(small.train("good.model").status, 0);
  const std::string good = file_bytes(small.folder() / "good.model");
  const Outcome outcome =
      small.train("good.model", {"--resume", "--epochs", "9", "--set", "rate=1e38", "--set", "decay=1e38"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("is not a number"));
  EXPECT_THAT(outcome.err, HasSubstr("step "));
  EXPECT_THAT(outcome.err, HasSubstr("= help: `clip norm(5)`, or a smaller rate than 1e+38"));
  EXPECT_EQ(file_bytes(small.folder() / "good.model"), good);
}

TEST(Train, UnwritableModelIsRefusedFirst) {
  const SmallModel small;
  const Outcome folder = small.train("nowhere/m.model");
  EXPECT_EQ(folder.status, 2);
  EXPECT_THAT(folder.err, HasSubstr("cannot be saved here"));
  EXPECT_THAT(folder.err, Not(HasSubstr("epoch")));
  std::filesystem::create_directory(small.folder() / "taken");
  EXPECT_THAT(small.train("taken").err, HasSubstr("this is a folder"));
}

TEST(Train, LoadTakesWhatFits) {
  const SmallModel small("", 2);
  ASSERT_EQ(small.train("first.model").status, 0);
  small.write_model("  load \"" + small.folder() / "first.model\"", 1);
  const Outcome same = small.train("second.model");
  ASSERT_EQ(same.status, 0) << same.err;
  EXPECT_THAT(same.err, Not(HasSubstr("begin anew")));
  const Outcome wider = small.train("third.model", {"--set", "H=14"});
  ASSERT_EQ(wider.status, 0) << wider.err;
  EXPECT_THAT(wider.err, HasSubstr("begin anew: h.gru.Wz"));
  EXPECT_THAT(wider.err, Not(HasSubstr("embed")));
}

TEST(Train, SavedModelHoldsEverything) {
  const SmallModel small("", 1);
  ASSERT_EQ(small.train("m.model", {"--set", "H=5"}).status, 0);
  const SavedModel saved = load_model(small.folder() / "m.model");
  EXPECT_EQ(saved.info.model, "small");
  EXPECT_EQ(saved.info.data, "words");
  EXPECT_EQ(saved.info.source, file_bytes(small.file()));
  EXPECT_EQ(saved.info.extra["dims"]["H"], 5);
  EXPECT_TRUE(saved.info.learned.vocabularies.contains("C"));
  ASSERT_TRUE(saved.parameters.contains("h.gru.Wz"));
  EXPECT_EQ(saved.parameters.at("h.gru.Wz").shape, (std::vector<int64_t>{6, 5}));
}

TEST(Train, FirstValuesDependOnNameAndSeedOnly) {
  // A parameter more in front changes no other one.
  const auto model = [](const std::string& more) {
    return "data d {\n  read \"n.csv\" as csv\n  x: [F] = numbers(col(1), col(2))\n  y: [] = number(col(3))\n"
           "  split train = 1\n}\nmodel m(x: [F]) -> (p: []) {\n" +
           more +
           "  param w: [F] ~ normal(1)\n  p = x @ w\n}\n"
           "train m on d {\n  loss squared_error(p, y)\n  optimizer sgd(0)\n  epochs 1\n}\n";
  };
  const TemporaryFolder folder;
  folder.write("n.csv", "1,2,3\n4,5,6\n");
  std::vector<std::vector<float>> values;
  for (const char* more : {"", "  param a: [F] ~ normal(1)\n"}) {
    folder.write("m.rnn", model(more));
    const Outcome outcome = run_rnnc({"train", folder / "m.rnn", "--model", folder / "m.model"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, testing::StartsWith("train  loss "));
    values.push_back(load_model(folder / "m.model").parameters.at("w").floats());
  }
  EXPECT_EQ(values[0], values[1]);
}

}  // namespace
}  // namespace rnnc::test
