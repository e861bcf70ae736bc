// What can come between a training and its end: another file, other data, a disk that is full, a folder that
// is gone. What is good stays, and the message says what to do.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <regex>

#include "driver/run_differences.h"
#include "runtime/checkpoint.h"
#include "runtime/files.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kFile = R"(dim H = 4, unused = 3
data d {
  read "t.txt" as lines
  x: C[T] = chars(line)
}
cell mine(x: [E]; h: [H]) {
  param W: [E, H] ~ glorot
  h' = tanh(x @ W + h)
}
cell other(x: [E]; h: [H]) {
  param W: [E, H] ~ glorot
  h' = x @ W
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan mine[H] over embed[3](x)
  logits = linear[C](h)
}
train m on d {
  loss      cross_entropy(logits, next(x))
  optimizer sgd(0.1)
  epochs    3
}
predict m {
  show top(softmax(logits), 1)
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::vector<std::string> lines(const RunText& then, const RunText& now) {
  return differences(then, now, "m", "d", 0);
}

/// What is said if `from` becomes `to` in the file.
std::vector<std::string> changed(const std::string& from, const std::string& to) {
  return lines({"m.rnn", kFile, {}, {}}, {"m.rnn", replaced(kFile, from, to), {}, {}});
}

TEST(RunDifferences, WhatChangesTheTraining) {
  EXPECT_THAT(changed("H = 4", "H = 5"), ElementsAre("`dim H` was 4, now it is 5"));
  EXPECT_THAT(changed("x @ W + h)", "x @ W - h)"), ElementsAre("`cell mine` says something else"));
  EXPECT_THAT(changed("scan mine", "scan other"), testing::Contains("`model m` says something else"));
  EXPECT_THAT(changed("chars(line)", "bytes(line)"), ElementsAre("`data d` says something else"));
  EXPECT_THAT(changed("sgd(0.1)", "sgd(0.2)"), ElementsAre("`optimizer` says something else"));
  EXPECT_THAT(changed("  epochs", "  clip norm(1)\n  epochs"), ElementsAre("`clip` was not there"));
  EXPECT_THAT(changed("cross_entropy(logits, next(x))", "2 * cross_entropy(logits, next(x))"),
              ElementsAre("`loss` says something else"));
  // A layer of the file in place of one of the library.
  EXPECT_THAT(
      changed("model m(",
              "layer linear(x: [A]) -> (y: [B]) {\n  param W: [A, B] ~ glorot\n  y = x @ W\n}\nmodel m("),
      ElementsAre("`layer linear` was not there"));
}

TEST(RunDifferences, WhatDoesNot) {
  EXPECT_THAT(changed("epochs    3", "epochs    30"), IsEmpty());
  EXPECT_THAT(changed("epochs    3", "epochs 3\n  metric accuracy(logits, next(x))\n  save \"b.model\""),
              IsEmpty());
  EXPECT_THAT(changed("= x @ W\n", "= x @ W + h   # never used\n"), IsEmpty());
  EXPECT_THAT(changed("unused = 3", "unused = 9"), IsEmpty());
  EXPECT_THAT(changed("top(softmax(logits), 1)", "top(softmax(logits), 3)"), IsEmpty());
  EXPECT_THAT(changed("  h' = tanh(x @ W + h)", "  # a word\n  h'   =  tanh( x @ W + h )"), IsEmpty());
}

TEST(RunDifferences, WhatTheCommandLineSays) {
  const RunText plain{"m.rnn", kFile, {}, {}};
  const RunText wide{"m.rnn", kFile, {{"H", 9}}, {}}, fast{"m.rnn", kFile, {}, {{"rate", "2"}}};
  EXPECT_THAT(lines(plain, wide), ElementsAre("`dim H` was 4, now it is 9"));
  EXPECT_THAT(lines(wide, plain), ElementsAre("`dim H` was 9, now it is 4"));
  EXPECT_THAT(lines(wide, wide), IsEmpty());
  EXPECT_THAT(lines(fast, plain), ElementsAre("it was trained with `--set rate=2`"));
  EXPECT_THAT(lines(plain, fast), IsEmpty());  // said now, so it is meant
  EXPECT_THAT(lines({"old.rnn", "dim = (", {}, {}}, plain), ElementsAre(HasSubstr("cannot read")));
}

TEST(GoingOn, AnotherFileIsRefusedWithAListOfWhatDiffers) {
  const SmallModel small("", 3);
  ASSERT_EQ(small.train("m.model", {"--epochs", "1"}).status, 0);
  const std::string text = file_bytes(small.file()), state = file_bytes(small.folder() / "m.model.state");
  small.folder().write("small.rnn",
                       replaced(replaced(replaced(text, "dim H = 12", "dim H = 13"), "gru[H]", "lstm[H]"),
                                "rate = 0.02", "rate = 0.01"));
  const Outcome other = small.train("m.model", {"--resume", "--seed", "3"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("m.model.state: error: this state belongs to another training\n"));
  for (const char* line : {"= seed was 0, now it is 3\n", "= `dim H` was 12, now it is 13\n",
                           "= `model small` says something else\n", "= `optimizer` says something else\n",
                           "= it has no `h.lstm.", "more\n", "= help: train without `--resume`"})
    EXPECT_THAT(other.err, HasSubstr(line));
  EXPECT_EQ(file_bytes(small.folder() / "m.model.state"), state);
  small.folder().write("small.rnn", text);
  EXPECT_EQ(small.train("m.model", {"--resume"}).status, 0);
}

TEST(GoingOn, OtherDataAreRefusedAndMissingOnesNamed) {
  const SmallModel small("", 3);
  ASSERT_EQ(small.train("m.model", {"--epochs", "1"}).status, 0);
  const std::string rows = file_bytes(small.folder() / "words.tsv");
  small.folder().write("words.tsv", replaced(rows, "b\tno", "f\tno"));
  const Outcome other = small.train("m.model", {"--resume"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("= the data of `words` are others, or in another order\n"));
  std::filesystem::remove(small.folder() / "words.tsv");
  const Outcome gone = small.train("m.model", {"--resume"});
  EXPECT_EQ(gone.status, 2);
  EXPECT_THAT(gone.err, HasSubstr("no file matches \"words.tsv\""));
  small.folder().write("words.tsv", rows);
  EXPECT_EQ(small.train("m.model", {"--resume"}).status, 0);
}

TEST(GoingOn, AStateOfAnotherVersionSaysSo) {
  const SmallModel small("", 2);
  ASSERT_EQ(small.train("m.model").status, 0);
  const std::string state = small.folder() / "m.model.state", model = small.folder() / "m.model";
  small.folder().write("m.model.state", replaced(file_bytes(state), "rnnc state ", "rnnc state 9"));
  small.folder().write("m.model", replaced(file_bytes(model), "rnnc model ", "rnnc model 9"));
  // The header has grown by a byte, its size says so.
  for (const std::string& path : {state, model}) {
    std::string bytes = file_bytes(path);
    ++bytes[0];
    std::ofstream(path, std::ios::binary) << bytes;
  }
  EXPECT_THAT(small.train("m.model", {"--resume"}).err,
              testing::ContainsRegex(
                  "m.model.state: error: a state of training of another version of rnnc: its format "
                  "is \"rnnc state 9"));
  const Outcome predicted = run_rnnc({"predict", model, "ab"});
  EXPECT_EQ(predicted.status, 2);
  EXPECT_THAT(predicted.err,
              HasSubstr("a saved model of another version of rnnc: its format is \"rnnc model 91\""));
}

/// Exit status and messages of `rnnc train` in a process of its own, after `before` in it.
Outcome train_apart(const SmallModel& small, const std::string& name, std::vector<std::string> options,
                    const std::function<void()>& before) {
  Outcome outcome;
  std::vector<std::string> line = {"rnnc",      "train", small.file(), "--model", small.folder() / name,
                                   "--threads", "1"};
  line.insert(line.end(), options.begin(), options.end());
  testing::internal::CaptureStderr();
  const pid_t child = ::fork();
  if (child == 0) {
    before();
    std::vector<char*> argv;
    for (std::string& argument : line) argv.push_back(argument.data());
    ::_exit(run_command_line(static_cast<int>(argv.size()), argv.data()));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.err = testing::internal::GetCapturedStderr();
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return outcome;
}

TEST(GoingOn, AFullDiskHarmsNothingAndTrainingGoesOnAfterwards) {
  const SmallModel small("", 6);
  ASSERT_EQ(small.train("whole.model").status, 0);
  ASSERT_EQ(small.train("m.model", {"--steps", "15"}).status, 0);
  const std::string state = file_bytes(small.folder() / "m.model.state");
  const Outcome full = train_apart(small, "m.model", {"--resume", "--checkpoint", "3"}, [&] {
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};  // less than a state needs
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(full.status, 1) << full.err;
  EXPECT_THAT(full.err,
              testing::ContainsRegex("step 18: error: .*m.model.state: cannot be written: File too large"));
  EXPECT_THAT(full.err, HasSubstr("m.model.state is as it was before"));
  EXPECT_THAT(full.err, HasSubstr("= help: make room, then the same command with `--resume`"));
  EXPECT_EQ(file_bytes(small.folder() / "m.model.state"), state);
  for (const auto& entry : std::filesystem::directory_iterator(small.folder().path()))
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp")));
  ASSERT_EQ(small.train("m.model", {"--resume"}).status, 0);
  EXPECT_EQ(file_bytes(small.folder() / "m.model"), file_bytes(small.folder() / "whole.model"));
}

TEST(GoingOn, AFolderThatGoesAway) {
  const SmallModel small("", 4);
  std::filesystem::create_directory(small.folder() / "out");
  const Outcome gone = train_apart(small, "out/m.model",
                                   {"--checkpoint", "1", "--metrics", small.folder() / "out/m.csv"}, [] {});
  EXPECT_EQ(gone.status, 0) << gone.err;
  if (::geteuid() == 0) return;  // root writes where it may not
  std::filesystem::permissions(small.folder() / "out",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const std::string model = file_bytes(small.folder() / "out/m.model");
  const Outcome locked = small.train("out/m.model", {"--resume"});
  EXPECT_EQ(locked.status, 2);
  EXPECT_THAT(locked.err, HasSubstr("the model cannot be saved here: Permission denied"));
  std::filesystem::permissions(small.folder() / "out", std::filesystem::perms::owner_all);
  EXPECT_EQ(file_bytes(small.folder() / "out/m.model"), model);
}

TEST(GoingOn, WhatKilledProcessesLeftIsRemoved) {
  const SmallModel small("", 1);
  const std::string mine = "m.model." + std::to_string(::getppid()) + ".tmp";  // that process lives
  for (const std::string& name :
       {std::string("m.model.999999999.tmp"), std::string("m.model.state.999999998.tmp"),
        std::string("m.model.a.tmp"), std::string("other.model.999999999.tmp"), mine})
    small.folder().write(name, "left");
  ASSERT_EQ(small.train("m.model").status, 0);
  EXPECT_FALSE(std::filesystem::exists(small.folder() / "m.model.999999999.tmp"));
  EXPECT_FALSE(std::filesystem::exists(small.folder() / "m.model.state.999999998.tmp"));
  EXPECT_TRUE(std::filesystem::exists(small.folder() / "m.model.a.tmp"));
  EXPECT_TRUE(std::filesystem::exists(small.folder() / "other.model.999999999.tmp"));
  EXPECT_TRUE(std::filesystem::exists(small.folder() / mine));
}

TEST(Buckets, ChangeTheOrderAndAreAskedForAgain) {
  const SmallModel small("", 4);
  ASSERT_EQ(small.train("plain.model").status, 0);
  ASSERT_EQ(small.train("whole.model", {"--buckets", "3"}).status, 0);
  EXPECT_NE(file_bytes(small.folder() / "plain.model"), file_bytes(small.folder() / "whole.model"));
  ASSERT_EQ(small.train("part.model", {"--buckets", "3", "--steps", "13"}).status, 0);
  const Outcome without = small.train("part.model", {"--resume"});
  EXPECT_EQ(without.status, 2);
  EXPECT_THAT(without.err, HasSubstr("buckets was 3, now it is 1"));
  ASSERT_EQ(small.train("part.model", {"--buckets", "3", "--resume"}).status, 0);
  EXPECT_EQ(file_bytes(small.folder() / "part.model"), file_bytes(small.folder() / "whole.model"));
}

}  // namespace
}  // namespace rnnc::test
