// The sum of two arrays: the shortcut after a ghost module that ran in two kernels.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kAdditionThreads = 256;

struct AdditionArguments {
  const char* a;
  const char* b;
  char* out;
  int64_t count;
  int access;  ///< bytes of one access
};

/** Each thread adds 16 bytes. */
template <class T>
GHOSTNET_KERNEL(kAdditionThreads, 4)
addition(const AdditionArguments a) {
  const int64_t first =
      (static_cast<int64_t>(block_index()) * kAdditionThreads + thread_index()) * kVector<T>;
  if (first >= a.count) return;
  const int64_t left = a.count - first;
  const int count = left < kVector<T> ? static_cast<int>(left) : kVector<T>;
  const int64_t at = first * static_cast<int>(sizeof(T));
  Channels<T> sum = load_channels<T>(a.a + at, count, a.access);
  const Channels<T> other = load_channels<T>(a.b + at, count, a.access);
#pragma unroll
  for (int i = 0; i < kVector<T>; ++i) sum.value[i] += other.value[i];
  store_channels<T>(a.out + at, sum, count, a.access);
}

template <class T>
LaunchResult launch(const AdditionCall& call, CUstream_st* stream) {
  AdditionArguments a = {};
  a.a = static_cast<const char*>(call.a);
  a.b = static_cast<const char*>(call.b);
  a.out = static_cast<char*>(call.out);
  a.count = call.count;
  a.access = common_access(
      {address(call.a), address(call.b), address(call.out), sizeof(T) * static_cast<uint64_t>(call.count)});
  return launch_grid(blocks_for((call.count + kVector<T> - 1) / kVector<T>, kAdditionThreads),
                     kAdditionThreads, stream, addition<T>, a);
}

}  // namespace ghostnet::cuda
