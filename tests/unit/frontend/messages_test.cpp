// Every message of the error list, byte for byte; every example, without one.
#include <gtest/gtest.h>

#include <set>

#include "frontend/check.h"
#include "ir/diagnostic.h"
#include "tests/unit/frontend/files.h"

namespace rnnc {
namespace {

using testing::files_in;
using testing::read_file;
using testing::source_dir;

/// What the compiler prints about a file.
std::string messages(const std::string& name, const std::string& text, const DimValues& dims = {}) {
  try {
    return render(check({name, text}, dims).warnings);
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(Messages, AreThoseOfTheErrorList) {
  const auto files = files_in(source_dir() / "tests" / "errors", ".rnn");
  EXPECT_GE(files.size(), 63u);
  for (const auto& file : files) {
    auto expected = file;
    expected.replace_extension(".expected");
    EXPECT_EQ(messages(file.filename().string(), read_file(file)), read_file(expected)) << file;
  }
}

/// The codes of what the compiler says about a file.
std::vector<std::string> codes(const std::string& text) {
  std::vector<std::string> words;
  try {
    for (const Diagnostic& warning : check({"t.rnn", text}).warnings) words.emplace_back(word(warning.code));
  } catch (const UserError& error) {
    for (const Diagnostic& d : error.diagnostics()) words.emplace_back(word(d.code));
  }
  return words;
}

TEST(Messages, OfTheErrorListHaveTheCodesOfItsSections) {
  std::set<std::string> sections;
  for (const auto& file : files_in(source_dir() / "tests" / "errors", ".rnn")) {
    sections.insert(file.stem().string());
    EXPECT_EQ(codes(read_file(file)), std::vector<std::string>{file.stem().string()}) << file;
  }
  std::set<std::string> table, general = {"syntax", "rule", "unused", "data", "command_line"};
#define CODE(enumerator, word) EXPECT_TRUE(table.insert(word).second) << word;
#include "ir/message_codes.def"
#undef CODE
  for (const std::string& word : general) EXPECT_EQ(table.erase(word), 1u) << word;
  EXPECT_EQ(table, sections);
}

TEST(Messages, WithoutACodeOfTheirOwnHaveThatOfTheirStage) {
  EXPECT_EQ(codes("dim = 3\n"), std::vector<std::string>{"syntax"});
  EXPECT_EQ(codes("dim E = 0\n"), std::vector<std::string>{"rule"});
  EXPECT_EQ(codes("layer l(x: [A]) -> (y: [A]) {\n  z = x\n  y = x\n}\n"),
            std::vector<std::string>{"unused"});
  try {
    check({"t.rnn", "dim E = 4\n"}, {{"G", 1}});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(word(error.diagnostics()[0].code), "command_line");
  }
}

TEST(Messages, KnowWhereTheNamesInThemWereDeclared) {
  const auto related = [](const std::string& text) {
    std::string out;
    try {
      check({"t.rnn", text});
    } catch (const UserError& error) {
      for (const RelatedPlace& place : error.diagnostics()[0].related)
        out += place.file + ":" + std::to_string(place.where.line) + ":" +
               std::to_string(place.where.column) + "-" + std::to_string(place.where.end_column) + " " +
               place.message + "\n";
    }
    return out;
  };
  EXPECT_EQ(related("layer l(x: [A], größe: [B]) -> (y: [A]) {\n  y = größe + x\n}\n"),
            "t.rnn:1:17-22 `größe` is [B]\nt.rnn:1:9-10 `x` is [A]\n");
  EXPECT_EQ(related("layer l(x: [A]) -> (y: [A]) {\n  y = x\n  y = 2 * x\n}\n"),
            "t.rnn:2:3-4 `y` is defined here\n");
  EXPECT_EQ(related("cell c(x: [E]; h: [H]) {\n  param W: [E, H] ~ glorot\n  h' = x\n}\n"),
            "t.rnn:1:16-17 state `h`\n");
}

void check_all(const std::vector<std::filesystem::path>& files) {
  for (const auto& file : files) EXPECT_EQ(messages(file.filename().string(), read_file(file)), "") << file;
}

TEST(Examples, OfThisRepositoryAreRight) {
  const auto files = files_in(source_dir() / "examples", ".rnn");
  EXPECT_FALSE(files.empty());
  check_all(files);
}

TEST(Examples, OfTheReferenceAreRight) {
  const auto files = files_in(source_dir() / ".." / "shared" / "language", ".rnn");
  if (files.empty()) GTEST_SKIP() << "no ../shared/language beside the repository";
  check_all(files);
}

TEST(Messages, SeveralErrorsAreReportedOnceEachInTheOrderOfLines) {
  const std::string text =
      "layer l(x: [A]) -> (y: [A]) {\n"
      "  a = sigmod(x)\n"
      "  b = a + 1\n"      // depends on a wrong value: silent
      "  c = x @ x @ x\n"  // [] @ [A]
      "  y = b + c\n"
      "}\n"
      "model m(x: [F]) -> (p: []) {\n"
      "  p = mean(l(z))\n"
      "}\n";
  const std::string out = messages("t.rnn", text);
  EXPECT_NE(out.find("t.rnn:2:7: error: there is no function or layer `sigmod`"), std::string::npos) << out;
  EXPECT_NE(out.find("t.rnn:4:13: error: these shapes do not multiply"), std::string::npos) << out;
  EXPECT_NE(out.find("t.rnn:7:13: error: there is no dimension `F` here"), std::string::npos) << out;
  EXPECT_EQ(out.find(":3:"), std::string::npos) << out;
  EXPECT_EQ(out.find(":5:"), std::string::npos) << out;
}

TEST(Messages, AtMostTen) {
  std::string text = "layer l(x: [A]) -> (y: [A]) {\n";
  for (int i = 0; i < 30; ++i) text += "  a" + std::to_string(i) + " = nothing\n";
  text += "  y = x\n}\n";
  try {
    check({"t.rnn", text});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.diagnostics().size(), 10u);
  }
}

TEST(Messages, ColumnsCountCodePoints) {
  EXPECT_EQ(messages("t.rnn", "layer l(größe: [A]) -> (y: [A]) {\n  y = größe + ähm\n}\n"),
            "t.rnn:2:15: error: `ähm` is not defined\n"
            "    2 |   y = größe + ähm\n"
            "      |               ^^^\n");
}

TEST(Messages, BytesThatAreNoTextAreRefused) {
  EXPECT_EQ(messages("t.rnn", "dim \xF0 = 3\n"),
            "t.rnn:1:5: error: not UTF-8 (byte 0xF0)\n"
            "    1 | dim \xEF\xBF\xBD = 3\n"
            "      |     ^\n"
            "      = help: save the file as UTF-8\n");
  EXPECT_NE(messages("t.rnn", std::string("dim \0 = 3\n", 10)).find("`U+0000`"), std::string::npos);
}

TEST(Messages, DepthIsLimitedByAnErrorNotByTheStack) {
  const std::string head = "layer l(x: [A]) -> (y: [A]) {\n  y = ", end = "\n}\n";
  const auto repeat = [](const std::string& s, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += s;
    return out;
  };
  const int many = 100000;
  const std::string deep = "nested too deeply";
  EXPECT_NE(messages("t.rnn", head + repeat("(", many) + "x" + repeat(")", many) + end).find(deep),
            std::string::npos);
  EXPECT_NE(messages("t.rnn", head + repeat("-", many) + "x" + end).find(deep), std::string::npos);
  EXPECT_NE(messages("t.rnn", head + "x" + repeat(" + x", many) + end).find(deep), std::string::npos);
  EXPECT_NE(messages("t.rnn", head + "x" + repeat("^x", many) + end).find(deep), std::string::npos);
  EXPECT_NE(messages("t.rnn", head + "x" + repeat(".x", many) + end).find(deep), std::string::npos);
  EXPECT_NE(
      messages("t.rnn", head + "scan " + repeat("both(", many) + "gru" + repeat(")", many) + " over x" + end)
          .find("combinators"),
      std::string::npos);
}

TEST(Messages, EnormousNumbersAreRefused) {
  EXPECT_NE(messages("t.rnn", "dim E = 1e999\n").find("too large"), std::string::npos);
  EXPECT_NE(messages("t.rnn", "dim E = 1e30\n").find("too large"), std::string::npos);
  EXPECT_NE(messages("t.rnn", "layer l(x: [99999999999999999999]) -> (y: []) {\n  y = mean(x)\n}\n")
                .find("too large"),
            std::string::npos);
  std::string product = "2147483647";
  for (int i = 0; i < 5; ++i) product += "*2147483647";
  EXPECT_NE(
      messages("t.rnn", "layer l(x: [" + product + "]) -> (y: []) {\n  y = mean(x)\n}\n").find("too large"),
      std::string::npos);
}

TEST(Overrides, ReplaceDims) {
  const std::string text = "dim E = 4, F = 2*E\n";
  EXPECT_EQ(check({"t.rnn", text}).dims.at("F"), 8);
  EXPECT_EQ(check({"t.rnn", text}, {{"E", 10}}).dims.at("F"), 20);
  EXPECT_EQ(messages("t.rnn", text, {{"G", 1}}),
            "t.rnn: error: no `dim` gives `G` a value\n      = help: there are: E, F\n");
  EXPECT_NE(messages("t.rnn", text, {{"E", 0}}).find("a dimension is a whole number above 0"),
            std::string::npos);
}

TEST(PrintTypes, AlignsNamesAndTypes) {
  EXPECT_EQ(
      print_types(check(
          {"t.rnn", "cell c(x: [E]; h: [H]) {\n  param W: [E, H] ~ glorot\n  h' = tanh(x @ W + h)\n}\n"})),
      "cell c\n"
      "  x  : [E]      input\n"
      "  h  : [H]      state\n"
      "  W  : [E, H]   parameter\n"
      "  h' : [H]\n");
}

/// What follows `y: C[T]` is a model that reads its own answer through `decoder`; does `generate` work?
std::string generates(const std::string& scores) {
  return messages(
      "t.rnn",
      "data d {\n  read \"t.txt\" as stream\n  x: C[T] = chars(text)\n  chunk T = 20\n}\n"
      "layer centred(x: [T, E]) -> (y: [T, E]) {\n  y = x - mean over T (x)\n}\n"
      "layer earlier(x: [T, E]) -> (y: [T, E]) {\n  y = delay(x)\n}\n"
      "model m(x: C[T]) -> (logits: [T, C]) {\n  e = embed[8](x)\n  logits = linear[C](" +
          scores +
          ")\n}\n"
          "train m on d {\n  loss cross_entropy(logits, next(x))\n  optimizer sgd(rate = 1)\n  epochs 1\n}\n"
          "generate m {\n  length 3\n}\n");
}

TEST(Generate, SeesThroughLayersAndOperators) {
  EXPECT_EQ(generates("e"), "");
  EXPECT_EQ(generates("earlier(e)"), "");
  EXPECT_EQ(generates("layer_norm(e)"), "");
  EXPECT_EQ(generates("softmax(e)"), "");
  EXPECT_EQ(generates("window(e, 3)"), "");
  for (const char* future : {"centred(e)", "softmax over T (e)", "window(e, 3, center = yes)", "delay(e, -1)",
                             "attend(e, k = e, v = e)"})
    EXPECT_NE(generates(future).find("depends on `x` at later steps"), std::string::npos) << future;
}

}  // namespace
}  // namespace rnnc
