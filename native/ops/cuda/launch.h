// What the launches of all dtypes share; see ghost_module_kernels.h for the calls.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "ghost_module_kernels.h"
#include "layer_kernels.h"

namespace ghostnet::cuda {

/** The widest access, of 16, 8, 4 or 2 bytes, that divides all of the addresses and byte counts. */
int common_access(std::initializer_list<uint64_t> values);

inline uint64_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
inline int divide_up(int value, int by) { return value / by + (value % by != 0); }

/** The product, or -1 when a grid can not have so many blocks. */
int64_t blocks_of(int64_t outer, int64_t inner);

/** What CUDA says of the launch just made. */
LaunchResult last_launch();

struct Half;
struct BFloat16;
struct TensorFloat32;

/** What numbers of type T are in memory. */
template <class T>
struct MemoryOf {
  using Type = T;
};
template <>
struct MemoryOf<TensorFloat32> {
  using Type = float;
};

/** Calls run.template operator()<T>() with the type of a dtype. */
template <class Run>
LaunchResult with_dtype(NumberType dtype, Run run) {
  switch (dtype) {
    case NumberType::float32:
      return run.template operator()<float>();
    case NumberType::float16:
      return run.template operator()<Half>();
    case NumberType::bfloat16:
      return run.template operator()<BFloat16>();
    case NumberType::tf32:
      return run.template operator()<TensorFloat32>();
  }
  return {Launch::unsupported};
}

/**
 * Launches of calls that were checked. Those with a product, fused, primary and of a PointwiseCall, are there
 * for all types, the others for those of memory.
 */
template <class T>
struct Launches {
  static LaunchResult fused(const GpuGhostCall& call, CUstream_st* stream);
  /** The first of a module's two kernels. */
  static LaunchResult primary(const GpuGhostCall& call, CUstream_st* stream);
  /** The second. */
  static LaunchResult cheap(const GpuGhostCall& call, CUstream_st* stream);
  static LaunchResult epilogue(const GpuGhostCall& call, CUstream_st* stream);

  static LaunchResult layer(const StemCall& call, CUstream_st* stream);
  static LaunchResult layer(const DepthwiseCall& call, CUstream_st* stream);
  static LaunchResult layer(const PointwiseCall& call, CUstream_st* stream);
  static LaunchResult layer(const MeansCall& call, CUstream_st* stream);
  static LaunchResult layer(const DenseCall& call, CUstream_st* stream);
  static LaunchResult layer(const AdditionCall& call, CUstream_st* stream);
};

}  // namespace ghostnet::cuda
