#include "runtime/guard.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <new>
#include <stdexcept>

#include "base/error.h"

namespace ghostnet {
namespace {

ErrorCode code_of(const std::function<void()>& work) {
  try {
    guard(work);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::GHOSTNET_ABORTED;
}

TEST(Guard, ThrowsOnAsTheErrorOfItsKind) {
  EXPECT_EQ(code_of([] { throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "mine"); }),
            ErrorCode::GHOSTNET_BAD_SHAPE);
  EXPECT_EQ(code_of([] { throw std::bad_alloc(); }), ErrorCode::GHOSTNET_OUT_OF_MEMORY);
  EXPECT_EQ(code_of([] { torch::empty({int64_t{1} << 45}); }), ErrorCode::GHOSTNET_OUT_OF_MEMORY);
  EXPECT_EQ(code_of([] { TORCH_CHECK_VALUE(false, "refused"); }), ErrorCode::GHOSTNET_INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { TORCH_CHECK(false, "a defect"); }), ErrorCode::GHOSTNET_INTERNAL);
  EXPECT_EQ(code_of([] { throw std::runtime_error("another"); }), ErrorCode::GHOSTNET_INTERNAL);
}

TEST(Guard, KeepsTheFirstLineOfWhatLibTorchSays) {
  try {
    guard([] { TORCH_CHECK(false, "what was wrong\nand a stack"); });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.found(), "what was wrong");
  }
}

}  // namespace
}  // namespace ghostnet
