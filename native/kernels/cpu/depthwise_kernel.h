/**
 * Depthwise convolution of one output row. Included only by kernels.cpp and bfloat16_kernels.cpp, after the
 * vectors of each.
 *
 * A block is a few neighbouring output pixels of one vector of channels. Each input column is loaded once for
 * all outputs that depend on it, so that multiply-adds and not loads limit the speed.
 */
#pragma once

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

// Finishes the sums of neighbouring pixels, one vector of channels each; the last vector may be partial.
template <typename V, int kPixels>
GHOSTNET_INLINE void finish_pixels(V (&sum)[kPixels], bool rectify, const Factors<Value>& factors,
                                   const Value* residual, Value* out, int64_t stride, int64_t channels) {
  if (rectify) {
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i] = relu(sum[i]);
  }
  if (factors.pixels != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) {
      const Value* const factor = factors.pixels[i] + factors.first;
      sum[i] = sum[i] * (channels >= V::kLanes ? V::load(factor) : V::load(factor, channels));
    }
  }
  if (channels >= V::kLanes) {
    if (residual != nullptr) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) sum[i] = sum[i] + V::load(residual + i * stride);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i].store(out + i * stride);
  } else {
    if (residual != nullptr) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) sum[i] = sum[i] + V::load(residual + i * stride, channels);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i].store(out + i * stride, channels);
  }
}

// Whether the remaining channels begin with a whole vector, not with the last half vector.
constexpr bool is_whole(int64_t channels) {
  return channels > HalfVector::kLanes || channels == Vector::kLanes;
}

// Input columns that this number of neighbouring output pixels read.
template <int kWidth, int kStride, int kPixels>
constexpr int columns_of() {
  return (kPixels - 1) * kStride + kWidth;
}

// Neighbouring output pixels, for one vector of channels from channel c.
// kInside: all columns of the block are inside the plane; else only from..to.
template <typename V, int kHeight, int kWidth, int kStride, int kPixels, bool kInside>
GHOSTNET_INLINE void depthwise_vector(const Value* const (&rows)[kHeight], int64_t pixel, int64_t from,
                                      int64_t to, const float* weights, bool rectify,
                                      const Factors<Value>& factors, const Value* residual, Value* out,
                                      int64_t out_stride, int64_t channels, int64_t c) {
  constexpr int kPadding = kWidth / 2;
  constexpr int kColumns = columns_of<kWidth, kStride, kPixels>();
  const float* taps = weights + c * (1 + kHeight * kWidth);
  V sum[kPixels];
  const V bias = V::load(taps);
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i) sum[i] = bias;
  taps += Vector::kLanes;
#pragma GCC unroll 8
  for (int ky = 0; ky < kHeight; ++ky, taps += kWidth * Vector::kLanes) {
    if (rows[ky] == nullptr) continue;
    const Value* row = rows[ky] + c;
    V w[kWidth];
#pragma GCC unroll 16
    for (int kx = 0; kx < kWidth; ++kx) w[kx] = V::load(taps + kx * Vector::kLanes);
#pragma GCC unroll 32
    for (int j = 0; j < kColumns; ++j) {
      // Only the outermost columns of a block can be outside.
      if (!kInside && j < kPadding && j < from) continue;
      if (!kInside && j >= kColumns - kPadding && j >= to) continue;
      const V v = in_register(V::load(row + j * pixel));
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) {
        const int kx = j - i * kStride;
        if (kx >= 0 && kx < kWidth) sum[i] = fma(v, w[kx], sum[i]);
      }
    }
  }
  finish_pixels(sum, rectify, {factors.pixels, factors.first + c},
                residual == nullptr ? nullptr : residual + c, out + c, out_stride, channels - c);
}

template <int kHeight, int kWidth, int kStride, int kPixels, bool kInside>
void depthwise_block(const DepthwiseRowOf<Value>& call, int64_t x) {
  const int64_t first = x * kStride - kWidth / 2;
  const int64_t from = -first;
  const int64_t to = call.width - first;
  // Copies, because the compiler must assume that a store of a vector changes the call.
  const int64_t pixel = call.pixel_stride;
  const int64_t channels = call.channels;
  const int64_t out_stride = call.out_stride;
  const bool rectify = call.relu;
  const float* const weights = call.weights;
  const Factors<Value> factors = {call.factors.pixels == nullptr ? nullptr : call.factors.pixels + x,
                                  call.factors.first};
  const Value* const residual = call.residual == nullptr ? nullptr : call.residual + x * out_stride;
  Value* const out = call.out + x * out_stride;
  const Value* rows[kHeight];
#pragma GCC unroll 8
  for (int ky = 0; ky < kHeight; ++ky) {
    rows[ky] = call.rows[ky] == nullptr ? nullptr : call.rows[ky] + first * pixel;
  }
  int64_t c = 0;
  for (; is_whole(channels - c); c += Vector::kLanes) {
    depthwise_vector<DepthwiseVector, kHeight, kWidth, kStride, kPixels, kInside>(
        rows, pixel, from, to, weights, rectify, factors, residual, out, out_stride, channels, c);
  }
  if (c < channels) {
    depthwise_vector<HalfVector, kHeight, kWidth, kStride, kPixels, kInside>(
        rows, pixel, from, to, weights, rectify, factors, residual, out, out_stride, channels, c);
  }
}

