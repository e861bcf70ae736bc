// Command lines that are wrong, each with what is said about it; and help.
#include <gmock/gmock.h>

#include <cstdlib>

#include "driver/options.h"
#include "ir/diagnostic.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;

struct Wrong {
  std::vector<std::string> line;
  std::string message, help;
};

const std::vector<Wrong>& wrong_lines() {
  static const std::vector<Wrong> list = {
      {{}, "what is to be done?", "rnnc --help"},
      {{"trian", "x.rnn"}, "there is no command `trian`", "did you mean `train`?"},
      {{"brew"}, "there is no command `brew`", "there are: check, train"},
      {{"train"}, "of which file?", "rnnc train surname.rnn"},
      {{"train", "x.rnn", "a", "b"}, "`b` is one argument too many", "rnnc train FILE [NAME]"},
      {{"check", "x.rnn", "a"}, "`a` is one argument too many", "rnnc check FILE"},
      {{"train", "x.rnn", "--epoch", "3"}, "`train` has no option `--epoch`", "did you mean `--epochs`?"},
      {{"train", "x.rnn", "--thread=3"}, "`train` has no option `--thread=3`", "did you mean `--threads`?"},
      {{"check", "x.rnn", "--epochs", "3"}, "`check` has no option `--epochs`", "--help"},
      {{"train", "x.rnn", "--epochs", "x"}, "a whole number from 1", "rnnc train --help"},
      {{"train", "x.rnn", "--epochs", "0"}, "a whole number from 1", ""},
      {{"train", "x.rnn", "--epochs"}, "`--epochs` needs a value", "`--epochs N`"},
      {{"train", "x.rnn", "--threads", "0"}, "from 1 to 1024", ""},
      {{"train", "x.rnn", "--seed", "one"}, "--seed", ""},
      {{"eval", "x.rnn", "--on", "tset"}, "tset", ""},
      {{"train", "x.rnn", "--set", "rate"}, "`--set rate` sets nothing", "`--set NAME=VALUE`"},
      {{"train", "x.rnn", "--disable-pass", "fuse_gaets"},
       "there is no pass `fuse_gaets`",
       "did you mean `fuse_gates`?"},
      {{"predict", "x.rnn", "--trace", "f"}, "ends in .json", ""},
      {{"compile", "x.rnn", "--trace", "f"}, "`compile` runs no kernel", "`--time`"},
      {{"generate", "no_such_file.rnn"}, "no_such_file.rnn: error: no such file", ""},
      {{"explain", "no_such_file.rnn"}, "no_such_file.rnn: error: no such file", ""},
      {{"check", "no_such_file.rnn"}, "no_such_file.rnn: error: no such file", ""},
  };
  return list;
}

TEST(Options, WrongLinesAreTheUsersMistake) {
  for (const Wrong& wrong : wrong_lines()) {
    const Outcome outcome = run_rnnc(wrong.line);
    EXPECT_EQ(outcome.status, 2) << wrong.message;
    EXPECT_THAT(outcome.err, HasSubstr(wrong.message));
    EXPECT_THAT(outcome.err, HasSubstr(wrong.help));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Options, HelpFitsAScreenAndHasAnExample) {
  std::vector<std::vector<std::string>> lines = {{"--help"}, {"-h"}};
  for (const CommandInfo& command : commands()) lines.push_back({std::string(command.name), "--help"});
  for (const auto& line : lines) {
    const Outcome outcome = run_rnnc(line);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.out, HasSubstr("example: rnnc "));
    EXPECT_LE(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 28) << outcome.out;  // a screen of 30
    for (size_t at = 0, end; (end = outcome.out.find('\n', at)) != std::string::npos; at = end + 1)
      EXPECT_LE(end - at, 100u) << outcome.out;
  }
}

TEST(Options, AreReadInAnyOrder) {
  const std::vector<std::string> line = {"predict", "--json", "m.rnn", "small", "-3.5",      "--model",
                                         "f",       "--set",  "H=3",   "--set", "rate=1e-3", "--quiet"};
  const Options options = parse_options(line).options;
  EXPECT_EQ(options.file, "m.rnn");
  EXPECT_EQ(options.inputs, (std::vector<std::string>{"small", "-3.5"}));
  EXPECT_EQ(options.model_file, "f");
  EXPECT_TRUE(options.json && options.quiet);
  ASSERT_EQ(options.set.size(), 2u);
  EXPECT_EQ(options.set[1].second, "1e-3");
}

TEST(Options, ListsOfPasses) {
  const Options two = parse_options(std::vector<std::string>{"opt", "g.ir", "--passes=a,b"}).options;
  EXPECT_EQ(two.passes, (std::vector<std::string>{"a", "b"}));
  const Options none = parse_options(std::vector<std::string>{"opt", "g.ir", "--passes="}).options;
  EXPECT_TRUE(none.has_passes && none.passes.empty());
}

TEST(Options, ThreadsOfTheEnvironment) {
  ::setenv("RNNC_THREADS", "3", 1);
  EXPECT_EQ(thread_count(parse_options(std::vector<std::string>{"train", "x.rnn"}).options), 3);
  EXPECT_EQ(thread_count(parse_options(std::vector<std::string>{"train", "x.rnn", "--threads", "2"}).options),
            2);
  ::setenv("RNNC_THREADS", "many", 1);
  EXPECT_THROW(parse_options(std::vector<std::string>{"train", "x.rnn"}), UserError);
  ::unsetenv("RNNC_THREADS");
}

}  // namespace
}  // namespace rnnc::test
