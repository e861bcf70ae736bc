// The cache on disk gives back what was stored, or nothing: never something else, whatever happened to the
// files.
#include "codegen/object_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "codegen/jit.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::Optional;

std::vector<fs::path> files_of(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) files.push_back(entry.path());
  return files;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(ObjectCache, GivesBackWhatWasStored) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "a/b");
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", {"first", "", std::string("\0x", 2)});
  EXPECT_THAT(cache.find("key"), Optional(ElementsAre("first", "", std::string("\0x", 2))));
  EXPECT_FALSE(cache.find("kez"));
  cache.store("key", {"again"});
  EXPECT_THAT(cache.find("key"), Optional(ElementsAre("again")));
  EXPECT_EQ(files_of(place / "a/b").size(), 1u);
}

TEST(ObjectCache, WithoutFolderKeepsNothing) {
  const ObjectCache cache;
  cache.store("key", {"object"});
  EXPECT_FALSE(cache.find("key"));
}

TEST(ObjectCache, AFolderThatCannotBeWrittenIsNoError) {
  const TemporaryFolder place;
  place.write("file", "not a folder");
  const ObjectCache cache(place / "file");
  cache.store("key", {"object"});
  EXPECT_FALSE(cache.find("key"));
  const ObjectCache deeper(place / "file/below");
  deeper.store("key", {"object"});
  EXPECT_FALSE(deeper.find("key"));
  EXPECT_EQ(bytes_of(place / "file"), "not a folder");
}

TEST(ObjectCache, EveryDamageIsSeen) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "c");
  cache.store("the key", {"some object", "another"});
  const fs::path file = files_of(place / "c").at(0);
  const std::string whole = bytes_of(file);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string harmed = whole;
    harmed[at] = char(harmed[at] ^ 4);
    write(file, harmed);
    EXPECT_FALSE(cache.find("the key")) << "byte " << at;
    write(file, whole.substr(0, at));
    EXPECT_FALSE(cache.find("the key")) << "cut at " << at;
  }
  write(file, whole + "x");
  EXPECT_FALSE(cache.find("the key"));
  write(file, whole);
  EXPECT_TRUE(cache.find("the key"));
}

TEST(ObjectCache, AnEntryOfAnotherKeyIsNotTaken) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "c");
  cache.store("one", {"1"});
  const fs::path one = files_of(place / "c").at(0);
  cache.store("two", {"2"});
  for (const fs::path& file : files_of(place / "c"))
    if (file != one) fs::copy_file(one, file, fs::copy_options::overwrite_existing);
  EXPECT_FALSE(cache.find("two"));
}

TEST(ObjectCache, WhatOthersMayWriteIsNotBelieved) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "c");
  cache.store("key", {"object"});
  const fs::path file = files_of(place / "c").at(0);
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  EXPECT_FALSE(cache.find("key"));
  fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
  EXPECT_TRUE(cache.find("key"));
}

