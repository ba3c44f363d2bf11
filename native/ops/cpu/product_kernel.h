/**
 * Products of float32. Included only by kernels.cpp.
 */
#pragma once

#include "ops/cpu/kernels.h"
#include "ops/cpu/vector.h"

namespace ghostnet::cpu {
namespace {

using ProductVector = Vector;

}  // namespace
}  // namespace ghostnet::cpu

#include "ops/cpu/product_tile.h"

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

// Several panels at a time, so that there are enough sums to hide the latency of each.
template <int kPanels>
void row_panels(const RowProduct& call, int64_t panel) {
  constexpr int kLanes = Vector::kLanes;
  constexpr int kWidth = kRowPanel * kLanes;
  const float* weights = call.weights + panel * call.depth * kWidth;
  const float* bias = call.bias + panel * kWidth;
  Vector sum[kPanels][kRowPanel];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kRowPanel; ++v) sum[p][v] = Vector::load(bias + p * kWidth + v * kLanes);
  }
  for (int64_t k = 0; k < call.depth; ++k, weights += kWidth) {
    const Vector x = Vector::broadcast(call.a[k]);
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < kRowPanel; ++v) {
        sum[p][v] = fma(x, Vector::load(weights + p * call.depth * kWidth + v * kLanes), sum[p][v]);
      }
    }
  }
  float* out = call.out + panel * kWidth;
  int64_t left = call.columns - panel * kWidth;
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kRowPanel; ++v, out += kLanes, left -= kLanes) {
      const Vector y = call.relu ? relu(sum[p][v]) : sum[p][v];
      if (left >= kLanes) {
        y.store(out);
      } else if (left > 0) {
        y.store(out, left);
      }
    }
  }
}

void row_product(const RowProduct& call) {
  int64_t panel = 0;
  for (; panel + 4 <= call.panels; panel += 4) row_panels<4>(call, panel);
  for (; panel < call.panels; ++panel) row_panels<1>(call, panel);
}

}  // namespace
}  // namespace ghostnet::cpu
