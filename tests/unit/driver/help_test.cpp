// Help fits a screen and carries an example; a slip in a command or option is answered with the nearest one.
#include <gtest/gtest.h>

#include <algorithm>

#include "driver/options.h"
#include "ir/diagnostic.h"
#include "ir/source.h"

namespace rnnc::test {
namespace {

constexpr int kRows = 40, kColumns = 120;

void expect_fits_a_screen(const std::string& text, const std::string& what) {
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), kRows) << what;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    EXPECT_LE(count_code_points(std::string_view(text).substr(at, end - at)), kColumns) << what << "\n"
                                                                                        << text;
    at = end + 1;
  }
  EXPECT_NE(text.find("\nexample: rnnc "), std::string::npos) << what;
}

TEST(Help, FitsAScreenAndHasAnExample) {
  expect_fits_a_screen(general_help(), "rnnc --help");
  for (const CommandInfo& command : commands()) {
    const std::vector<std::string> line = {std::string(command.name), "--help"};
    const std::string help = parse_options(line).help;
    expect_fits_a_screen(help, line[0]);
    EXPECT_NE(help.find("example: rnnc " + line[0] + " "), std::string::npos) << help;
    EXPECT_NE(general_help().find("  rnnc " + line[0] + " "), std::string::npos) << line[0];
  }
}

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

}  // namespace
}  // namespace rnnc::test
