/**
 * The sums of a product of bfloat16, two depths at a time, and the scaling of its panels. Included only by
 * bfloat16_kernels.cpp, after the vectors.
 */
#pragma once

#include "kernels/cpu/product_tile.h"

namespace ghostnet::cpu {
namespace {

inline int pair_at(const BFloat16* a) {
  int pair;
  __builtin_memcpy(&pair, a, sizeof pair);
  return pair;
}

template <typename V, int kRows, int kVectors>
GHOSTNET_INLINE void add_products(const ValueProduct& call, const Value* a, V (&sum)[kRows][kVectors]) {
  constexpr int kLanes = V::kLanes;
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
    // The values after the last belong to another pixel and may be NaN, and NaN times 0 is NaN.
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const int pair = static_cast<int>(a[r * stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v].add_pairs(weights + v * 2 * kLanes, pair);
    }
    weights += call.panel_stride;
  }
}

void scale_panel(const BFloat16* x, const float* gate, int64_t depth, int64_t width, BFloat16* out) {
  constexpr int kLanes = DepthwiseVector::kLanes;
  // The values of the two depths alternate.
  for (int64_t k = 0; k < depth; k += 2) {
    const auto factor = DepthwiseVector::alternate(gate[k], k + 1 < depth ? gate[k + 1] : 0);
    for (int64_t j = 0; j < 2 * width; j += kLanes, x += kLanes, out += kLanes) {
      (DepthwiseVector::load(x) * factor).store(out);
    }
  }
}

}  // namespace
}  // namespace ghostnet::cpu
