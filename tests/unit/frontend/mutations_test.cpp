// Wrong files of every kind: examples with tokens left out, doubled, exchanged. The front end answers each
// with its messages, never with anything else.
#include <gtest/gtest.h>

#include <random>

#include "frontend/check.h"
#include "frontend/lexer.h"
#include "ir/diagnostic.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

/// The text with some of its tokens changed.
std::string mutate(const std::string& text, std::mt19937& random) {
  const Source source{"t.rnn", text};
  const std::vector<Token> tokens = lex(source);
  std::vector<std::string> pieces;  // each token with what stands before it
  size_t end = 0;
  for (const Token& token : tokens) {
    const size_t next = token.place.offset + token.text.size();
    if (next < end) continue;
    pieces.push_back(text.substr(end, next - end));
    end = next;
  }
  const auto any = [&] { return random() % pieces.size(); };
  const size_t changes = 1 + random() % 3;
  for (size_t i = 0; i < changes; ++i) {
    const size_t at = any();
    switch (random() % 4) {
      case 0: pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at), pieces[at]); break;
      case 2: std::swap(pieces[at], pieces[any()]); break;
      case 3: pieces[at] = pieces[any()]; break;
    }
  }
  std::string out;
  for (const std::string& piece : pieces) out += piece;
  return out;
}

TEST(Mutations, GiveMessagesOnly) {
  std::vector<std::filesystem::path> files = testing::files_in(testing::source_dir() / "examples", ".rnn");
  for (const auto& file : testing::files_in(testing::source_dir() / ".." / "shared" / "language", ".rnn"))
    files.push_back(file);
  files.push_back(testing::source_dir() / "frontend" / "std.rnn");
  std::mt19937 random(20240607);
  int wrong = 0;
  for (const auto& file : files) {
    const std::string text = testing::read_file(file);
    for (int i = 0; i < 40; ++i) {
      const std::string mutant = mutate(text, random);
      try {
        check({"t.rnn", mutant});
      } catch (const UserError& error) {
        ++wrong;
        EXPECT_LE(error.diagnostics().size(), 10u);
      } catch (const std::exception& error) {
        FAIL() << error.what() << "\nin\n" << mutant;
      }
    }
  }
  EXPECT_GT(wrong, 0);
}

}  // namespace
}  // namespace rnnc
