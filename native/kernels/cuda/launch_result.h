/** Common to all launches of CUDA kernels. Without CUDA's headers. */
#pragma once

#include <cstdint>
#include <initializer_list>

struct CUstream_st;  // cudaStream_t without CUDA's headers

namespace ghostnet::cuda {

/** The major version of the lowest compute capability that the kernels support. */
inline constexpr int kLeastMajor = 8;

/** The type of activations and of the large weights. */
enum class NumberType {
  float32,
  float16,
  bfloat16,
  /** float32 in memory; ghost modules and pointwise convolutions round factors to 10 fraction bits for tensor
   * cores. Other layers are as in float32. */
  tf32,
};

inline constexpr NumberType kNumberTypes[] = {NumberType::float32, NumberType::float16, NumberType::bfloat16,
                                              NumberType::tf32};

/** The type of the numbers in memory. */
constexpr NumberType memory_of(NumberType dtype) {
  switch (dtype) {
    case NumberType::tf32:
      return NumberType::float32;
    case NumberType::float32:
    case NumberType::float16:
    case NumberType::bfloat16:
      break;
  }
  return dtype;
}

/** Bytes per number. */
constexpr int size_of(NumberType dtype) {
  switch (dtype) {
    case NumberType::float32:
    case NumberType::tf32:
      return 4;
    case NumberType::float16:
    case NumberType::bfloat16:
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
