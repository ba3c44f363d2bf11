// Dense layers over few rows: a warp computes some columns of some rows, and its lanes share the depth.
#pragma once

#include "launch.cuh"
#include "tile.cuh"

namespace ghostnet::cuda {

inline constexpr int kDenseThreads = 128;
/** Rows that share a read of the weights, and columns of a warp that share a read of the rows. */
inline constexpr int kDenseRows = 8;
inline constexpr int kDenseColumns = 4;
inline constexpr int kDenseBlockColumns = kDenseThreads / kWarp * kDenseColumns;

struct DenseArguments {
  const float* x;
  const char* weight;
  const float* bias;
  float* out;
  int64_t rows;
  int depth, columns, column_blocks;
  Activation activation;
  int weight_access;  ///< bytes of one access to the weight
  bool x_aligned;     ///< four numbers of x can be read at once
};

GHOSTNET_DEVICE float activated(float value, Activation activation) {
  if (activation == Activation::clamp) {
    const float positive = rectified(value, true);  // NaN stays NaN
    return positive > 1 ? 1.f : positive;
  }
  if (activation != Activation::hard_sigmoid) return rectified(value, activation == Activation::relu);
  const float moved = rectified(value + 3, true);  // NaN stays NaN
  return (moved > 6 ? 6.f : moved) / 6;
}

template <class T>
GHOSTNET_KERNEL(kDenseThreads, 4)
dense(const DenseArguments a) {
  static_assert(kDenseRows * kDenseColumns == kWarp);  // each lane writes one result
  const int lane = thread_index() % kWarp;
  const int column =
      block_index() % a.column_blocks * kDenseBlockColumns + thread_index() / kWarp * kDenseColumns;
  const int64_t first_row = static_cast<int64_t>(block_index() / a.column_blocks) * kDenseRows;
  const int64_t left = a.rows - first_row;
  const int rows = left < kDenseRows ? static_cast<int>(left) : kDenseRows;
  const float* const x = a.x + first_row * a.depth;

  float sum[kDenseRows][kDenseColumns] = {};
#pragma unroll 1
  for (int k = lane * kVector<T>; k < a.depth; k += kWarp * kVector<T>) {
    Channels<T> weight[kDenseColumns];
#pragma unroll
    for (int j = 0; j < kDenseColumns; ++j) {
      if (column + j < a.columns) {
        weight[j] = load_channels<T>(
            a.weight + (static_cast<int64_t>(column + j) * a.depth + k) * static_cast<int>(sizeof(T)),
            a.depth - k, a.weight_access);
      } else {
        weight[j] = {};
      }
    }
#pragma unroll
    for (int i = 0; i < kDenseRows; ++i) {
      if (i >= rows) break;
      const Channels<T> values = load_floats<T>(x + i * a.depth + k, a.depth - k, a.x_aligned);
#pragma unroll
      for (int j = 0; j < kDenseColumns; ++j) {
#pragma unroll
        for (int l = 0; l < kVector<T>; ++l) sum[i][j] += values.value[l] * weight[j].value[l];
      }
    }
  }

  float mine = 0;
#pragma unroll
  for (int i = 0; i < kDenseRows; ++i) {
    if (i >= rows) break;
#pragma unroll
    for (int j = 0; j < kDenseColumns; ++j) {
      const float total = warp_sum(sum[i][j]);
      if (lane == i * kDenseColumns + j) mine = total;
    }
  }
  const int row = lane / kDenseColumns;
  const int own_column = column + lane % kDenseColumns;
  if (row >= rows || own_column >= a.columns) return;
  a.out[(first_row + row) * a.columns + own_column] =
      activated(mine + load_constant(a.bias + own_column), a.activation);
}

template <class T>
LaunchResult launch(const DenseCall& call, CUstream_st* stream) {
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
  return launch_grid(blocks_of((call.rows + kDenseRows - 1) / kDenseRows, a.column_blocks), kDenseThreads,
                     stream, dense<T>, a);
}

}  // namespace ghostnet::cuda
