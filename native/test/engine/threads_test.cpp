#include "engine/threads.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ghostnet {
namespace {

class CgroupQuota : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) /
            ("cgroup_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::optional<double> quota() const {
    return cgroup_quota((root_ / "membership").string(), (root_ / "fs").string());
  }

  std::filesystem::path root_;
};

TEST_F(CgroupQuota, ReadsVersion2AndTakesTheTightestOnTheWayUp) {
  write("membership", "0::/a/b\n");
  write("fs/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("fs/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  write("fs/a/b/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CgroupQuota, InsideAContainerTheRootOfTheMountIsItsOwnGroup) {
  write("membership", "0::/path/of/the/host\n");
  write("fs/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(CgroupQuota, ReadsVersion1) {
  write("membership", "5:memory:/x\n4:cpu,cpuacct:/x\n");
  write("fs/cpu/x/cpu.cfs_quota_us", "-1\n");
  write("fs/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("fs/cpu/x/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CgroupQuota, IsNothingWhereThereAreNoGroups) { EXPECT_EQ(quota(), std::nullopt); }

TEST(DefaultThreads, IsAtLeastOneAndAtMostTheProcessors) {
  EXPECT_GE(default_threads(), 1);
  EXPECT_LE(default_threads(), kMaxThreads);
}

}  // namespace
}  // namespace ghostnet
