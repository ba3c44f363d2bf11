/** Vectors of bfloat16, converted to float32 for arithmetic, for AVX-512 with AVX512_BF16. */
#pragma once

#include <immintrin.h>

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

using Value = BFloat16;

struct Vector {
  static constexpr int kLanes = 16;
  static constexpr int kRegisters = 32;
  __m512 value;

  static BFloat16 stored(float x) {
    return BFloat16(_mm_cvtsi128_si32(reinterpret_cast<__m128i>(_mm_cvtneps_pbh(_mm_set_ss(x)))));
  }
  static Vector zero() { return {_mm512_setzero_ps()}; }
  static Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vector load(const float* p, int64_t count) { return {_mm512_maskz_loadu_ps(mask(count), p)}; }
  static Vector load(const BFloat16* p) {
    return from(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector load(const BFloat16* p, int64_t count) {
    return from(_mm256_maskz_loadu_epi16(mask(count), p));
  }
  static Vector load(const uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  void store(float* p) const { _mm512_storeu_ps(p, value); }
  void store(float* p, int64_t count) const { _mm512_mask_storeu_ps(p, mask(count), value); }
  void store(BFloat16* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded()); }
  void store(BFloat16* p, int64_t count) const { _mm256_mask_storeu_epi16(p, mask(count), rounded()); }
  Vector add_pairs(const BFloat16* weights, int pair) const {
    const auto w = reinterpret_cast<__m512bh>(_mm512_loadu_si512(weights));
    return {_mm512_dpbf16_ps(value, w, reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)))};
  }

 private:
  static __mmask16 mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
  static Vector from(__m256i values) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16))};
  }
  __m256i rounded() const { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)); }
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

struct HalfVector {
  static constexpr int kLanes = 8;
  __m256 value;

  static HalfVector load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static HalfVector load(const BFloat16* p) {
    return from(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static HalfVector load(const BFloat16* p, int64_t count) {
    return from(_mm_maskz_loadu_epi16(mask(count), p));
  }
  void store(BFloat16* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), rounded()); }
  void store(BFloat16* p, int64_t count) const { _mm_mask_storeu_epi16(p, mask(count), rounded()); }
  HalfVector add_pairs(const BFloat16* weights, int pair) const {
    const auto w = reinterpret_cast<__m256bh>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights)));
    return {_mm256_dpbf16_ps(value, w, reinterpret_cast<__m256bh>(_mm256_set1_epi32(pair)))};
  }

 private:
  static __mmask8 mask(int64_t count) { return static_cast<__mmask8>((1u << count) - 1); }
  static HalfVector from(__m128i values) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(values), 16))};
  }
  __m128i rounded() const { return reinterpret_cast<__m128i>(_mm256_cvtneps_pbh(value)); }
};

inline HalfVector operator+(HalfVector a, HalfVector b) { return {_mm256_add_ps(a.value, b.value)}; }
inline HalfVector operator*(HalfVector a, HalfVector b) { return {_mm256_mul_ps(a.value, b.value)}; }
inline HalfVector fma(HalfVector a, HalfVector b, HalfVector c) {
  return {_mm256_fmadd_ps(a.value, b.value, c.value)};
}
inline HalfVector relu(HalfVector x) { return {_mm256_max_ps(_mm256_setzero_ps(), x.value)}; }

/**
 * The even lanes, then the odd lanes: a shift and a mask extract them from a register of bfloat16. In memory
 * order, the values would have to be spread over two registers.
 */
struct SplitVector {
  static constexpr int kLanes = 2 * HalfVector::kLanes;
  HalfVector even, odd;

  static SplitVector alternate(float a, float b) { return {{_mm256_set1_ps(a)}, {_mm256_set1_ps(b)}}; }
  /** In register order, even lanes first. */
  static SplitVector load(const float* p) { return {HalfVector::load(p), HalfVector::load(p + kLanes / 2)}; }
  static SplitVector load(const BFloat16* p) {
    return from(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static SplitVector load(const BFloat16* p, int64_t count) {
    return from(_mm256_maskz_loadu_epi16(mask(count), p));
  }
  void store(BFloat16* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded()); }
  void store(BFloat16* p, int64_t count) const { _mm256_mask_storeu_epi16(p, mask(count), rounded()); }

 private:
  static __mmask16 mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
  static SplitVector from(__m256i values) {
    const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xffff0000));
    return {{_mm256_castsi256_ps(_mm256_slli_epi32(values, 16))},
            {_mm256_castsi256_ps(_mm256_and_si256(values, upper))}};
  }
  __m256i rounded() const {
    const __m256i order = _mm256_setr_epi16(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    const __m256bh values = _mm256_cvtne2ps_pbh(odd.value, even.value);
    return _mm256_permutexvar_epi16(order, reinterpret_cast<__m256i>(values));
  }
};

inline SplitVector operator+(SplitVector a, SplitVector b) { return {a.even + b.even, a.odd + b.odd}; }
inline SplitVector operator*(SplitVector a, SplitVector b) { return {a.even * b.even, a.odd * b.odd}; }
inline SplitVector fma(SplitVector a, SplitVector b, SplitVector c) {
  return {fma(a.even, b.even, c.even), fma(a.odd, b.odd, c.odd)};
}
inline SplitVector relu(SplitVector x) { return {relu(x.even), relu(x.odd)}; }

// Loads already place the values in a register.
template <typename V>
inline V in_register(V x) {
  return x;
}

using DepthwiseVector = SplitVector;

static_assert(BFloat16Vectors<Vector, HalfVector, DepthwiseVector>);

}  // namespace
}  // namespace ghostnet::cpu