template <int kHeight, int kWidth, int kStride, int kPixels>
void depthwise_block(const DepthwiseRowOf<Value>& call, int64_t x) {
  const int64_t first = x * kStride - kWidth / 2;
  if (first >= 0 && first + columns_of<kWidth, kStride, kPixels>() <= call.width) {
    depthwise_block<kHeight, kWidth, kStride, kPixels, true>(call, x);
  } else {
    depthwise_block<kHeight, kWidth, kStride, kPixels, false>(call, x);
  }
}

template <int kHeight, int kWidth, int kStride>
void depthwise_blocks(const DepthwiseRowOf<Value>& call) {
  int64_t x = 0;
  // 7 divides the width of every plane of a 224-pixel input.
  for (; x + 7 <= call.out_width; x += 7) depthwise_block<kHeight, kWidth, kStride, 7>(call, x);
  if (call.out_width - x >= 4) {
    depthwise_block<kHeight, kWidth, kStride, 4>(call, x);
    x += 4;
  }
  for (; x < call.out_width; ++x) depthwise_block<kHeight, kWidth, kStride, 1>(call, x);
}

// Any kernel and any stride: one output pixel, for one vector of channels from channel c.
template <typename V>
void depthwise_any(const DepthwiseRowOf<Value>& call, int64_t x, int64_t c) {
  const KernelSize kernel = call.kernel;
  const int64_t first = x * call.stride - kernel.width / 2;
  const int64_t from = first < 0 ? -first : 0;
  const int64_t to = first + kernel.width > call.width ? call.width - first : kernel.width;
  const float* const weights = call.weights + c * (1 + kernel.taps());
  V sum[1] = {V::load(weights)};
  for (int64_t ky = 0; ky < kernel.height; ++ky) {
    if (call.rows[ky] == nullptr) continue;
    const float* taps = weights + (1 + ky * kernel.width) * Vector::kLanes;
    for (int64_t kx = from; kx < to; ++kx) {
      const V v = V::load(call.rows[ky] + (first + kx) * call.pixel_stride + c);
      sum[0] = fma(v, V::load(taps + kx * Vector::kLanes), sum[0]);
    }
  }
  const int64_t offset = x * call.out_stride + c;
  finish_pixels(sum, call.relu,
                {call.factors.pixels == nullptr ? nullptr : call.factors.pixels + x, call.factors.first + c},
                call.residual == nullptr ? nullptr : call.residual + offset, call.out + offset,
                call.out_stride, call.channels - c);
}

void depthwise_any(const DepthwiseRowOf<Value>& call) {
  for (int64_t x = 0; x < call.out_width; ++x) {
    int64_t c = 0;
    for (; is_whole(call.channels - c); c += Vector::kLanes) depthwise_any<DepthwiseVector>(call, x, c);
    if (c < call.channels) depthwise_any<HalfVector>(call, x, c);
  }
}

void depthwise_row(const DepthwiseRowOf<Value>& call) {
  const auto is = [&](int64_t height, int64_t width, int64_t stride) {
    return call.kernel.height == height && call.kernel.width == width && call.stride == stride;
  };
  if (is(3, 3, 1)) return depthwise_blocks<3, 3, 1>(call);
  if (is(3, 3, 2)) return depthwise_blocks<3, 3, 2>(call);
  if (is(5, 5, 1)) return depthwise_blocks<5, 5, 1>(call);
  if (is(5, 5, 2)) return depthwise_blocks<5, 5, 2>(call);
  if (is(1, 5, 1)) return depthwise_blocks<1, 5, 1>(call);
  if (is(5, 1, 1)) return depthwise_blocks<5, 1, 1>(call);
  return depthwise_any(call);
}

}  // namespace
}  // namespace ghostnet::cpu
