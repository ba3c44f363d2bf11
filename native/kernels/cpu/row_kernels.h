/**
 * Kernels on a row of float32 values, that is on a 1x1 plane: products and gates. Included only by
 * kernels.cpp, after the vectors.
 */
#pragma once

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

// Several panels at a time, so that enough sums hide the latency of each.
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

template <typename Gate>
GHOSTNET_INLINE void for_each_vector(float* x, int64_t count, const Gate& gate) {
  constexpr int kLanes = Vector::kLanes;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) gate(Vector::load(x + i)).store(x + i);
  if (i < count) gate(Vector::load(x + i, count - i)).store(x + i, count - i);
}

void hard_sigmoid(float* x, int64_t count) {
  for_each_vector(x, count, [](Vector v) {
    return min(Vector::broadcast(6), relu(v + Vector::broadcast(3))) * Vector::broadcast(1.f / 6);
  });
}

void clamp(float* x, int64_t count) {
  for_each_vector(x, count, [](Vector v) { return min(Vector::broadcast(1), relu(v)); });
}

}  // namespace
}  // namespace ghostnet::cpu
