// Commands run in this process keep compiled code in a folder of the test's own, not in the user's.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc::test {
namespace {

class OwnCache : public testing::Environment {
 public:
  void SetUp() override {
    folder_.emplace();
    ::setenv("XDG_CACHE_HOME", folder_->path().c_str(), 1);
    ::unsetenv("RNNC_NO_CACHE");
  }
  void TearDown() override { folder_.reset(); }

 private:
  std::optional<TemporaryFolder> folder_;
};

const testing::Environment* const kOwnCache = testing::AddGlobalTestEnvironment(new OwnCache);

}  // namespace
}  // namespace rnnc::test
