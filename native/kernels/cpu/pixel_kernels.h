/**
 * Kernels that visit each pixel once: sums, scaling, means, the sigmoid, the conversion of an input. Included
 * only by kernels.cpp and bfloat16_kernels.cpp, after the vectors of each.
 */
#pragma once

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/vector/exponential.h"

namespace ghostnet::cpu {
namespace {

template <int kVectors>
void sum_channels(const Value* x, int64_t pixels, int64_t pixel_stride, bool add, float* out) {
  constexpr int kLanes = Vector::kLanes;
  Vector sum[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v] = add ? Vector::load(out + v * kLanes) : Vector::zero();
  for (int64_t p = 0; p < pixels; ++p, x += pixel_stride) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[v] = sum[v] + Vector::load(x + v * kLanes);
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v].store(out + v * kLanes);
}

void sum_pixels(const Value* x, int64_t pixels, int64_t pixel_stride, int64_t channels, bool add,
                float* out) {
  constexpr int kLanes = Vector::kLanes;
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes)
    sum_channels<4>(x + c, pixels, pixel_stride, add, out + c);
  for (; c + kLanes <= channels; c += kLanes) sum_channels<1>(x + c, pixels, pixel_stride, add, out + c);
  const int64_t left = channels - c;
  if (left == 0) return;
  Vector sum = add ? Vector::load(out + c, left) : Vector::zero();
  for (int64_t p = 0; p < pixels; ++p) sum = sum + Vector::load(x + p * pixel_stride + c, left);
  sum.store(out + c, left);
}

void scale_pixels(const Value* x, const float* gate, int64_t pixels, int64_t channels, Value* out) {
  constexpr int kLanes = Vector::kLanes;
  for (int64_t p = 0; p < pixels; ++p, x += channels, out += channels) {
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) (Vector::load(x + c) * Vector::load(gate + c)).store(out + c);
    if (c == channels) continue;
    const int64_t left = channels - c;
    (Vector::load(x + c, left) * Vector::load(gate + c, left)).store(out + c, left);
  }
}

void halve_row(const Value* a, const Value* b, int64_t pixels, int64_t channels, Value* out) {
  constexpr int kLanes = Vector::kLanes;
  const Vector quarter = Vector::broadcast(0.25f);
  for (int64_t p = 0; p < pixels; ++p, a += 2 * channels, b += 2 * channels, out += channels) {
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) {
      const Vector sum = Vector::load(a + c) + Vector::load(a + channels + c) + Vector::load(b + c) +
                         Vector::load(b + channels + c);
      (sum * quarter).store(out + c);
    }
    const int64_t left = channels - c;
    if (left == 0) continue;
    const Vector sum = Vector::load(a + c, left) + Vector::load(a + channels + c, left) +
                       Vector::load(b + c, left) + Vector::load(b + channels + c, left);
    (sum * quarter).store(out + c, left);
  }
}

void sigmoid(Value* x, int64_t count) {
  constexpr int kLanes = Vector::kLanes;
  const Vector one = Vector::broadcast(1);
  const Vector minus = Vector::broadcast(-1);
  const auto gate = [&](Vector v) { return one / (one + exponential(v * minus)); };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) gate(Vector::load(x + i)).store(x + i);
  if (i < count) gate(Vector::load(x + i, count - i)).store(x + i, count - i);
}

void normalise_row(const uint8_t* x, int64_t pixels, const float scale[3], const float shift[3], Value* out) {
  // Three vectors hold a whole number of pixels; lane i is channel i % 3.
  constexpr int kLanes = Vector::kLanes;
  float scales[3 * kLanes], shifts[3 * kLanes];
  for (int i = 0; i < 3 * kLanes; ++i) {
    scales[i] = scale[i % 3];
    shifts[i] = shift[i % 3];
  }
  Vector factor[3], offset[3];
#pragma GCC unroll 3
  for (int v = 0; v < 3; ++v) {
    factor[v] = Vector::load(scales + v * kLanes);
    offset[v] = Vector::load(shifts + v * kLanes);
  }
  const int64_t values = 3 * pixels;
  int64_t i = 0;
  for (; i + 3 * kLanes <= values; i += 3 * kLanes) {
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v) {
      fma(Vector::load(x + i + v * kLanes), factor[v], offset[v]).store(out + i + v * kLanes);
    }
  }
  if (i == values) return;
  uint8_t rest[3 * kLanes] = {};
  for (int64_t j = i; j < values; ++j) rest[j - i] = x[j];
#pragma GCC unroll 3
  for (int v = 0; v < 3; ++v) {
    const Vector y = fma(Vector::load(rest + v * kLanes), factor[v], offset[v]);
    const int64_t left = values - i - v * kLanes;
    if (left >= kLanes) {
      y.store(out + i + v * kLanes);
    } else if (left > 0) {
      y.store(out + i + v * kLanes, left);
    }
  }
}

void interleave_row(const float* red, const float* green, const float* blue, int64_t pixels, Value* out) {
  for (int64_t p = 0; p < pixels; ++p) {
    out[3 * p] = Vector::stored(red[p]);
    out[3 * p + 1] = Vector::stored(green[p]);
    out[3 * p + 2] = Vector::stored(blue[p]);
  }
}

}  // namespace
}  // namespace ghostnet::cpu
