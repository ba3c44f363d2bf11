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

// Of calls that were checked; T is float, Half or BFloat16.
template <class T>
LaunchResult launch_layer_of(const StemCall& call, CUstream_st* stream);
template <class T>
LaunchResult launch_layer_of(const DepthwiseCall& call, CUstream_st* stream);
template <class T>
LaunchResult launch_layer_of(const PointwiseCall& call, CUstream_st* stream);
template <class T>
LaunchResult launch_layer_of(const MeansCall& call, CUstream_st* stream);
template <class T>
LaunchResult launch_layer_of(const DenseCall& call, CUstream_st* stream);
template <class T>
LaunchResult launch_layer_of(const AdditionCall& call, CUstream_st* stream);

LaunchResult launch_fused_float32(const GhostModuleCall& call, CUstream_st* stream);
LaunchResult launch_fused_float16(const GhostModuleCall& call, CUstream_st* stream);
LaunchResult launch_fused_bfloat16(const GhostModuleCall& call, CUstream_st* stream);
LaunchResult launch_in_two_float32(const GhostModuleCall& call, CUstream_st* stream);
LaunchResult launch_in_two_float16(const GhostModuleCall& call, CUstream_st* stream);
LaunchResult launch_in_two_bfloat16(const GhostModuleCall& call, CUstream_st* stream);

}  // namespace ghostnet::cuda
