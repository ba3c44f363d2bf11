/** Vectors of float32 for AVX2 and FMA. */
#pragma once

#include <immintrin.h>

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

using Value = float;

struct Vector {
  static constexpr int kLanes = 8;
  static constexpr int kRegisters = 16;
  __m256 value;

  static float stored(float x) { return x; }
  static Vector zero() { return {_mm256_setzero_ps()}; }
  static Vector broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static Vector load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vector load(const float* p, int64_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return {_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane))};
  }
  static Vector load(const uint8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
  }
  void store(float* p) const { _mm256_storeu_ps(p, value); }
  // In halves: masked stores are microcoded on some processors.
  void store(float* p, int64_t count) const {
    __m128 part = _mm256_castps256_ps128(value);
    if (count & 4) {
      _mm_storeu_ps(p, part);
      part = _mm256_extractf128_ps(value, 1);
      p += 4;
    }
    if (count & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      part = _mm_movehl_ps(part, part);
      p += 2;
    }
    if (count & 1) _mm_store_ss(p, part);
  }
};

inline Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.value, b.value)}; }
inline Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.value, b.value)}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {_mm256_fmadd_ps(a.value, b.value, c.value)}; }
// A minimum or maximum returns its second operand if either is NaN.
inline Vector relu(Vector x) { return {_mm256_max_ps(_mm256_setzero_ps(), x.value)}; }
inline Vector min(Vector bound, Vector x) { return {_mm256_min_ps(bound.value, x.value)}; }
inline Vector max(Vector bound, Vector x) { return {_mm256_max_ps(bound.value, x.value)}; }
inline Vector operator/(Vector a, Vector b) { return {_mm256_div_ps(a.value, b.value)}; }
inline Vector round(Vector x) {
  return {_mm256_round_ps(x.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline Vector power_of_two(Vector n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.value), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))};
}

template <typename V>
inline V in_register(V x) {
  asm("" : "+v"(x.value));
  return x;
}

using HalfVector = Vector;
using DepthwiseVector = Vector;

static_assert(Float32Vectors<Vector, HalfVector>);

}  // namespace
}  // namespace ghostnet::cpu
