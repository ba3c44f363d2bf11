// The host side of all kernels: computes the grid from sizes, and the widest access from addresses.
#pragma once

#include "device.cuh"
#include "launch.h"

namespace ghostnet::cuda {

/** Whether four of the floats can be read at once anywhere in rows of this length. */
inline bool floats_aligned(std::initializer_list<const float*> arrays, int row) {
  uint64_t bits = uint64_t{sizeof(float)} * row;
  for (const float* array : arrays) bits |= address(array);
  return common_access({bits}) == 16;
}

/** The number of blocks for this number of threads, or -1 if it exceeds the limit of a grid. */
inline int64_t blocks_for(int64_t items, int threads) {
  return blocks_of((items + threads - 1) / threads, 1);
}

/** Launches a kernel on this number of blocks, if any; -1 exceeds the limit of a grid. */
template <class Kernel, class... Arguments>
LaunchResult launch_grid(int64_t blocks, int threads, CUstream_st* stream, Kernel kernel,
                         const Arguments&... arguments) {
  if (blocks < 0) return {Launch::unsupported};
  if (blocks == 0) return {};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), threads, stream, kernel, arguments...);
  return last_launch();
}

/** Calls the launch<T>() that is defined beside the kernel of a call. */
template <class T, class Group>
LaunchResult launch_as(const Group& group, CUstream_st* stream) {
  return std::visit([stream](const auto& call) { return launch<T>(call, stream); }, group);
}

}  // namespace ghostnet::cuda
