// Files that are not what the data block says, from the command line: training begins, or a message names
// file, line and column; never anything else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <zlib.h>

#include <random>

#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kNumbers = R"(
  x: [F] = numbers(col(1), col(2))
  y: []  = number(col(3))
}
model m(x: [F]) -> (p: []) {
  p = sum(linear[1](x))
}
train m on d {
  loss squared_error(p, y)
  optimizer sgd(1e-9)
  epochs 1
}
)";

const std::string kText = R"(
  x: C[T] = chars(line)
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan rnn[2] over embed[2](x)
  logits = linear[C](h)
}
train m on d {
  loss cross_entropy(logits, next(x))
  optimizer sgd(1e-9)
  epochs 1
}
)";

Outcome train_on(const TemporaryFolder& folder, const std::string& format, bool text) {
  folder.write("m.rnn", "data d {\n  read \"t.txt\" as " + format + (text ? kText : kNumbers));
  return run_rnnc({"train", folder / "m.rnn", "--model", folder / "m.model", "--quiet", "--threads", "1"});
}

/// What is said about a file of these bytes; empty: it trained.
std::string said(const std::string& format, const std::string& bytes, bool text = false) {
  const TemporaryFolder folder;
  folder.write("t.txt", bytes);
  const Outcome outcome = train_on(folder, format, text);
  if (outcome.status == 0) return "";
  EXPECT_EQ(outcome.status, 2) << outcome.err;
  EXPECT_NE(outcome.err, "");
  return outcome.err;
}

constexpr const char* kGood = "1,2,3\n4,5,6\n";

TEST(MalformedData, WhatIsReadAllTheSame) {
  EXPECT_EQ(said("csv", kGood), "");
  EXPECT_EQ(said("csv", "1,2,3\r\n4,5,6\n7,8,9\r\n\n\r\n1,1,1"), "");  // mixed line ends, empty lines
  EXPECT_EQ(said("csv", std::string("\xEF\xBB\xBF") + kGood), "");
  EXPECT_EQ(said("csv(header = yes)", "\xEF\xBB\xBF\"a\",b,\"c\nd\"\n\" 1 \",+2,3e-2\n4,.5,6.\n"), "");
  EXPECT_EQ(said("tsv", "1\t2\t3\r\n4\t5\t6"), "");
  EXPECT_EQ(said("columns", "  1   2 \t 3  \n\n4 5 6 and more\n"), "");
  EXPECT_EQ(said("lines", "abc\n\n\r\nd\xC3\xA9\n\xF0\x9F\x98\x80\xE2\x80\xAFz", true), "");
  EXPECT_EQ(said("lines(latin1 = yes)", "caf\xE9\nna\xEFve\n", true), "");
}

TEST(MalformedData, EveryMessageHasItsPlace) {
  EXPECT_THAT(said("csv", "1,2,3\n4,,6\n"),
              StartsWith("t.txt:2:3: error: this is empty, a number is needed"));
  EXPECT_THAT(said("csv", "1,2,3\n4,5,\n"), StartsWith("t.txt:2:5: error: this is empty"));
  EXPECT_THAT(said("csv", "1,2,3\n4,5\n"),
              StartsWith("t.txt:2:1: error: this row has 2 columns, the first has 3"));
  EXPECT_THAT(said("csv", "1,2,3\n4,5,6,7\n"), StartsWith("t.txt:2:1: error: this row has 4 columns"));
  EXPECT_THAT(said("csv", "1,2,3\n4,\"5,6\n"),
              StartsWith("t.txt:2:3: error: this quoted field is never closed"));
  EXPECT_THAT(said("csv", "1,2,3\n4,\"5\"x,6\n"), StartsWith("t.txt:2:6: error: after the closing quote"));
  EXPECT_THAT(said("csv", "1,2,3\n4,five,6\n"), StartsWith("t.txt:2:3: error: \"five\" is not a number"));
  EXPECT_THAT(said("csv", "1,2,3\n4,5,nan\n"), StartsWith("t.txt:2:5: error: \"nan\" is not a number"));
  EXPECT_THAT(said("csv", "1,2,3\n4,1e39,6\n"), StartsWith("t.txt:2:3: error: \"1e39\" is too large"));
  EXPECT_THAT(said("csv", "1,2,3\n4,-1e999,6\n"), StartsWith("t.txt:2:3: error: \"-1e999\" is too large"));
  EXPECT_THAT(said("csv", "1,2,3\n4," + std::string(500, '9') + ",6\n"),
              StartsWith("t.txt:2:3: error: \"9999"));
  EXPECT_EQ(said("csv", "1,2,3\n4,1e-999,6\n"), "");  // that is 0
  EXPECT_THAT(said("csv", std::string("1,2,3\n4,\0005,6\n", 13)), StartsWith("t.txt:2:3: error: a NUL byte"));
  EXPECT_THAT(said("csv",
                   "1,2,3\n4,\xFF"
                   "5,6\n"),
              StartsWith("t.txt:2:3: error: not UTF-8 (byte 0xFF)"));
  EXPECT_THAT(said("tsv", "1\t2\t3\n4\t\t6\n"), StartsWith("t.txt:2:3: error: this is empty"));
  EXPECT_THAT(said("columns", "1 2 3\n4 5\n"),
              StartsWith("t.txt:2:1: error: this row has 2 columns, column 3"));
  EXPECT_THAT(said("lines", "ab\nc\xC3\n", true), StartsWith("t.txt:2:2: error: not UTF-8 (byte 0xC3)"));
  EXPECT_THAT(said("lines",
                   "\xEF\xBB\xBF\xEF\xBB\xBF"
                   "a\nb\xF8\n",
                   true),
              StartsWith("t.txt:2:2: error: not UTF-8"));
}

