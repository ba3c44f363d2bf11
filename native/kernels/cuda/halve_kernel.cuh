// The means of 2x2 pixels: the first step of an attention. An odd last row or column is left out.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kHalveThreads = 256;

struct HalveArguments {
  const char* x;
  char* out;
  int height, width, out_height, out_width, channels;
  int access;  ///< bytes of one access
};

/** Each thread computes kVector<T> channels of a pixel. */
template <class T>
GHOSTNET_KERNEL(kHalveThreads, 4)
halve(const HalveArguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kHalveThreads + thread_index();
  if (item >= items) return;
  constexpr int size = sizeof(T);
  const int vectors = (a.channels + kVector<T> - 1) / kVector<T>;
  const int channel = static_cast<int>(item % vectors) * kVector<T>;
  const int count = a.channels - channel;
  const int64_t pixel = item / vectors;
  const int x = static_cast<int>(pixel % a.out_width);
  const int y = static_cast<int>(pixel / a.out_width % a.out_height);
  const int64_t image = pixel / a.out_width / a.out_height;
  const char* const from =
      a.x + (((image * a.height + 2 * y) * a.width + 2 * x) * a.channels + channel) * size;
  Channels<T> sum = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const Channels<T> value =
        load_channels<T>(from + (i / 2 * a.width + i % 2) * a.channels * size, count, a.access);
#pragma unroll
    for (int j = 0; j < kVector<T>; ++j) sum.value[j] += value.value[j];
  }
#pragma unroll
  for (int j = 0; j < kVector<T>; ++j) sum.value[j] *= 0.25f;
  store_channels<T>(a.out + (pixel * a.channels + channel) * size, sum, count, a.access);
}

template <class T>
LaunchResult launch(const HalveCall& call, CUstream_st* stream) {
  HalveArguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.out = static_cast<char*>(call.out);
  a.height = call.height;
  a.width = call.width;
  a.out_height = call.height / 2;
  a.out_width = call.width / 2;
  a.channels = call.channels;
  a.access = common_access({address(call.x), address(call.out), uint64_t{sizeof(T)} * call.channels});
  const int64_t items = call.batch * a.out_height * a.out_width * divide_up(a.channels, kVector<T>);
  return launch_grid(blocks_for(items, kHalveThreads), kHalveThreads, stream, halve<T>, a, items);
}

}  // namespace ghostnet::cuda
