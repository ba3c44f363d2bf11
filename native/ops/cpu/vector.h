/**
 * One float vector type in the widest form that the instruction set of this translation unit has, and one of
 * half of it where that wastes less on a few channels. Included only by kernels.cpp, which is compiled once
 * per capability: everything here has internal linkage, so that no function compiled for one capability can
 * be taken for that of another.
 */
#pragma once

#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace ghostnet::cpu {
namespace {

#if defined(__AVX512F__)

struct Vector {
  static constexpr int kLanes = 16;
  static constexpr int kRegisters = 32;
  __m512 value;

  static Vector zero() { return {_mm512_setzero_ps()}; }
  static Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vector load(const float* p, int64_t count) { return {_mm512_maskz_loadu_ps(mask(count), p)}; }
  static Vector load(const uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  void store(float* p) const { _mm512_storeu_ps(p, value); }
  void store(float* p, int64_t count) const { _mm512_mask_storeu_ps(p, mask(count), value); }

  static __mmask16 mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
};

struct HalfVector {
  static constexpr int kLanes = 8;
  static constexpr int kRegisters = 32;
  __m256 value;

  static HalfVector zero() { return {_mm256_setzero_ps()}; }
  static HalfVector broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static HalfVector load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static HalfVector load(const float* p, int64_t count) { return {_mm256_maskz_loadu_ps(mask(count), p)}; }
  void store(float* p) const { _mm256_storeu_ps(p, value); }
  void store(float* p, int64_t count) const { _mm256_mask_storeu_ps(p, mask(count), value); }

  static __mmask8 mask(int64_t count) { return static_cast<__mmask8>((1u << count) - 1); }
};

inline Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.value, b.value)}; }
inline Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.value, b.value)}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.value, b.value, c.value)}; }
// The second operand comes back when either is NaN: it is the value, so that NaN stays visible.
inline Vector max(Vector bound, Vector x) { return {_mm512_max_ps(bound.value, x.value)}; }
inline Vector min(Vector bound, Vector x) { return {_mm512_min_ps(bound.value, x.value)}; }

inline HalfVector operator+(HalfVector a, HalfVector b) { return {_mm256_add_ps(a.value, b.value)}; }
inline HalfVector fma(HalfVector a, HalfVector b, HalfVector c) {
  return {_mm256_fmadd_ps(a.value, b.value, c.value)};
}
inline HalfVector max(HalfVector bound, HalfVector x) { return {_mm256_max_ps(bound.value, x.value)}; }

#elif defined(__AVX2__)

struct Vector {
  static constexpr int kLanes = 8;
  static constexpr int kRegisters = 16;
  __m256 value;

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
  // By halves: masked stores are microcoded on some processors.
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
// The second operand comes back when either is NaN: it is the value, so that NaN stays visible.
inline Vector max(Vector bound, Vector x) { return {_mm256_max_ps(bound.value, x.value)}; }
inline Vector min(Vector bound, Vector x) { return {_mm256_min_ps(bound.value, x.value)}; }

#else

// Four lanes in the compiler's own vector type: SSE2 on x86-64, NEON on ARM, and right anywhere.
struct Vector {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 16;
  typedef float Native __attribute__((vector_size(16)));
  Native value;

  static Vector zero() { return {Native{}}; }
  static Vector broadcast(float x) { return {Native{x, x, x, x}}; }
  static Vector load(const float* p) {
    Vector loaded;
    __builtin_memcpy(&loaded.value, p, sizeof loaded.value);
    return loaded;
  }
  static Vector load(const float* p, int64_t count) {
    Vector loaded = zero();
    for (int64_t lane = 0; lane < count; ++lane) loaded.value[lane] = p[lane];
    return loaded;
  }
  static Vector load(const uint8_t* p) {
    return {Native{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]),
                   static_cast<float>(p[3])}};
  }
  void store(float* p) const { __builtin_memcpy(p, &value, sizeof value); }
  void store(float* p, int64_t count) const {
    for (int64_t lane = 0; lane < count; ++lane) p[lane] = value[lane];
  }
};

inline Vector operator+(Vector a, Vector b) { return {a.value + b.value}; }
inline Vector operator*(Vector a, Vector b) { return {a.value * b.value}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {a.value * b.value + c.value}; }
// The second operand comes back when either is NaN: it is the value, so that NaN stays visible.
inline Vector max(Vector bound, Vector x) { return {bound.value > x.value ? bound.value : x.value}; }
inline Vector min(Vector bound, Vector x) { return {bound.value < x.value ? bound.value : x.value}; }

#endif

/** What activations are stored in. */
using Value = float;

#if !defined(__AVX512F__)
using HalfVector = Vector;  // there is none
#endif

/** The value, loaded once: the compiler would read memory again for each use, and loads are scarcer than
 * registers. */
template <typename V>
inline V in_register(V x) {
#if defined(__AVX512F__) || defined(__AVX2__)
  asm("" : "+v"(x.value));
#endif
  return x;
}

template <typename V>
inline V relu(V x) {
  return max(V::zero(), x);
}

}  // namespace
}  // namespace ghostnet::cpu
