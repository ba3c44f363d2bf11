// The last step of an attention: the output of a ghost module times the sigmoid of the nearest pixel of a
// smaller plane.
#pragma once

#include "launch.cuh"
#include "vector.cuh"

namespace ghostnet::cuda {

inline constexpr int kAttentionThreads = 256;

struct AttentionArguments {
  const char* x;
  const char* gate;
  char* out;
  int height, width, gate_height, gate_width, channels;
  int access;  ///< bytes of one access
};

/** Each thread multiplies kVector<T> channels of a pixel. */
template <class T>
GHOSTNET_KERNEL(kAttentionThreads, 4)
attention(const AttentionArguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kAttentionThreads + thread_index();
  if (item >= items) return;
  constexpr int size = sizeof(T);
  const int vectors = (a.channels + kVector<T> - 1) / kVector<T>;
  const int channel = static_cast<int>(item % vectors) * kVector<T>;
  const int count = a.channels - channel;
  const int64_t pixel = item / vectors;
  const int64_t x = pixel % a.width;
  const int64_t y = pixel / a.width % a.height;
  const int64_t image = pixel / a.width / a.height;
  const int64_t row = y * a.gate_height / a.height, column = x * a.gate_width / a.width;
  const int64_t near = (image * a.gate_height + row) * a.gate_width + column;
  Channels<T> value = load_channels<T>(a.x + (pixel * a.channels + channel) * size, count, a.access);
  const Channels<T> gate = load_channels<T>(a.gate + (near * a.channels + channel) * size, count, a.access);
#pragma unroll
  for (int j = 0; j < kVector<T>; ++j) value.value[j] *= sigmoid(gate.value[j]);
  store_channels<T>(a.out + (pixel * a.channels + channel) * size, value, count, a.access);
}

template <class T>
LaunchResult launch(const AttentionCall& call, CUstream_st* stream) {
  AttentionArguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.gate = static_cast<const char*>(call.gate);
  a.out = static_cast<char*>(call.out);
  a.height = call.height;
  a.width = call.width;
  a.gate_height = call.gate_height;
  a.gate_width = call.gate_width;
  a.channels = call.channels;
  a.access = common_access(
      {address(call.x), address(call.gate), address(call.out), uint64_t{sizeof(T)} * call.channels});
  const int64_t items = call.batch * a.height * a.width * divide_up(a.channels, kVector<T>);
  return launch_grid(blocks_for(items, kAttentionThreads), kAttentionThreads, stream, attention<T>, a, items);
}

}  // namespace ghostnet::cuda
