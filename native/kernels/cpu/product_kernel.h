/**
 * The sums of a product of float32, and the scaling of its panels. Included only by kernels.cpp, after the
 * vectors.
 */
#pragma once

#include "kernels/cpu/product_tile.h"

namespace ghostnet::cpu {
namespace {

template <typename V, int kRows, int kVectors>
GHOSTNET_INLINE void add_products(const ValueProduct& call, const Value* a, V (&sum)[kRows][kVectors]) {
  constexpr int kLanes = V::kLanes;
  const float* weights = call.panel;
  const int64_t stride = call.row_stride;
  for (int64_t segment = 0; segment < call.segments; ++segment, a += call.segment_stride) {
    for (int64_t k = 0; k < call.depth; ++k, weights += call.panel_stride) {
      V w[kVectors];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) w[v] = V::load(weights + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V x = V::broadcast(a[r * stride + k]);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(x, w[v], sum[r][v]);
      }
    }
  }
}

void scale_panel(const float* x, const float* gate, int64_t depth, int64_t width, float* out) {
  constexpr int kLanes = Vector::kLanes;
  for (int64_t k = 0; k < depth; ++k, x += width, out += width) {
    const Vector factor = Vector::broadcast(gate[k]);
    int64_t j = 0;
    for (; j + kLanes <= width; j += kLanes) (Vector::load(x + j) * factor).store(out + j);
    if (j < width) (Vector::load(x + j, width - j) * factor).store(out + j, width - j);
  }
}

}  // namespace
}  // namespace ghostnet::cpu
