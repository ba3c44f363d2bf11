#include "launch.h"

#include <limits>

#ifndef GHOSTNET_CUDA_ON_CPU
#include <cuda_runtime_api.h>
#endif

namespace ghostnet::cuda {

namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

bool supported(const GhostModuleCall& call) {
  if (call.batch < 0 || call.height < 1 || call.width < 1 || call.in_channels < 1 || call.intrinsic < 1)
    return false;
  if (call.ratio < 2 || call.cheap_size < 1 || call.cheap_size > 7 || call.cheap_size % 2 == 0) return false;
  const int64_t all = int64_t{1} * call.intrinsic * call.ratio;
  if (all > kMost / 4 || call.in_channels > kMost / 4 || call.out_channels < 1 || call.out_channels > all)
    return false;
  // Gates are read four at a time, and counted in 32 bits.
  if (call.gate != nullptr &&
      (common_access({address(call.gate), 4 * static_cast<uint64_t>(call.in_channels)}) != 16 ||
       call.batch > kMost / call.in_channels)) {
    return false;
  }
  // Kernels count the bytes of one image in 32 bits.
  const int64_t widest = call.in_channels > call.out_channels ? call.in_channels : call.out_channels;
  return int64_t{1} * call.height * call.width <= kMost / 4 / widest;
}

template <class Kernel>
LaunchResult launch(const GhostModuleCall& call, CUstream_st* stream, Kernel float32, Kernel float16,
                    Kernel bfloat16) {
  if (!supported(call)) return {Launch::kUnsupported};
  if (call.batch == 0) return {};
  switch (call.dtype) {
    case Dtype::kFloat32:
      return float32(call, stream);
    case Dtype::kFloat16:
      return float16(call, stream);
    case Dtype::kBFloat16:
      return bfloat16(call, stream);
  }
  return {Launch::kUnsupported};
}

}  // namespace

int common_access(std::initializer_list<uint64_t> values) {
  uint64_t bits = 16;
  for (const uint64_t value : values) bits |= value;
  return static_cast<int>(bits & (~bits + 1));
}

int64_t blocks_of(int64_t outer, int64_t inner) {
  return outer > kMost || outer * inner > kMost ? -1 : outer * inner;
}

LaunchResult last_launch() {
#ifndef GHOSTNET_CUDA_ON_CPU
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) return {Launch::kFailed, error};
#endif
  return {};
}

LaunchResult launch_ghost_module(const GhostModuleCall& call, CUstream_st* stream) {
  return launch(call, stream, launch_fused_float32, launch_fused_float16, launch_fused_bfloat16);
}

LaunchResult launch_ghost_module_in_two(const GhostModuleCall& call, CUstream_st* stream) {
  if (call.residual != nullptr) return {Launch::kUnsupported};
  return launch(call, stream, launch_in_two_float32, launch_in_two_float16, launch_in_two_bfloat16);
}

}  // namespace ghostnet::cuda
