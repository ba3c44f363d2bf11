/** What all launches of CUDA kernels have in common: plain numbers, no LibTorch, no CUDA headers. */
#pragma once

#include <cstdint>
#include <initializer_list>

struct CUstream_st;  // cudaStream_t without CUDA's headers

namespace ghostnet::cuda {

/** Kernels need this major compute capability or a later one. */
inline constexpr int kLeastMajor = 8;

/** Of activations and of the large weights. */
enum class NumberType {
  float32,
  float16,
  bfloat16,
  /** float32 in memory; ghost modules and pointwise convolutions round what they multiply to 10 bits behind
   * the point, for tensor cores. Other layers are as in float32. */
  tf32,
};

inline constexpr NumberType kNumberTypes[] = {NumberType::float32, NumberType::float16, NumberType::bfloat16,
                                              NumberType::tf32};

/** What the numbers are in memory. */
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

/** Bytes of a number. */
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

/** Whether all sizes are 1 or more and the bytes of an array of them can be counted in 32 bits. */
bool countable(std::initializer_list<int64_t> sizes);

enum class Launch {
  done,         ///< launched (or nothing to do); errors of the run itself come from the stream
  unsupported,  ///< numbers out of the ranges above, an image of 2 GiB, or a grid of 2^31 blocks
  failed,       ///< CUDA refused; cudaGetLastError was read, its number is in `error`
};

struct LaunchResult {
  Launch status = Launch::done;
  int error = 0;  ///< cudaError_t
};

}  // namespace ghostnet::cuda