TEST(ObjectCache, RemovesWhatWasNotUsedForLongest) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "c", 10'000);
  const std::string big(1'000, 'x');
  const auto hours_ago = [&](const std::string& key, int hours) {
    const ObjectCache probe(place / "c", 1 << 30);
    for (const fs::path& file : files_of(place / "c"))
      if (file.stem() == name_of_text(key))
        fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (int i = 0; i < 9; ++i) {
    const std::string key = "key" + std::to_string(i);
    cache.store(key, {big});
    hours_ago(key, 100 - i);
  }
  EXPECT_TRUE(cache.find("key0"));  // used now: it is the youngest
  cache.store("key9", {big});
  EXPECT_TRUE(cache.find("key0"));
  EXPECT_FALSE(cache.find("key1"));
  EXPECT_TRUE(cache.find("key9"));
  int64_t total = 0;
  for (const fs::path& file : files_of(place / "c")) total += int64_t(fs::file_size(file));
  EXPECT_LE(total, 10'000);
  cache.store("too big", {std::string(20'000, 'y')});
  EXPECT_FALSE(cache.find("too big"));
  EXPECT_TRUE(cache.find("key9"));
}

TEST(ObjectCache, RemovesWhatKilledWritersLeft) {
  const TemporaryFolder place;
  const ObjectCache cache(place / "c");
  cache.store("key", {"object"});
  place.write("c/old.objects.77.0.tmp", "half");
  place.write("c/new.objects.78.0.tmp", "half");
  fs::last_write_time(place / "c/old.objects.77.0.tmp",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.store("key2", {"object"});
  EXPECT_FALSE(fs::exists(place / "c/old.objects.77.0.tmp"));
  EXPECT_TRUE(fs::exists(place / "c/new.objects.78.0.tmp"));  // its writer may live
}

// Processes that write and read the same keys, killed at any moment: whoever reads gets a whole entry or
// none.
TEST(ObjectCache, ManyProcessesAndKill) {
  const TemporaryFolder place;
  const std::string folder = place / "c";
  const auto value = [](int key, char c) {
    return std::vector<std::string>{std::string(size_t(10'000 + key), c)};
  };
  for (int round = 0; round < 6; ++round) {
    std::vector<pid_t> children;
    for (int p = 0; p < 3; ++p) {
      const pid_t pid = ::fork();
      ASSERT_GE(pid, 0);
      if (pid == 0) {
        const ObjectCache cache(folder, 60'000);
        for (int i = 0;; ++i) cache.store("key" + std::to_string(i % 8), value(i % 8, char('a' + p)));
      }
      children.push_back(pid);
    }
    const ObjectCache cache(folder, 60'000);
    int hits = 0;
    for (int i = 0; hits < 200 && i < 1'000'000; ++i) {
      const auto found = cache.find("key" + std::to_string(i % 8));
      if (!found) continue;
      ++hits;
      ASSERT_EQ(found->size(), 1u);
      ASSERT_EQ(found->at(0), std::string(size_t(10'000 + i % 8), found->at(0).at(0)));
    }
    EXPECT_EQ(hits, 200);
    for (const pid_t pid : children) ::kill(pid, SIGKILL);
    for (const pid_t pid : children) ::waitpid(pid, nullptr, 0);
  }
}

// ---- with the compiler

Kernel add_one(float by) {
  Kernel k;
  k.operands = 2;
  k.body = {{.code = Instr::Load, .operand = 0},
            {.code = Instr::Constant, .value = by},
            {.code = Instr::Compute, .op = Op::Add, .a = 0, .b = 1},
            {.code = Instr::Store, .a = 2, .operand = 1}};
  return k;
}

Kernel product() {
  Kernel k;
  k.operands = 3;
  k.product = {.parts = 1, .chunks = 1, .left = {0}, .right = {1}, .rows_limit = 0};
  k.body = {{.code = Instr::Part, .operand = 0}, {.code = Instr::Store, .a = 0, .operand = 2}};
  return k;
}

float run_on_one(KernelFn fn, float x) {
  std::vector<float> in(64 + 16, x), out(64 + 16);
  void* data[] = {in.data(), out.data()};
  const int64_t stride[] = {16, 16}, rows[] = {1};
  const Segment segment{0, 0, 1};
  const KernelArgs args{data, stride, rows, nullptr, &segment, 1, 16};
  fn(&args, 0, 1);
  return out[3];
}

TEST(ObjectCache, ASecondJitCompilesNothing) {
  const TemporaryFolder place;
  const std::vector<Kernel> kernels = {add_one(1), product(), add_one(2)};
  const Target target = target_by_name("host");
  Jit first(target, 2, ObjectCache(place / "c"));
  EXPECT_EQ(run_on_one(first.compile(kernels)[2], 5), 7);
  EXPECT_EQ(first.stats().from_disk, 0);
  Jit second(target, 2, ObjectCache(place / "c"));
  const auto functions = second.compile(kernels);
  EXPECT_EQ(run_on_one(functions[0], 5), 6);
  EXPECT_EQ(run_on_one(functions[2], 5), 7);
  EXPECT_EQ(second.stats().from_disk, second.stats().kernels + second.stats().micro_kernels);
  EXPECT_EQ(second.stats().bytes, first.stats().bytes);

  // Another number of threads finds the same code, other kernels are compiled, the micro-kernels are shared.
  Jit third(target, 1, ObjectCache(place / "c"));
  third.compile(kernels);
  EXPECT_EQ(third.stats().from_disk, third.stats().kernels + third.stats().micro_kernels);
  Jit fourth(target, 1, ObjectCache(place / "c"));
  EXPECT_EQ(run_on_one(fourth.compile(std::vector{add_one(3), product()})[0], 5), 8);
  EXPECT_EQ(fourth.stats().from_disk, fourth.stats().micro_kernels);
  EXPECT_GT(fourth.stats().micro_kernels, 0);
}

TEST(ObjectCache, OneFolderServesAllTargets) {
  const TemporaryFolder place;
  const std::vector<Kernel> kernels = {add_one(4)};
  for (int round = 0; round < 2; ++round) {
    for (const std::string name : {"host", "sse2"}) {
      Jit jit(target_by_name(name), 1, ObjectCache(place / "c"));
      EXPECT_EQ(run_on_one(jit.compile(kernels)[0], 5), 9);
      EXPECT_EQ(jit.stats().from_disk, round);
    }
  }
}

TEST(ObjectCache, CodeThatIsDamagedIsCompiledAgain) {
  const TemporaryFolder place;
  const std::vector<Kernel> kernels = {add_one(1)};
  const Target target = target_by_name("host");
  Jit(target, 1, ObjectCache(place / "c")).compile(kernels);
  for (const fs::path& file : files_of(place / "c")) {
    std::string bytes = bytes_of(file);
    bytes[bytes.size() / 2] = char(bytes[bytes.size() / 2] + 1);
    write(file, bytes);
  }
  Jit again(target, 1, ObjectCache(place / "c"));
  EXPECT_EQ(run_on_one(again.compile(kernels)[0], 5), 6);
  EXPECT_EQ(again.stats().from_disk, 0);
  Jit healed(target, 1, ObjectCache(place / "c"));
  healed.compile(kernels);
  EXPECT_EQ(healed.stats().from_disk, 1);
}

}  // namespace
}  // namespace rnnc
