/**
 * Products of bfloat16 pixels and packed bfloat16 weights, summed in float32, two depths at a time. Included
 * only by bfloat16_kernels.cpp.
 */
#pragma once

#include "ops/cpu/bfloat16_vector.h"

namespace ghostnet::cpu {
namespace {

// Rows of a tile of `vectors`: as many as leave registers for the weights and for the pair that is broadcast.
constexpr int tile_rows(int vectors) { return vectors == 1 ? 14 : vectors == 2 ? 12 : 8; }

inline int pair_at(const BFloat16* a) {
  int pair;
  __builtin_memcpy(&pair, a, sizeof pair);
  return pair;
}

template <typename V, int kRows, int kVectors>
void product_tile(const ProductOf<BFloat16>& call, const BFloat16* a, const BFloat16* residual, BFloat16* out,
                  BFloat16* plain) {
  constexpr int kLanes = V::kLanes;
  V sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    const V bias = V::load(call.bias + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][v] = bias;
  }
  const BFloat16* weights = call.panel;
  const int64_t stride = call.row_stride;
  const int64_t depth = call.depth;
  for (int64_t segment = 0; segment < call.segments; ++segment, a += call.segment_stride) {
    int64_t k = 0;
    for (; k + 2 <= depth; k += 2, weights += call.panel_stride) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const int pair = pair_at(a + r * stride + k);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v].add_pairs(weights + v * 2 * kLanes, pair);
      }
    }
    if (k == depth) continue;
    // What lies behind the last value is another pixel's, and may be anything: NaN times 0 is NaN.
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const int pair = static_cast<int>(a[r * stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v].add_pairs(weights + v * 2 * kLanes, pair);
    }
    weights += call.panel_stride;
  }
  if (call.relu) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = relu(sum[r][v]);
    }
  }
  if (plain != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v].store(plain + r * call.plain_stride + v * kLanes);
    }
  }
  if (out == nullptr) return;
  const int64_t last = call.columns - (kVectors - 1) * kLanes;
  if (residual != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const BFloat16* row = residual + r * call.out_stride;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors - 1; ++v) sum[r][v] = sum[r][v] + V::load(row + v * kLanes);
      row += (kVectors - 1) * kLanes;
      const V added = last == kLanes ? V::load(row) : V::load(row, last);
      sum[r][kVectors - 1] = sum[r][kVectors - 1] + added;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    BFloat16* row = out + r * call.out_stride;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors - 1; ++v) sum[r][v].store(row + v * kLanes);
    row += (kVectors - 1) * kLanes;
    if (last == kLanes) {
      sum[r][kVectors - 1].store(row);
    } else {
      sum[r][kVectors - 1].store(row, last);
    }
  }
}

using Tile = void (*)(const ProductOf<BFloat16>& call, const BFloat16* a, const BFloat16* residual,
                      BFloat16* out, BFloat16* plain);

// The tile of so many rows, at most kRows.
template <typename V, int kRows, int kVectors>
Tile tile_of(int64_t rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_of<V, kRows - 1, kVectors>(rows);
  }
  return product_tile<V, kRows, kVectors>;
}

// As few tiles as can be, and all of about as many rows.
template <typename V, int kVectors>
void product_panel(const ProductOf<BFloat16>& call) {
  constexpr int kRows = tile_rows(kVectors);
  const auto at = [](auto* base, int64_t offset) { return base == nullptr ? nullptr : base + offset; };
  const int64_t tiles = (call.rows + kRows - 1) / kRows;
  for (int64_t tile = 0, row = 0; tile < tiles; ++tile) {
    const int64_t rows = (call.rows - row) / (tiles - tile);
    tile_of<V, kRows, kVectors>(rows)(
        call, call.a + row * call.row_stride, at(call.residual, row * call.out_stride),
        at(call.out, row * call.out_stride), at(call.plain, row * call.plain_stride));
    row += rows;
  }
}

template <typename V>
void product_of(const ProductOf<BFloat16>& call) {
  switch (call.vectors) {
    case 1:
      return product_panel<V, 1>(call);
    case 2:
      return product_panel<V, 2>(call);
    default:
      return product_panel<V, 3>(call);
  }
}

void product(const ProductOf<BFloat16>& call) {
  if (call.half) {
    product_of<HalfVector>(call);
  } else {
    product_of<WideVector>(call);
  }
}

}  // namespace
}  // namespace ghostnet::cpu
