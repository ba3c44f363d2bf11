/**
 * Products of pixels and packed weights, with bias, ReLU and residual applied to the tile in registers.
 * Included only by kernels.cpp.
 */
#pragma once

#include "ops/cpu/kernels.h"
#include "ops/cpu/vector.h"

namespace ghostnet::cpu {
namespace {

// Rows of a tile of `vectors`: as many as leave registers for the weights and for the value that is
// broadcast.
constexpr int tile_rows(int vectors) {
  if (Vector::kRegisters == 16) return vectors == 1 ? 12 : vectors == 2 ? 6 : 4;
  return vectors == 1 ? 14 : vectors == 2 ? 12 : 8;
}

template <typename V, int kRows, int kVectors>
void product_tile(const Product& call, const float* a, const float* residual, float* out, float* plain) {
  constexpr int kLanes = V::kLanes;
  V sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    const V bias = V::load(call.bias + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][v] = bias;
  }
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
      const float* row = residual + r * call.out_stride;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors - 1; ++v) sum[r][v] = sum[r][v] + V::load(row + v * kLanes);
      row += (kVectors - 1) * kLanes;
      const V added = last == kLanes ? V::load(row) : V::load(row, last);
      sum[r][kVectors - 1] = sum[r][kVectors - 1] + added;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    float* row = out + r * call.out_stride;
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

using Tile = void (*)(const Product& call, const float* a, const float* residual, float* out, float* plain);

// The tile of so many rows, at most kRows.
template <typename V, int kRows, int kVectors>
Tile tile_of(int64_t rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_of<V, kRows - 1, kVectors>(rows);
  }
  return product_tile<V, kRows, kVectors>;
}

// As few tiles as can be, and all of about as many rows: a tile of a single row would take almost as long as
// a whole one.
template <typename V, int kVectors>
void product_panel(const Product& call) {
  constexpr int kRows = tile_rows(kVectors);
  const auto at = [](auto* base, int64_t offset) { return base == nullptr ? nullptr : base + offset; };
  const int64_t tiles = (call.rows + kRows - 1) / kRows;
  const int64_t rows = tiles == 0 ? 0 : call.rows / tiles;
  const int64_t larger = call.rows - tiles * rows;  // tiles that have one row more
  int64_t row = 0;
  const auto run = [&](int64_t count, int64_t height) {
    if (count == 0) return;
    const Tile tile = tile_of<V, kRows, kVectors>(height);
    for (; count > 0; --count, row += height) {
      tile(call, call.a + row * call.row_stride, at(call.residual, row * call.out_stride),
           at(call.out, row * call.out_stride), at(call.plain, row * call.plain_stride));
    }
  };
  run(larger, rows + 1);
  run(tiles - larger, rows);
}

void product(const Product& call) {
  if (call.half) {
    return call.vectors == 1 ? product_panel<HalfVector, 1>(call) : product_panel<HalfVector, 3>(call);
  }
  switch (call.vectors) {
    case 1:
      return product_panel<Vector, 1>(call);
    case 2:
      return product_panel<Vector, 2>(call);
    default:
      return product_panel<Vector, 3>(call);
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
