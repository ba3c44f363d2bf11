// Written by `native/test/gpu/run.sh choose`: the ghost modules that were measured to be faster in two
// kernels. Not measured yet.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernels/cuda/launch_result.h"

namespace ghostnet::cuda {

/** From this number of pixels in a batch on. */
struct FasterInTwo {
  Precision dtype;
  int in_channels, intrinsic;
  int64_t pixels;
};

inline constexpr std::initializer_list<FasterInTwo> kFasterInTwo = {};

}  // namespace ghostnet::cuda
