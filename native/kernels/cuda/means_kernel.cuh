// The mean of each channel over the pixels of an image: the first step of squeeze-and-excitation and the
// head.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kMeansThreads = 128;
/** Threads of a block along the channels, each with 16 bytes of channels, and along the pixels, each with
 * every n-th pixel. */
inline constexpr int kMeansVectors = 8;
inline constexpr int kMeansRows = kMeansThreads / kMeansVectors;

struct MeansArguments {
  const char* x;
  float* out;
  int pixels, channels, channel_tiles;
  int access;  ///< bytes of one access to x
};

/** Each block computes kMeansVectors*kVector<T> channels of an image. */
template <class T>
GHOSTNET_KERNEL(kMeansThreads, 8)
channel_means(const MeansArguments a) {
  constexpr int tile = kMeansVectors * kVector<T>;
  GHOSTNET_SHARED(shared, kMeansRows * tile * static_cast<int>(sizeof(float)));
  const int first = block_index() % a.channel_tiles * tile;
  const int64_t image = block_index() / a.channel_tiles;
  const int vector = thread_index() % kMeansVectors;
  const int row = thread_index() / kMeansVectors;
  const int count = a.channels - first - vector * kVector<T>;
  const char* const x =
      a.x + (image * a.pixels * a.channels + first + vector * kVector<T>)*static_cast<int>(sizeof(T));

  Channels<T> sum = {};
#pragma unroll 4
  for (int pixel = row; pixel < a.pixels; pixel += kMeansRows) {
    const Channels<T> value =
        load_channels<T>(x + pixel * a.channels * static_cast<int>(sizeof(T)), count, a.access);
#pragma unroll
    for (int i = 0; i < kVector<T>; ++i) sum.value[i] += value.value[i];
  }
  float* const sums = reinterpret_cast<float*>(shared);
#pragma unroll
  for (int i = 0; i < kVector<T>; ++i) sums[row * tile + vector * kVector<T> + i] = sum.value[i];
  block_barrier();
  const int channel = thread_index();
  if (channel >= tile || first + channel >= a.channels) return;
  float total = 0;
#pragma unroll
  for (int i = 0; i < kMeansRows; ++i) total += sums[i * tile + channel];
  a.out[image * a.channels + first + channel] = total / static_cast<float>(a.pixels);
}

template <class T>
LaunchResult launch(const MeansCall& call, CUstream_st* stream) {
  MeansArguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.out = call.out;
  a.pixels = call.pixels;
  a.channels = call.channels;
  a.channel_tiles = divide_up(call.channels, kMeansVectors * kVector<T>);
  a.access = common_access({address(call.x), uint64_t{sizeof(T)} * call.channels});
  return launch_grid(blocks_of(call.batch, a.channel_tiles), kMeansThreads, stream, channel_means<T>, a);
}

}  // namespace ghostnet::cuda