TEST(MalformedData, EmptyFilesFoldersAndWhatIsNotThere) {
  for (const char* nothing : {"", "\n\n", "\xEF\xBB\xBF", "\r\n"})
    for (const char* format : {"csv", "tsv", "columns"})
      EXPECT_THAT(said(format, nothing), HasSubstr("empty"));
  EXPECT_THAT(said("csv(header = yes)", ""),
              StartsWith("t.txt:1:1: error: the file is empty, it has no header"));
  EXPECT_THAT(said("csv(header = yes)", "a,b,c\n"), HasSubstr("the training part is empty"));
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "t.txt");
  EXPECT_THAT(train_on(folder, "csv", false).err, StartsWith("t.txt: error: is a folder, a file is needed"));
  std::filesystem::remove(folder / "t.txt");
  EXPECT_THAT(train_on(folder, "csv", false).err, HasSubstr("m.rnn:2:3: error: no file matches \"t.txt\""));
  if (::geteuid() == 0) return;  // root may read everything
  folder.write("t.txt", kGood);
  std::filesystem::permissions(folder / "t.txt", std::filesystem::perms::none);
  EXPECT_THAT(train_on(folder, "csv", false).err, StartsWith("t.txt: error: no permission to read it"));
}

TEST(MalformedData, LinesOfTenMegabytes) {
  std::string ten, blanks;
  ten.assign(10'000'000, '7');
  blanks.assign(10'000'000, ' ');
  EXPECT_THAT(said("csv", "1,2,3\n" + ten + ",5,6\n"), StartsWith("t.txt:2:1: error: \"7777"));
  EXPECT_LT(said("csv", "1,2,3\n" + ten + ",5,6\n").size(), 400u);
  EXPECT_THAT(said("csv", "1,2,3\n" + ten + "\n"), StartsWith("t.txt:2:1: error: this row has 1 column"));
  EXPECT_EQ(said("csv", "1,2,3\n" + blanks + "4,5,6\n"), "");
  EXPECT_THAT(said("lines", ten + "\xFF\n", true), StartsWith("t.txt:1:10000001: error: not UTF-8"));
}

TEST(MalformedData, PackedFilesThatAreDamaged) {
  const TemporaryFolder folder;
  gzFile packed = gzopen((folder / "whole.gz").c_str(), "wb");
  std::string rows;
  for (int i = 0; i < 4000; ++i) rows += fmt::format("{},{},{}\n", i * i % 1000, i % 77, i % 13);
  gzwrite(packed, rows.data(), static_cast<unsigned>(rows.size()));
  gzclose(packed);
  const std::string whole = file_bytes(folder / "whole.gz");
  std::mt19937 random(3);
  for (int round = 0; round < 12; ++round) {
    std::string bytes = whole;
    if (round % 2 == 0) bytes.resize(random() % (whole.size() - 1) + 1);
    else bytes[random() % whole.size()] ^= static_cast<char>(1 + random() % 255);
    folder.write("t.txt.gz", bytes);
    const Outcome outcome = train_on(folder, "csv", false);
    if (outcome.status == 0) continue;
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("t.txt")) << outcome.err;
  }
}

TEST(MalformedData, RandomBytesAreRefusedWithTheirPlace) {
  std::mt19937 random(9);
  const std::string signs = std::string("12.e-+,\"\n\r\t \xC3\xA9\xF0", 15) + '\0';
  for (int round = 0; round < 60; ++round) {
    std::string bytes = "1,2,3\n";
    for (int i = 0; i < 12; ++i) bytes += signs[random() % signs.size()];
    for (const char* format : {"csv", "columns"}) {
      const std::string message = said(format, bytes);
      if (message.empty()) continue;
      const bool in_data = message.starts_with("t.txt:1:") || message.starts_with("t.txt:2:") ||
                           message.starts_with("t.txt:3:") || message.starts_with("t.txt:4:") ||
                           message.starts_with("t.txt:5:") || message.starts_with("t.txt:6:");
      const bool in_block = message.find("m.rnn:") != std::string::npos;  // columns that no row has
      EXPECT_TRUE(in_data || in_block) << message;
    }
  }
}

}  // namespace
}  // namespace rnnc::test
