// From a call to its kernel, for one dtype. Included by the three layers_*.cu files, so that they compile
// side by side.
#pragma once

#include "addition_kernel.cuh"
#include "dense_kernel.cuh"
#include "depthwise_kernel.cuh"
#include "launch.h"
#include "means_kernel.cuh"
#include "stem_kernel.cuh"

namespace ghostnet::cuda {

inline bool floats_aligned(std::initializer_list<const float*> arrays, int row) {
  uint64_t bits = uint64_t{sizeof(float)} * row;
  for (const float* array : arrays) bits |= address(array);
  return common_access({bits}) == 16;
}

/** Blocks for so many threads, or -1 when a grid can not have them. */
inline int64_t blocks_for(int64_t items, int threads) {
  return blocks_of((items + threads - 1) / threads, 1);
}

template <class T>
LaunchResult Launches<T>::layer(const StemCall& call, CUstream_st* stream) {
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
  const int64_t blocks = blocks_for(items, kStemThreads);
  if (blocks < 0) return {Launch::unsupported};
  if (call.bytes) {
    GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kStemThreads, stream, (stem<T, true>), a, items);
  } else {
    GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kStemThreads, stream, (stem<T, false>), a, items);
  }
  return last_launch();
}

template <class T>
LaunchResult Launches<T>::layer(const DepthwiseCall& call, CUstream_st* stream) {
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
  a.size = call.size;
  a.stride = call.stride;
  a.relu = call.relu;
  a.access = common_access({address(call.x), address(call.out), uint64_t{sizeof(T)} * call.channels});
  a.weights_aligned = floats_aligned({call.weight, call.bias}, call.channels);
  const int64_t items = call.batch * a.out_height * divide_up(a.out_width, kDepthwisePixels) *
                        divide_up(a.channels, kVector<T>);
  const int64_t blocks = blocks_for(items, kDepthwiseThreads);
  if (blocks < 0) return {Launch::unsupported};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kDepthwiseThreads, stream, depthwise_convolution<T>, a,
                  items);
  return last_launch();
}

template <class T>
LaunchResult Launches<T>::layer(const MeansCall& call, CUstream_st* stream) {
  MeansArguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.out = call.out;
  a.pixels = call.pixels;
  a.channels = call.channels;
  a.channel_tiles = divide_up(call.channels, kMeansVectors * kVector<T>);
  a.access = common_access({address(call.x), uint64_t{sizeof(T)} * call.channels});
  const int64_t blocks = blocks_of(call.batch, a.channel_tiles);
  if (blocks < 0) return {Launch::unsupported};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kMeansThreads, stream, channel_means<T>, a);
  return last_launch();
}

template <class T>
LaunchResult Launches<T>::layer(const DenseCall& call, CUstream_st* stream) {
  DenseArguments a = {};
  a.x = call.x;
  a.weight = static_cast<const char*>(call.weight);
  a.bias = call.bias;
  a.out = call.out;
  a.rows = call.rows;
  a.depth = call.depth;
  a.columns = call.columns;
  a.column_blocks = divide_up(call.columns, kDenseBlockColumns);
  a.activation = call.activation;
  a.weight_access = common_access({address(call.weight), uint64_t{sizeof(T)} * call.depth});
  a.x_aligned = floats_aligned({call.x}, call.depth);
  const int64_t blocks = blocks_of((call.rows + kDenseRows - 1) / kDenseRows, a.column_blocks);
  if (blocks < 0) return {Launch::unsupported};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kDenseThreads, stream, dense<T>, a);
  return last_launch();
}

template <class T>
LaunchResult Launches<T>::layer(const AdditionCall& call, CUstream_st* stream) {
  AdditionArguments a = {};
  a.a = static_cast<const char*>(call.a);
  a.b = static_cast<const char*>(call.b);
  a.out = static_cast<char*>(call.out);
  a.count = call.count;
  a.access = common_access(
      {address(call.a), address(call.b), address(call.out), sizeof(T) * static_cast<uint64_t>(call.count)});
  const int64_t blocks = blocks_for((call.count + kVector<T> - 1) / kVector<T>, kAdditionThreads);
  if (blocks < 0) return {Launch::unsupported};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kAdditionThreads, stream, addition<T>, a);
  return last_launch();
}

}  // namespace ghostnet::cuda
