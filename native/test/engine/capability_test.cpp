#include "kernels/cpu/capability.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"

namespace ghostnet::cpu {
namespace {

class ChosenCapability : public testing::Test {
 protected:
  void TearDown() override { unsetenv("GHOSTNET_CPU_CAPABILITY"); }
  static void set(const char* value) { setenv("GHOSTNET_CPU_CAPABILITY", value, 1); }
};

TEST_F(ChosenCapability, IsTheWidestUnlessOneIsNamed) {
  EXPECT_EQ(chosen_capability(), available_capabilities().back());
  set("");
  EXPECT_EQ(chosen_capability(), available_capabilities().back());
  for (const Capability capability : available_capabilities()) {
    set(name_of(capability));
    EXPECT_EQ(chosen_capability(), capability);
  }
}

TEST_F(ChosenCapability, IsTheBaselineForDefaultOnEveryArchitecture) {
  set("default");
  EXPECT_EQ(chosen_capability(), Capability::baseline);
#ifdef __aarch64__
  EXPECT_STREQ(name_of(Capability::baseline), "neon");
#else
  EXPECT_STREQ(name_of(Capability::baseline), "default");
#endif
}

TEST_F(ChosenCapability, RefusesWhatIsNotKnownOrNotThere) {
  std::vector<const char*> refused = {"sse9", "AVX2"};
  if (available_capabilities().back() != Capability::avx512) refused.push_back("avx512");
  for (const char* name : refused) {
    set(name);
    try {
      chosen_capability();
      ADD_FAILURE() << name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_INVALID_ARGUMENT);
      EXPECT_EQ(error.found(), name);
    }
  }
}

}  // namespace
}  // namespace ghostnet::cpu
