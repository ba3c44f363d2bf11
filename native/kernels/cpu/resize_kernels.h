/**
 * The kernels that resize images. Included only by kernels.cpp, after the vectors of bytes.
 */
#pragma once

#include "kernels/cpu/resize.h"

namespace ghostnet::cpu {
namespace {

// Several vectors of rows at a time, which share the weights.
template <int kVectors>
void resize_rows_along(const ResizeAlong& call, const uint8_t* const* rows, uint8_t* const* out) {
  constexpr int kTapsTogether = 2 * Words::kPairs;
  const int16_t* weights = call.weights;
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
    int64_t offset = call.offsets[pixel];
    Sums high[kVectors], low[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) high[v] = low[v] = Sums::zero();
    for (int64_t group = 0; group < call.groups; ++group, weights += 2 * kTapsAlong) {
#pragma GCC unroll 2
      for (int tap = 0; tap < kTapsAlong; tap += kTapsTogether, offset += 3 * kTapsTogether) {
        const Words high_weights = Words::spread(weights + tap);
        const Words low_weights = Words::spread(weights + kTapsAlong + tap);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          const Words pixels = Words::pixels(rows + v * Words::kRows, offset);
          high[v] = high[v] + products(pixels, high_weights);
          low[v] = low[v] + products(pixels, low_weights);
        }
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      store_pixels(scaled(high[v], low[v]), out + v * Words::kRows, pixel * call.out_stride);
    }
  }
}

void resize_along(const ResizeAlong& call) {
  constexpr int kVectors = 4;
  constexpr int64_t kRowsTogether = kVectors * Words::kRows;
  int64_t row = 0;
  for (; row + kRowsTogether <= call.count; row += kRowsTogether) {
    resize_rows_along<kVectors>(call, call.rows + row, call.out + row);
  }
  for (; row + Words::kRows <= call.count; row += Words::kRows) {
    resize_rows_along<1>(call, call.rows + row, call.out + row);
  }
  if (row == call.count) return;
  // A vector of rows is filled up with the last row, which is then written more than once.
  const uint8_t* rows[Words::kRows];
  uint8_t* out[Words::kRows];
  for (int64_t index = 0; index < Words::kRows; ++index) {
    const int64_t taken = row + index < call.count ? row + index : call.count - 1;
    rows[index] = call.rows[taken];
    out[index] = call.out[taken];
  }
  resize_rows_along<1>(call, rows, out);
}

void resize_across(const ResizeAcross& call) {
  constexpr int64_t kBytes = 4 * Sums::kLanes;
  static_assert(kReadableTogether % kBytes == 0);
  for (int64_t byte = 0; byte < call.bytes; byte += kBytes) {
    Sums high[4], low[4];
#pragma GCC unroll 4
    for (int quarter = 0; quarter < 4; ++quarter) high[quarter] = low[quarter] = Sums::zero();
    const uint8_t* const* rows = call.rows;
    const int16_t* weights = call.weights;
    for (int64_t group = 0; group < call.groups; ++group, rows += kTapsAcross, weights += 2 * kTapsAcross) {
      Words pairs[4];
      interleave(rows[0] + byte, rows[1] + byte, pairs);
      const Words high_weights = Words::broadcast(weights);
      const Words low_weights = Words::broadcast(weights + kTapsAcross);
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; ++quarter) {
        high[quarter] = high[quarter] + products(pairs[quarter], high_weights);
        low[quarter] = low[quarter] + products(pairs[quarter], low_weights);
      }
    }
#pragma GCC unroll 4
    for (int quarter = 0; quarter < 4; ++quarter) high[quarter] = scaled(high[quarter], low[quarter]);
    const int64_t left = call.bytes - byte;
    if (left >= kBytes) {
      store_bytes(high, call.out + byte);
    } else {
      store_bytes(high, call.out + byte, left);
    }
  }
}

}  // namespace
}  // namespace ghostnet::cpu
