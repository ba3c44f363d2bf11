/** Vectors of float32 for AVX-512 F, VL, BW and DQ. */
#pragma once

#include <immintrin.h>

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

using Value = float;

struct Vector {
  static constexpr int kLanes = 16;
  static constexpr int kRegisters = 32;
  __m512 value;

  static float stored(float x) { return x; }
  static Vector zero() { return {_mm512_setzero_ps()}; }
  static Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vector load(const float* p, int64_t count) { return {_mm512_maskz_loadu_ps(mask(count), p)}; }
  static Vector load(const uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  void store(float* p) const { _mm512_storeu_ps(p, value); }
  void store(float* p, int64_t count) const { _mm512_mask_storeu_ps(p, mask(count), value); }

 private:
  static __mmask16 mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
};

struct HalfVector {
  static constexpr int kLanes = 8;
  __m256 value;

  static HalfVector broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static HalfVector load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static HalfVector load(const float* p, int64_t count) { return {_mm256_maskz_loadu_ps(mask(count), p)}; }
  void store(float* p) const { _mm256_storeu_ps(p, value); }
  void store(float* p, int64_t count) const { _mm256_mask_storeu_ps(p, mask(count), value); }

 private:
  static __mmask8 mask(int64_t count) { return static_cast<__mmask8>((1u << count) - 1); }
};

inline Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.value, b.value)}; }
inline Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.value, b.value)}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.value, b.value, c.value)}; }
// A minimum or maximum returns its second operand if either is NaN.
inline Vector relu(Vector x) { return {_mm512_max_ps(_mm512_setzero_ps(), x.value)}; }
inline Vector min(Vector bound, Vector x) { return {_mm512_min_ps(bound.value, x.value)}; }
inline Vector max(Vector bound, Vector x) { return {_mm512_max_ps(bound.value, x.value)}; }
inline Vector operator/(Vector a, Vector b) { return {_mm512_div_ps(a.value, b.value)}; }
inline Vector round(Vector x) {
  return {_mm512_roundscale_ps(x.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline Vector power_of_two(Vector n) { return {_mm512_scalef_ps(_mm512_set1_ps(1), n.value)}; }

inline HalfVector operator+(HalfVector a, HalfVector b) { return {_mm256_add_ps(a.value, b.value)}; }
inline HalfVector operator*(HalfVector a, HalfVector b) { return {_mm256_mul_ps(a.value, b.value)}; }
inline HalfVector fma(HalfVector a, HalfVector b, HalfVector c) {
  return {_mm256_fmadd_ps(a.value, b.value, c.value)};
}
inline HalfVector relu(HalfVector x) { return {_mm256_max_ps(_mm256_setzero_ps(), x.value)}; }

template <typename V>
inline V in_register(V x) {
  asm("" : "+v"(x.value));
  return x;
}

using DepthwiseVector = Vector;

static_assert(Float32Vectors<Vector, HalfVector>);

}  // namespace
}  // namespace ghostnet::cpu
