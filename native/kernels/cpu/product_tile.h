/**
 * Products of pixels and packed weights, tile by tile, with bias, ReLU, factors and residual applied in
 * registers. Included only by product_kernel.h and bfloat16_product_kernel.h, which sum a tile.
 */
#pragma once

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

using ValueProduct = ProductOf<Value>;

// Rows of a tile of `vectors`: as many as possible with registers left for the weights and the broadcast
// values.
constexpr int tile_rows(int vectors) {
  if (Vector::kRegisters == 16) return vectors == 1 ? 12 : vectors == 2 ? 6 : 4;
  return vectors == 1 ? 14 : vectors == 2 ? 12 : 8;
}

/** Adds the products of kRows rows of `a` and the panel to the sums. */
template <typename V, int kRows, int kVectors>
GHOSTNET_INLINE void add_products(const ValueProduct& call, const Value* a, V (&sum)[kRows][kVectors]);

template <typename V, int kRows, int kVectors>
void product_tile(const ValueProduct& call, const Value* a, const Value* const* factors,
                  const Value* residual, Value* out, Value* plain) {
  constexpr int kLanes = V::kLanes;
  V sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    const V bias = V::load(call.bias + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][v] = bias;
  }
  add_products(call, a, sum);
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
  const auto load_last = [&](const Value* x) { return last == kLanes ? V::load(x) : V::load(x, last); };
  if (factors != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Value* row = factors[r] + call.factors.first;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors - 1; ++v) sum[r][v] = sum[r][v] * V::load(row + v * kLanes);
      sum[r][kVectors - 1] = sum[r][kVectors - 1] * load_last(row + (kVectors - 1) * kLanes);
    }
  }
  if (residual != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Value* row = residual + r * call.out_stride;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors - 1; ++v) sum[r][v] = sum[r][v] + V::load(row + v * kLanes);
      sum[r][kVectors - 1] = sum[r][kVectors - 1] + load_last(row + (kVectors - 1) * kLanes);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    Value* row = out + r * call.out_stride;
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

using Tile = void (*)(const ValueProduct& call, const Value* a, const Value* const* factors,
                      const Value* residual, Value* out, Value* plain);

// The tile of this number of rows, at most kRows.
template <typename V, int kRows, int kVectors>
Tile tile_of(int64_t rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_of<V, kRows - 1, kVectors>(rows);
  }
  return product_tile<V, kRows, kVectors>;
}

// As few tiles as possible, of about equally many rows: a tile of a single row would take almost as long as a
// full tile.
template <typename V, int kVectors>
void product_panel(const ValueProduct& call) {
  constexpr int kRows = tile_rows(kVectors);
  const auto at = [](auto* base, int64_t offset) { return base == nullptr ? nullptr : base + offset; };
  const int64_t tiles = (call.rows + kRows - 1) / kRows;
  const int64_t rows = tiles == 0 ? 0 : call.rows / tiles;
  const int64_t larger = call.rows - tiles * rows;  // tiles with one more row
  int64_t row = 0;
  const auto run = [&](int64_t count, int64_t height) {
    if (count == 0) return;
    const Tile tile = tile_of<V, kRows, kVectors>(height);
    for (; count > 0; --count, row += height) {
      tile(call, call.a + row * call.row_stride, at(call.factors.pixels, row),
           at(call.residual, row * call.out_stride), at(call.out, row * call.out_stride),
           at(call.plain, row * call.plain_stride));
    }
  };
  run(larger, rows + 1);
  run(tiles - larger, rows);
}

void product(const ValueProduct& call) {
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

}  // namespace
}  // namespace ghostnet::cpu
