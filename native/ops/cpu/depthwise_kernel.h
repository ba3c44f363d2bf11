/**
 * Depthwise convolution of one output row. Included only by kernels.cpp.
 *
 * A block is a few neighbouring output pixels of one vector of channels: each input column is loaded once and
 * goes into every output that it touches, so that the work is bound by the multiply-adds and not by the
 * loads.
 */
#pragma once

#include "ops/cpu/kernels.h"
#include "ops/cpu/vector.h"

namespace ghostnet::cpu {
namespace {

// What is done with the sums of neighbouring pixels, a vector of channels of each: the last vector may be a
// part.
template <int kPixels>
void finish_pixels(Vector (&sum)[kPixels], bool rectify, const float* residual, float* out, int64_t stride,
                   int64_t channels) {
  if (rectify) {
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i] = relu(sum[i]);
  }
  if (channels >= Vector::kLanes) {
    if (residual != nullptr) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) sum[i] = sum[i] + Vector::load(residual + i * stride);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i].store(out + i * stride);
  } else {
    if (residual != nullptr) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) sum[i] = sum[i] + Vector::load(residual + i * stride, channels);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i].store(out + i * stride, channels);
  }
}

template <int kKernel, int kStride, int kPixels>
void depthwise_block(const DepthwiseRow& call, int64_t x) {
  constexpr int kLanes = Vector::kLanes;
  constexpr int kPadding = kKernel / 2;
  constexpr int kColumns = (kPixels - 1) * kStride + kKernel;
  const int64_t first = x * kStride - kPadding;
  const int64_t from = first < 0 ? -first : 0;  // columns from..to are inside of the plane
  const int64_t to = first + kColumns > call.width ? call.width - first : kColumns;
  // Copies: the compiler must take it that a store of a vector changes the call.
  const int64_t pixel = call.pixel_stride;
  const int64_t channels = call.channels;
  const int64_t out_stride = call.out_stride;
  const bool rectify = call.relu;
  const float* const residual = call.residual == nullptr ? nullptr : call.residual + x * out_stride;
  float* const out = call.out + x * out_stride;
  const float* weights = call.weights;
  for (int64_t c = 0; c < channels; c += kLanes, weights += (1 + kKernel * kKernel) * kLanes) {
    Vector sum[kPixels];
    const Vector bias = Vector::load(weights);
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) sum[i] = bias;
    const float* taps = weights + kLanes;
    for (int ky = 0; ky < kKernel; ++ky, taps += kKernel * kLanes) {
      if (call.rows[ky] == nullptr) continue;
      const float* row = call.rows[ky] + first * pixel + c;
      Vector w[kKernel];
#pragma GCC unroll 16
      for (int kx = 0; kx < kKernel; ++kx) w[kx] = Vector::load(taps + kx * kLanes);
#pragma GCC unroll 32
      for (int j = 0; j < kColumns; ++j) {
        // Only the outermost columns of a block can lie outside.
        if (j < kPadding && j < from) continue;
        if (j >= kColumns - kPadding && j >= to) continue;
        const Vector v = Vector::load(row + j * pixel);
#pragma GCC unroll 16
        for (int i = 0; i < kPixels; ++i) {
          const int kx = j - i * kStride;
          if (kx >= 0 && kx < kKernel) sum[i] = fma(v, w[kx], sum[i]);
        }
      }
    }
    finish_pixels(sum, rectify, residual == nullptr ? nullptr : residual + c, out + c, out_stride,
                  channels - c);
  }
}

template <int kKernel, int kStride>
void depthwise_blocks(const DepthwiseRow& call) {
  int64_t x = 0;
  // 7 divides the width of every plane of a 224-pixel input.
  for (; x + 7 <= call.out_width; x += 7) depthwise_block<kKernel, kStride, 7>(call, x);
  if (call.out_width - x >= 4) {
    depthwise_block<kKernel, kStride, 4>(call, x);
    x += 4;
  }
  for (; x < call.out_width; ++x) depthwise_block<kKernel, kStride, 1>(call, x);
}

// Any kernel and any stride, one pixel at a time.
void depthwise_any(const DepthwiseRow& call) {
  constexpr int kLanes = Vector::kLanes;
  const int64_t kernel = call.kernel;
  for (int64_t x = 0; x < call.out_width; ++x) {
    const int64_t first = x * call.stride - kernel / 2;
    const int64_t from = first < 0 ? -first : 0;
    const int64_t to = first + kernel > call.width ? call.width - first : kernel;
    const float* weights = call.weights;
    for (int64_t c = 0; c < call.channels; c += kLanes, weights += (1 + kernel * kernel) * kLanes) {
      Vector sum[1] = {Vector::load(weights)};
      for (int64_t ky = 0; ky < kernel; ++ky) {
        if (call.rows[ky] == nullptr) continue;
        const float* taps = weights + (1 + ky * kernel) * kLanes;
        for (int64_t kx = from; kx < to; ++kx) {
          const Vector v = Vector::load(call.rows[ky] + (first + kx) * call.pixel_stride + c);
          sum[0] = fma(v, Vector::load(taps + kx * kLanes), sum[0]);
        }
      }
      const int64_t offset = x * call.out_stride + c;
      finish_pixels(sum, call.relu, call.residual == nullptr ? nullptr : call.residual + offset,
                    call.out + offset, call.out_stride, call.channels - c);
    }
  }
}

void depthwise_row(const DepthwiseRow& call) {
  if (call.kernel == 3 && call.stride == 1) return depthwise_blocks<3, 1>(call);
  if (call.kernel == 3 && call.stride == 2) return depthwise_blocks<3, 2>(call);
  if (call.kernel == 5 && call.stride == 1) return depthwise_blocks<5, 1>(call);
  if (call.kernel == 5 && call.stride == 2) return depthwise_blocks<5, 2>(call);
  return depthwise_any(call);
}

}  // namespace
}  // namespace ghostnet::cpu
