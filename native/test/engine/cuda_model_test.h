/** For tests over the model of the CUDA runtime. */
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "runtime_model.h"

namespace ghostnet {

/** Checks that all calls followed the rules and all resources were released. */
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

/** The error that was thrown, if any. */
inline std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/** The error code for a failure of CUDA. */
inline ErrorCode code_of(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? ErrorCode::GHOSTNET_OUT_OF_MEMORY
                                            : ErrorCode::GHOSTNET_CUDA_FAILED;
}

/** Checks that an error, if there is one, has the code of this failure and CUDA's message. */
inline void expect_told(const std::optional<Error>& error, cudaError_t failure) {
  if (!error) return;
  EXPECT_EQ(error->code(), code_of(failure)) << error->what();
  EXPECT_EQ(error->found(), std::string(cudaGetErrorName(failure)) + ": " + cudaGetErrorString(failure));
}

}  // namespace ghostnet
