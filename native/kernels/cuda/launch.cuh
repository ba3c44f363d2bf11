// The host's side of all kernels: from sizes to a grid, from addresses to the widest access.
#pragma once

#include "device.cuh"
#include "launch.h"

namespace ghostnet::cuda {

/** Whether four floats can be read at once at every fourth column of rows of this length. */
inline bool floats_aligned(std::initializer_list<const float*> arrays, int row) {
  uint64_t bits = uint64_t{sizeof(float)} * row;
  for (const float* array : arrays) bits |= address(array);
  return common_access({bits}) == 16;
}

/** Blocks with a thread for each item, or -1 for more than a grid can have. */
inline int64_t blocks_for(int64_t items, int threads) {
  return blocks_of((items + threads - 1) / threads, 1);
}

/** Launches a kernel; no blocks are no launch. @param blocks from blocks_of or blocks_for */
template <class Kernel, class... Arguments>
LaunchResult launch_grid(int64_t blocks, int threads, CUstream_st* stream, Kernel kernel,
                         const Arguments&... arguments) {
  if (blocks < 0) return {Launch::unsupported};
  if (blocks == 0) return {};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), threads, stream, kernel, arguments...);
  return last_launch();
}

// Every kernel file defines a launch<T>() for its call.
template <class T, class Group>
LaunchResult launch_as(const Group& group, CUstream_st* stream) {
  return std::visit([stream](const auto& call) { return launch<T>(call, stream); }, group);
}

}  // namespace ghostnet::cuda
