#include "launch.h"

#include <limits>

#ifndef GHOSTNET_CUDA_ON_CPU
#include <cuda_runtime_api.h>
#endif

namespace ghostnet::cuda {

namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

bool supported(const GpuGhostCall& call) {
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

/** Runs run.template operator()<T>() for a call that asks for something, and for nothing unusual. */
template <class Run>
LaunchResult checked(const GpuGhostCall& call, Run run) {
  if (!supported(call)) return {Launch::unsupported};
  return call.batch == 0 ? LaunchResult{} : with_dtype(call.dtype, run);
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
  if (error != cudaSuccess) return {Launch::failed, error};
#endif
  return {};
}

LaunchResult launch_ghost_module(const GpuGhostCall& call, CUstream_st* stream) {
  return checked(call, [&]<class T>() { return Launches<T>::fused(call, stream); });
}

LaunchResult launch_ghost_module_in_two(const GpuGhostCall& call, CUstream_st* stream) {
  if (call.residual != nullptr) return {Launch::unsupported};
  return checked(call, [&]<class T>() {
    const LaunchResult primary = Launches<T>::primary(call, stream);
    const bool done = primary.status != Launch::done || call.out_channels <= call.intrinsic;
    return done ? primary : Launches<typename MemoryOf<T>::Type>::cheap(call, stream);
  });
}

LaunchResult launch_ghost_epilogue(const GpuGhostCall& call, CUstream_st* stream) {
  if (call.gate != nullptr || call.in_channels != call.intrinsic) return {Launch::unsupported};
  return checked(call,
                 [&]<class T>() { return Launches<typename MemoryOf<T>::Type>::epilogue(call, stream); });
}

}  // namespace ghostnet::cuda
