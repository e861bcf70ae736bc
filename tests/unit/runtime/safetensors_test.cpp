// Safetensors: the format's own test files, round trips, and that a failing write harms nothing.
#include "runtime/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <limits>
#include <sstream>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::read_all;
using test::refusal;
using test::TemporaryFolder;
using ::testing::HasSubstr;

TEST(Safetensors, FilesOfTheReferenceImplementation) {
  const std::string folder = test::shared_data("testvectors/safetensors/");
  if (folder.empty()) GTEST_SKIP() << "no ../shared/data/testvectors/safetensors";
  std::istringstream manifest(read_all(folder + "MANIFEST.tsv"));
  std::string line;
  std::getline(manifest, line);  // the header
  int files = 0;
  while (std::getline(manifest, line)) {
    std::istringstream cut(line);
    std::string name, expected;
    std::getline(cut, name, '\t');
    std::getline(cut, expected, '\t');
    const std::string why = refusal([&] { read_safetensors(folder + name); });
    EXPECT_EQ(why.empty(), expected == "accept") << name << ": " << expected << ": " << why;
    ++files;
  }
  EXPECT_EQ(files, 17);
}

TEST(Safetensors, RoundTrip) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, -2.5f, std::numeric_limits<float>::infinity(), 4, 5, 6};
  const std::vector<int64_t> counts = {1, int64_t{1} << 40};
  const std::vector<TensorView> tensors = {
      tensor_view("h.lstm.Wi", {2, 3}, weights),
      {.name = "counts", .dtype = "I64", .shape = {2}, .bytes = std::as_bytes(std::span(counts))},
      tensor_view("number", {}, std::span(weights).first(1)),
      tensor_view("empty", {0, 4}, {})};
  const std::map<std::string, std::string> metadata = {{"source", "model \"x\"\n\tä \x01"}, {"empty", ""}};
  write_safetensors(folder / "m", tensors, metadata);

  const SafeTensors read = read_safetensors(folder / "m");
  EXPECT_EQ(read.metadata, metadata);
  ASSERT_EQ(read.tensors.size(), 4u);
  EXPECT_EQ(read.tensors.at("h.lstm.Wi").floats(), weights);
  EXPECT_EQ(read.tensors.at("h.lstm.Wi").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read.tensors.at("number").floats(), std::vector<float>{1});
  EXPECT_TRUE(read.tensors.at("empty").floats().empty());
  EXPECT_EQ(read.tensors.at("counts").dtype, "I64");
  EXPECT_EQ(std::memcmp(read.tensors.at("counts").bytes.data(), counts.data(), 16), 0);
  EXPECT_THROW(read.tensors.at("counts").floats(), RunError);
}

TEST(Safetensors, EveryCutIsRefused) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2, 3};
  write_safetensors(folder / "m", std::vector{tensor_view("w", {3}, weights)}, {{"a", "b"}});
  const std::string whole = read_all(folder / "m");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal([&] { parse_safetensors(std::as_bytes(std::span(whole).first(size)), "m"); }), "")
        << size;
  EXPECT_EQ(refusal([&] { parse_safetensors(std::as_bytes(std::span(whole)), "m"); }), "");
}

TEST(Safetensors, EveryChangedHeaderByteIsReadOrRefused) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2, 3};
  write_safetensors(folder / "m", std::vector{tensor_view("w", {3}, weights)}, {{"a", "b"}});
  const std::string whole = read_all(folder / "m");
  for (size_t at = 0; at + 12 < whole.size(); ++at)
    for (const int byte : {0, 1, 0x22, 0x30, 0x39, 0x5B, 0x7D, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      refusal([&] { parse_safetensors(std::as_bytes(std::span(changed)), "m"); });  // no crash is enough
    }
}

TEST(Safetensors, MissingFileFolderAndNonsenseAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal([&] { read_safetensors("no/such.model"); }), "no/such.model: error: no such file\n");
  EXPECT_THAT(refusal([&] { read_safetensors(folder.path()); }), HasSubstr("is a folder, a file is needed"));
  folder.write("text", "this is no model at all, but a text");
  EXPECT_THAT(refusal([&] { read_safetensors(folder / "text"); }), HasSubstr("not a safetensors file"));
}

TEST(Safetensors, WrongUseIsFound) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2, 3};
  EXPECT_THROW(write_safetensors(folder / "m", std::vector{tensor_view("w", {4}, weights)}, {}),
               std::invalid_argument);
  EXPECT_THROW(
      write_safetensors(folder / "m",
                        std::vector{tensor_view("w", {3}, weights), tensor_view("w", {3}, weights)}, {}),
      std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder / "m"));
}

TEST(Safetensors, AFailingWriteLeavesTheOldFile) {
  if (::geteuid() == 0) {
    // For root every folder can be written: a folder in place of the file fails as well, at the rename.
    const TemporaryFolder folder;
    folder.write("m/inside", "old");
    EXPECT_THROW(write_safetensors(folder / "m", {}, {}), RunError);
    EXPECT_EQ(read_all(folder / "m/inside"), "old");
    EXPECT_THROW(write_safetensors(folder / "missing/m", {}, {}), RunError);
    return;
  }
  const TemporaryFolder folder;
  folder.write("m", "old");
  std::filesystem::permissions(folder.path(),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THROW(write_safetensors(folder / "m", {}, {}), RunError);
  EXPECT_EQ(read_all(folder / "m"), "old");
}

TEST(Safetensors, AFullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  folder.write("m", "old");
  // In a child process, because the limit of file sizes stays.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::vector<float> weights(10000);
    try {
      write_safetensors(folder / "m", std::vector{tensor_view("w", {10000}, weights)}, {});
    } catch (const RunError&) {
      ::_exit(17);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 17);
  EXPECT_EQ(read_all(folder / "m"), "old");
  const auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  EXPECT_EQ(files, 1) << "the temporary file is left";
}

TEST(Safetensors, KilledAtAnyMomentOneOfTheFilesIsThere) {
  const TemporaryFolder folder;
  const std::vector<float> old(200'000, 1.0f), changed(200'000, 2.0f);
  const auto save = [&](const std::vector<float>& values) {
    write_safetensors(folder / "m", std::vector{tensor_view("w", {200'000}, values)}, {});
  };
  save(old);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        save(changed);
        save(old);
      }
    }
    ::usleep(static_cast<useconds_t>(300 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::vector<float> found = read_safetensors(folder / "m").tensors.at("w").floats();
    EXPECT_TRUE(found == old || found == changed);
  }
}

TEST(Safetensors, KeepsModeAndLinks) {
  const TemporaryFolder folder;
  folder.write("real", "old");
  std::filesystem::permissions(folder / "real", std::filesystem::perms{0640});
  std::filesystem::create_symlink("real", folder / "link");
  write_safetensors(folder / "link", {}, {{"a", "b"}});
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_safetensors(folder / "real").metadata.at("a"), "b");
  EXPECT_EQ(std::filesystem::status(folder / "real").permissions(), std::filesystem::perms{0640});
}

}  // namespace
}  // namespace rnnc
