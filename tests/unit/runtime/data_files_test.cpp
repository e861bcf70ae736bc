// Which files a pattern means, and the message when it means none.
#include "runtime/data_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::refusal;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> found(const TemporaryFolder& folder, const std::string& pattern) {
  const DataSpec spec = test::block(pattern, DataFormat::Lines, {});
  std::vector<std::string> names;
  for (const DataFile& file : find_files(spec, spec.sources[0], {.path = folder.path()}))
    names.push_back(file.name);
  return names;
}

TEST(DataFiles, PatternsInAlphabeticalOrder) {
  const TemporaryFolder folder;
  for (const char* name :
       {"n/b.txt", "n/a.txt", "n/Z.txt", "n/a.csv", "n/.hidden.txt", "n/packed.txt.gz", "m/a.txt"})
    folder.write(name, "");
  std::filesystem::create_directory(folder / "n/folder.txt");
  EXPECT_THAT(found(folder, "n/*.txt"), ElementsAre("n/Z.txt", "n/a.txt", "n/b.txt", "n/packed.txt"));
  EXPECT_THAT(found(folder, "*/a.txt"), ElementsAre("m/a.txt", "n/a.txt"));
  EXPECT_THAT(found(folder, "n/*a*"), ElementsAre("n/a.csv", "n/a.txt", "n/packed.txt"));
  EXPECT_THAT(found(folder, "n/packed.txt"), ElementsAre("n/packed.txt"));
  EXPECT_THAT(found(folder, "n/packed.txt.gz"), ElementsAre("n/packed.txt.gz"));
  EXPECT_THAT(found(folder, folder / "m/*"), ElementsAre(folder / "m/a.txt"));
  EXPECT_THAT(found(folder, "./n/../m/a.txt"), ElementsAre("./n/../m/a.txt"));
}

TEST(DataFiles, ThePlainFileComesBeforeThePackedOne) {
  const TemporaryFolder folder;
  folder.write("a.txt", "plain");
  folder.write("a.txt.gz", "packed");
  EXPECT_EQ(data_file(folder.path(), "a.txt").path, folder / "a.txt");
  EXPECT_THAT(found(folder, "*.txt"), ElementsAre("a.txt"));
}

TEST(DataFiles, Stems) {
  EXPECT_EQ(file_stem("surnames/Arabic.txt"), "Arabic");
  EXPECT_EQ(file_stem("fra.txt.gz"), "fra");
  EXPECT_EQ(file_stem("/usr/share/dict/french"), "french");
  EXPECT_EQ(file_stem("a.b.csv"), "a.b");
}

TEST(DataFiles, AMissingFileNamesWhatIsThere) {
  const TemporaryFolder folder;
  folder.write("ptb/ptb.train.txt", "");
  folder.write("ptb/ptb.test.txt", "");
  EXPECT_EQ(refusal([&] { found(folder, "ptb/ptb.valid.txt"); }),
            "test.rnn:4:3: error: no file matches \"ptb/ptb.valid.txt\"\n"
            "      = looked in the folder of test.rnn; its ptb/ has: ptb.test.txt, ptb.train.txt\n");
  EXPECT_EQ(refusal([&] { found(folder, "names/*.txt"); }),
            "test.rnn:4:3: error: no file matches \"names/*.txt\"\n"
            "      = looked in the folder of test.rnn; it has no names/, only: ptb/\n");
  EXPECT_EQ(refusal([&] { found(folder, "a.txt"); }),
            "test.rnn:4:3: error: no file matches \"a.txt\"\n"
            "      = looked in the folder of test.rnn; it has: ptb/\n");
  EXPECT_THAT(refusal([&] { found(folder, "/no/such/file"); }), HasSubstr("there is no folder /no/such/"));
  const DataSpec spec = test::block("a.txt", DataFormat::Lines, {});
  EXPECT_THAT(
      refusal([&] { find_files(spec, spec.sources[0], {.path = "elsewhere", .beside_rnn_file = false}); }),
      HasSubstr("looked in elsewhere; it has: nothing"));
}

TEST(DataFiles, LongFoldersAreCutShort) {
  const TemporaryFolder folder;
  for (int i = 10; i < 40; ++i) folder.write(fmt::format("f{}", i), "");
  EXPECT_THAT(refusal([&] { found(folder, "a"); }), HasSubstr("f20, f21, and 18 more"));
}

}  // namespace
}  // namespace rnnc
