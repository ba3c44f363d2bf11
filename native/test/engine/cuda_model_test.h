/** For tests over the model of the CUDA runtime. */
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "runtime_model.h"

namespace ghostnet {

/** Everything follows the rules, and is given back. */
class CudaModel : public testing::Test {
 protected:
  void SetUp() override { cuda_model::reset({}); }
  void TearDown() override {
    expect_no_faults();
    EXPECT_EQ(cuda_model::left_over(), "");
    cuda_model::reset({});
  }

  static void expect_no_faults() {
    for (const std::string& fault : cuda_model::faults()) ADD_FAILURE() << fault;
  }
};

/** What was thrown; nothing when nothing was. */
inline std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/** The code that a failure of CUDA's becomes. */
inline ErrorCode code_of(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? ErrorCode::GHOSTNET_OUT_OF_MEMORY
                                            : ErrorCode::GHOSTNET_CUDA_FAILED;
}

/** That an error, where there is one, is what this failure becomes, in CUDA's words. */
inline void expect_told(const std::optional<Error>& error, cudaError_t failure) {
  if (!error) return;
  EXPECT_EQ(error->code(), code_of(failure)) << error->what();
  EXPECT_EQ(error->found(), std::string(cudaGetErrorName(failure)) + ": " + cudaGetErrorString(failure));
}

}  // namespace ghostnet
