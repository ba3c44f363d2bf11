/**
 * Kernels that go once over bfloat16 pixels or weights: sums, scaling, the conversion of an input. Included
 * only by bfloat16_kernels.cpp.
 */
#pragma once

#include "ops/cpu/bfloat16_vector.h"

namespace ghostnet::cpu {
namespace {

constexpr int kWide = WideVector::kLanes;

template <int kVectors>
void sum_channels(const BFloat16* x, int64_t pixels, int64_t pixel_stride, bool add, float* out) {
  WideVector sum[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v] = add ? WideVector::load(out + v * kWide) : WideVector::zero();
  for (int64_t p = 0; p < pixels; ++p, x += pixel_stride) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[v] = sum[v] + WideVector::load(x + v * kWide);
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v].store(out + v * kWide);
}

void sum_pixels(const BFloat16* x, int64_t pixels, int64_t pixel_stride, int64_t channels, bool add,
                float* out) {
  int64_t c = 0;
  for (; c + 4 * kWide <= channels; c += 4 * kWide)
    sum_channels<4>(x + c, pixels, pixel_stride, add, out + c);
  for (; c + kWide <= channels; c += kWide) sum_channels<1>(x + c, pixels, pixel_stride, add, out + c);
  const int64_t left = channels - c;
  if (left == 0) return;
  WideVector sum = add ? WideVector::load(out + c, left) : WideVector::zero();
  for (int64_t p = 0; p < pixels; ++p) sum = sum + WideVector::load(x + p * pixel_stride + c, left);
  sum.store(out + c, left);
}

void scale_panel(const BFloat16* x, const float* gate, int64_t depth, int64_t width, BFloat16* out) {
  // Eight columns at a time, whose values of both depths alternate as the lanes of a Vector do.
  for (int64_t k = 0; k < depth; k += 2) {
    const Vector factor = {_mm256_set1_ps(gate[k]), _mm256_set1_ps(k + 1 < depth ? gate[k + 1] : 0)};
    for (int64_t j = 0; j < 2 * width; j += Vector::kLanes, x += Vector::kLanes, out += Vector::kLanes) {
      (Vector::load(x) * factor).store(out);
    }
  }
}

void scale_pixels(const BFloat16* x, const float* gate, int64_t pixels, int64_t channels, BFloat16* out) {
  for (int64_t p = 0; p < pixels; ++p, x += channels, out += channels) {
    int64_t c = 0;
    for (; c + kWide <= channels; c += kWide) {
      (WideVector::load(x + c) * WideVector::load(gate + c)).store(out + c);
    }
    if (c == channels) continue;
    const int64_t left = channels - c;
    (WideVector::load(x + c, left) * WideVector::load(gate + c, left)).store(out + c, left);
  }
}

void normalise_row(const uint8_t* x, int64_t pixels, const float scale[3], const float shift[3],
                   BFloat16* out) {
  // Three vectors hold a whole number of pixels: lane i of them is channel i % 3.
  float scales[3 * kWide];
  float shifts[3 * kWide];
  for (int i = 0; i < 3 * kWide; ++i) {
    scales[i] = scale[i % 3];
    shifts[i] = shift[i % 3];
  }
  const int64_t values = 3 * pixels;
  for (int64_t i = 0; i < values; i += 3 * kWide) {
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v) {
      const int64_t left = values - i - v * kWide;
      if (left <= 0) return;
      const int64_t count = left < kWide ? left : kWide;
      fma(WideVector::load(x + i + v * kWide, count), WideVector::load(scales + v * kWide),
          WideVector::load(shifts + v * kWide))
          .store(out + i + v * kWide, count);
    }
  }
}

void interleave_row(const float* red, const float* green, const float* blue, int64_t pixels, BFloat16* out) {
  const float* const planes[3] = {red, green, blue};
  for (int64_t p = 0; p < pixels; p += kWide) {
    const int64_t count = pixels - p < kWide ? pixels - p : kWide;
    for (int channel = 0; channel < 3; ++channel) {
      BFloat16 values[kWide];
      WideVector::load(planes[channel] + p, count).store(values);
      for (int64_t i = 0; i < count; ++i) out[3 * (p + i) + channel] = values[i];
    }
  }
}

}  // namespace
}  // namespace ghostnet::cpu
