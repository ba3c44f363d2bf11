/** Common to all launches of CUDA kernels. Without CUDA's headers. */
#pragma once

#include <cstdint>
#include <initializer_list>

#include "precisions.h"  // generated from lib/model/precision.ts

struct CUstream_st;  // cudaStream_t without CUDA's headers

namespace ghostnet::cuda {

/** Kernels need this major compute capability or a later one. */
inline constexpr int kLeastMajor = 8;

/** Bytes of a number in memory. tf32 is float32 there: ghost modules and pointwise convolutions round their
 * factors to 10 bits behind the point, for tensor cores; other layers are as in float32. */
constexpr int size_of(Precision dtype) {
  switch (dtype) {
    case Precision::float32:
    case Precision::tf32:
      return 4;
    case Precision::float16:
    case Precision::bfloat16:
      return 2;
  }
  return 0;
}

/** Whether sizes are at least 1, and 32 bits can count the bytes of that number of numbers. */
bool countable(std::initializer_list<int64_t> sizes);

enum class Launch {
  done,         ///< launched (or nothing to do); the stream reports errors of the run itself
  unsupported,  ///< numbers out of the ranges above, an image of 2 GiB, or a grid of 2^31 blocks
  failed,       ///< CUDA rejected the launch; `error` holds the result of cudaGetLastError
};

struct LaunchResult {
  Launch status = Launch::done;
  int error = 0;  ///< cudaError_t
};

}  // namespace ghostnet::cuda
