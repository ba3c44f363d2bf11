#include "launch.h"

#include <limits>
#include <type_traits>

#ifndef GHOSTNET_CUDA_ON_CPU
#include <cuda_runtime_api.h>
#endif

namespace ghostnet::cuda {

namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

template <class Group>
LaunchResult launch_in(Precision dtype, const Group& call, CUstream_st* stream) {
  switch (dtype) {
    case Precision::tf32:
      if constexpr (std::is_same_v<Group, ProductCall>) return launch_as<TensorFloat32>(call, stream);
      [[fallthrough]];  // float32 to all other kernels
    case Precision::float32:
      return launch_as<float>(call, stream);
    case Precision::float16:
      return launch_as<Half>(call, stream);
    case Precision::bfloat16:
      return launch_as<BFloat16>(call, stream);
  }
  return {Launch::unsupported};
}

template <class Group>
LaunchResult launch_one(const Group& group, CUstream_st* stream) {
  const auto checked = [&](const auto& call) {
    return call.supported() ? launch_in(call.dtype, group, stream) : LaunchResult{Launch::unsupported};
  };
  return std::visit(checked, group);
}

LaunchResult launch_one(const GhostModuleInTwo& module, CUstream_st* stream) {
  if (!module.supported()) return {Launch::unsupported};
  const LaunchResult primary = launch(GhostPrimaryCall{module}, stream);
  const bool done = primary.status != Launch::done || module.out_channels <= module.intrinsic;
  return done ? primary : launch(GhostCheapCall{module}, stream);
}

}  // namespace

bool countable(std::initializer_list<int64_t> sizes) {
  int64_t numbers = 1;
  for (const int64_t size : sizes) {
    if (size < 1 || size > kMost / 4 / numbers) return false;
    numbers *= size;
  }
  return true;
}

bool GpuGhostModule::supported() const {
  if (batch < 0 || !countable({height, width, in_channels}) || !countable({height, width, out_channels})) {
    return false;
  }
  // Gates are read four at a time, and counted in 32 bits.
  if (gate != nullptr && (common_access({address(gate), 4 * static_cast<uint64_t>(in_channels)}) != 16 ||
                          batch > kMost / in_channels)) {
    return false;
  }
  return ratio >= 2 && countable({intrinsic, ratio}) && out_channels <= int64_t{1} * intrinsic * ratio &&
         cheap_size >= 1 && cheap_size <= 7 && cheap_size % 2 == 1;
}

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

LaunchResult launch(const Call& call, CUstream_st* stream) {
  return std::visit([&](const auto& one) { return launch_one(one, stream); }, call);
}

}  // namespace ghostnet::cuda
