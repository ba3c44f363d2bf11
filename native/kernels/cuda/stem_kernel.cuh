// The stem, directly on the caller's input: bytes are normalised when read, and the padding is zero after
// that.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kStemThreads = 128;
/** Neighbouring output pixels per thread, for which it loads each weight once. */
inline constexpr int kStemPixels = 4;

struct StemArguments {
  const char* input;
  const float* weight;
  const float* bias;
  float scale[3], shift[3];
  char* out;
  int height, width, out_height, out_width, channels;
  int output_access;     ///< bytes of one access to out
  bool weights_aligned;  ///< four of the weights or biases can be read at once
};

/** One number of the input, normalised. @tparam bytes uint8 NHWC, else float32 NCHW */
template <bool bytes>
GHOSTNET_DEVICE float stem_input(const StemArguments& a, const char* image, int y, int x, int channel) {
  if constexpr (bytes) {
    const auto* at = reinterpret_cast<const uint8_t*>(image) + (y * a.width + x) * 3 + channel;
    return static_cast<float>(load_constant(at)) * a.scale[channel] + a.shift[channel];
  } else {
    return load_constant(reinterpret_cast<const float*>(image) + (channel * a.height + y) * a.width + x);
  }
}

/** Each thread computes kVector<T> channels of kStemPixels pixels in a row. */
template <class T, bool bytes>
GHOSTNET_KERNEL(kStemThreads, 6)
stem(const StemArguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kStemThreads + thread_index();
  if (item >= items) return;
  const int vectors = (a.channels + kVector<T> - 1) / kVector<T>;
  const int strips = (a.out_width + kStemPixels - 1) / kStemPixels;
  const int channel = static_cast<int>(item % vectors) * kVector<T>;
  const int count = a.channels - channel;
  int64_t rest = item / vectors;
  const int first = static_cast<int>(rest % strips) * kStemPixels;
  rest /= strips;
  const int y = static_cast<int>(rest % a.out_height);
  const int64_t image = rest / a.out_height;
  const char* const input = a.input + image * a.height * a.width * 3 * (bytes ? 1 : sizeof(float));

  Channels<T> sum[kStemPixels];
#pragma unroll
  for (int i = 0; i < kStemPixels; ++i) sum[i] = load_floats<T>(a.bias + channel, count, a.weights_aligned);
#pragma unroll 1
  for (int tap = 0; tap < 9; ++tap) {
    const int row = 2 * y + tap / 3 - 1;
    if (row < 0 || row >= a.height) continue;
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      const Channels<T> weight =
          load_floats<T>(a.weight + (tap * 3 + c) * a.channels + channel, count, a.weights_aligned);
#pragma unroll
      for (int i = 0; i < kStemPixels; ++i) {
        const int column = 2 * (first + i) + tap % 3 - 1;
        if (column < 0 || column >= a.width) continue;
        const float value = stem_input<bytes>(a, input, row, column, c);
#pragma unroll
        for (int j = 0; j < kVector<T>; ++j) sum[i].value[j] += weight.value[j] * value;
      }
    }
  }

  const int64_t at = ((image * a.out_height + y) * a.out_width + first) * a.channels + channel;
  char* const out = a.out + at * static_cast<int>(sizeof(T));
#pragma unroll
  for (int i = 0; i < kStemPixels; ++i) {
    if (first + i >= a.out_width) break;
#pragma unroll
    for (int j = 0; j < kVector<T>; ++j) sum[i].value[j] = rectified(sum[i].value[j], true);
    store_channels<T>(out + i * a.channels * static_cast<int>(sizeof(T)), sum[i], count, a.output_access);
  }
}

template <class T>
LaunchResult launch(const StemCall& call, CUstream_st* stream) {
  StemArguments a = {};
  a.input = static_cast<const char*>(call.input);
  a.weight = call.weight;
  a.bias = call.bias;
  for (int c = 0; c < 3; ++c) {
    a.scale[c] = call.scale[c];
    a.shift[c] = call.shift[c];
  }
  a.out = static_cast<char*>(call.out);
  a.height = call.height;
  a.width = call.width;
  a.out_height = divide_up(call.height, 2);
  a.out_width = divide_up(call.width, 2);
  a.channels = call.out_channels;
  a.output_access = common_access({address(call.out), uint64_t{sizeof(T)} * call.out_channels});
  a.weights_aligned = floats_aligned({call.weight, call.bias}, call.out_channels);
  const int64_t items =
      call.batch * a.out_height * divide_up(a.out_width, kStemPixels) * divide_up(a.channels, kVector<T>);
  return launch_grid(blocks_for(items, kStemThreads), kStemThreads, stream,
                     call.bytes ? stem<T, true> : stem<T, false>, a, items);
}

}  // namespace ghostnet::cuda
