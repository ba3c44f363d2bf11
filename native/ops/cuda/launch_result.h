/** What all launches of CUDA kernels have in common: plain numbers, no LibTorch, no CUDA headers. */
#pragma once

#include <cstdint>

struct CUstream_st;  // cudaStream_t without CUDA's headers

namespace ghostnet::cuda {

/** Of activations and of the large weights. */
enum class NumberType {
  float32,
  float16,
  bfloat16,
  /** float32 in memory; ghost modules and pointwise convolutions round what they multiply to 10 bits behind
   * the point, for tensor cores. Other layers are as in float32. */
  tf32,
};

/** What the numbers are in memory. */
constexpr NumberType memory_of(NumberType dtype) {
  return dtype == NumberType::tf32 ? NumberType::float32 : dtype;
}

/** Bytes of a number. */
constexpr int size_of(NumberType dtype) { return memory_of(dtype) == NumberType::float32 ? 4 : 2; }

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
