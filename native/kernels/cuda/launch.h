// Shared by the launches of all dtypes; see call.h for the calls.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "call.h"

namespace ghostnet::cuda {

/** The widest access, of 16, 8, 4 or 2 bytes, that divides all addresses and byte counts. */
int common_access(std::initializer_list<uint64_t> values);

inline uint64_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
inline int divide_up(int value, int by) { return value / by + (value % by != 0); }

/** The product, or -1 if a grid cannot have that number of blocks. */
int64_t blocks_of(int64_t outer, int64_t inner);

/** CUDA's result of the last launch. */
LaunchResult last_launch();

struct Half;
struct BFloat16;
struct TensorFloat32;

/**
 * Launches the kernels of a supported call for numbers of type T. Instantiated in a .cu file for each type.
 * @tparam T float, Half, BFloat16; TensorFloat32 for products only
 * @tparam Group ProductCall or LayerCall
 */
template <class T, class Group>
LaunchResult launch_as(const Group& group, CUstream_st* stream);

}  // namespace ghostnet::cuda
