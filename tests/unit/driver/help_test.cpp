// A slip in any command or option is answered with the nearest one.
#include <gtest/gtest.h>

#include <utility>

#include "driver/options.h"
#include "ir/diagnostic.h"

namespace rnnc::test {
namespace {

/// Two letters exchanged, as far behind as two that differ stand.
std::string slip(std::string word) {
  size_t at = word.size() - 1;
  while (at > 1 && word[at] == word[at - 1]) --at;
  std::swap(word[at], word[at - 1]);
  return word;
}

TEST(Help, EveryCommandIsSuggestedForASlip) {
  for (const CommandInfo& command : commands()) {
    const std::string name(command.name);
    try {
      parse_options(std::vector<std::string>{slip(name), "x.rnn"});
      FAIL() << name;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("did you mean `" + name + "`?"), std::string::npos)
          << error.what();
    }
  }
}

TEST(Help, EveryOptionIsSuggestedForASlip) {
  for (const CommandInfo& command : commands()) {
    const std::string name(command.name);
    const std::string help = parse_options(std::vector<std::string>{name, "--help"}).help;
    for (size_t at = help.find("\n  --"); at != std::string::npos; at = help.find("\n  --", at + 1)) {
      const std::string option = help.substr(at + 3, help.find_first_of(" \n", at + 3) - at - 3);
      try {
        parse_options(std::vector<std::string>{name, "x.rnn", slip(option), "1"});
        FAIL() << option;
      } catch (const UserError& error) {
        EXPECT_NE(std::string(error.what()).find("did you mean `" + option + "`?"), std::string::npos)
            << name << " " << option << "\n"
            << error.what();
      }
    }
  }
}

TEST(Help, Version) {
  const std::string text = parse_options(std::vector<std::string>{"--version"}).help;
  EXPECT_EQ(text.rfind("rnnc ", 0), 0u) << text;
  EXPECT_NE(text.find(", LLVM 19."), std::string::npos) << text;
}

}  // namespace
}  // namespace rnnc::test
