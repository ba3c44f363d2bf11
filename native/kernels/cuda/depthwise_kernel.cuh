// The depthwise convolution between the ghost modules of a strided bottleneck, and of shortcuts.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kDepthwiseThreads = 128;
/** Neighbouring output pixels per thread, for which it loads each weight once. */
inline constexpr int kDepthwisePixels = 4;

struct DepthwiseArguments {
  const char* x;
  const float* weight;
  const float* bias;
  char* out;
  int height, width, out_height, out_width, channels, kernel_height, kernel_width, stride;
  bool relu;
  int access;            ///< bytes of one access to x and out
  bool weights_aligned;  ///< four of the weights or biases can be read at once
};

/** Each thread computes kVector<T> channels of kDepthwisePixels pixels in a row. */
template <class T>
GHOSTNET_KERNEL(kDepthwiseThreads, 4)
depthwise_convolution(const DepthwiseArguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kDepthwiseThreads + thread_index();
  if (item >= items) return;
  constexpr int size = sizeof(T);
  const int vectors = (a.channels + kVector<T> - 1) / kVector<T>;
  const int strips = (a.out_width + kDepthwisePixels - 1) / kDepthwisePixels;
  const int channel = static_cast<int>(item % vectors) * kVector<T>;
  const int count = a.channels - channel;
  int64_t rest = item / vectors;
  const int first = static_cast<int>(rest % strips) * kDepthwisePixels;
  rest /= strips;
  const int y = static_cast<int>(rest % a.out_height);
  const int64_t image = rest / a.out_height;
  const char* const x = a.x + (image * a.height * a.width * a.channels + channel) * size;
  const int above = a.kernel_height / 2, before = a.kernel_width / 2;

  Channels<T> sum[kDepthwisePixels];
#pragma unroll
  for (int i = 0; i < kDepthwisePixels; ++i) {
    sum[i] = load_floats<T>(a.bias + channel, count, a.weights_aligned);
  }
#pragma unroll 1
  for (int dy = 0; dy < a.kernel_height; ++dy) {
    const int row = y * a.stride + dy - above;
    if (row < 0 || row >= a.height) continue;
#pragma unroll 1
    for (int dx = 0; dx < a.kernel_width; ++dx) {
      const Channels<T> weight = load_floats<T>(a.weight + (dy * a.kernel_width + dx) * a.channels + channel,
                                                count, a.weights_aligned);
#pragma unroll
      for (int i = 0; i < kDepthwisePixels; ++i) {
        const int column = (first + i) * a.stride + dx - before;
        if (column < 0 || column >= a.width) continue;
        const Channels<T> value =
            load_channels<T>(x + (row * a.width + column) * a.channels * size, count, a.access);
#pragma unroll
        for (int j = 0; j < kVector<T>; ++j) sum[i].value[j] += weight.value[j] * value.value[j];
      }
    }
  }

  const int64_t at = ((image * a.out_height + y) * a.out_width + first) * a.channels + channel;
  char* const out = a.out + at * size;
#pragma unroll
  for (int i = 0; i < kDepthwisePixels; ++i) {
    if (first + i >= a.out_width) break;
#pragma unroll
    for (int j = 0; j < kVector<T>; ++j) sum[i].value[j] = rectified(sum[i].value[j], a.relu);
    store_channels<T>(out + i * a.channels * size, sum[i], count, a.access);
  }
}

template <class T>
LaunchResult launch(const DepthwiseCall& call, CUstream_st* stream) {
  DepthwiseArguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.weight = call.weight;
  a.bias = call.bias;
  a.out = static_cast<char*>(call.out);
  a.height = call.height;
  a.width = call.width;
  a.out_height = (call.height - 1) / call.stride + 1;
  a.out_width = (call.width - 1) / call.stride + 1;
  a.channels = call.channels;
  a.kernel_height = call.kernel_height;
  a.kernel_width = call.kernel_width;
  a.stride = call.stride;
  a.relu = call.relu;
  a.access = common_access({address(call.x), address(call.out), uint64_t{sizeof(T)} * call.channels});
  a.weights_aligned = floats_aligned({call.weight, call.bias}, call.channels);
  const int64_t items = call.batch * a.out_height * divide_up(a.out_width, kDepthwisePixels) *
                        divide_up(a.channels, kVector<T>);
  return launch_grid(blocks_for(items, kDepthwiseThreads), kDepthwiseThreads, stream,
                     depthwise_convolution<T>, a, items);
}

}  // namespace ghostnet::cuda
