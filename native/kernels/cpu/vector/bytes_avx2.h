/** Vectors of bytes for AVX2: one row, two pairs of pixels. */
#pragma once

#include <immintrin.h>

#include "kernels/cpu/vector/bytes_contract.h"

namespace ghostnet::cpu {
namespace {

struct Words {
  static constexpr int kRows = 1;
  static constexpr int kPairs = 2;
  __m256i value;

  static Words broadcast(const int16_t* weights) {
    int32_t pair;
    __builtin_memcpy(&pair, weights, sizeof pair);
    return {_mm256_set1_epi32(pair)};
  }
  static Words spread(const int16_t* weights) {
    int64_t pairs;
    __builtin_memcpy(&pairs, weights, sizeof pairs);
    const __m256i first_then_second = _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,  //
                                                       4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    return {_mm256_shuffle_epi8(_mm256_set1_epi64x(pairs), first_then_second)};
  }
  static Words pixels(const uint8_t* const* rows, int64_t offset) {
    const __m256i pairs = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                           6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[0] + offset));
    return {_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), pairs)};
  }
};

struct Sums {
  static constexpr int kLanes = 8;
  __m256i value;

  static Sums zero() { return {_mm256_setzero_si256()}; }
  /** The sums divided, rounded to the nearest. */
  __m256i rounded() const {
    const __m256i half = _mm256_set1_epi32(1 << (kWeightBits - 1));
    return _mm256_srai_epi32(_mm256_add_epi32(value, half), kWeightBits);
  }
};

inline Sums operator+(Sums a, Sums b) { return {_mm256_add_epi32(a.value, b.value)}; }
inline Sums products(Words a, Words b) { return {_mm256_madd_epi16(a.value, b.value)}; }
inline Sums scaled(Sums high, Sums low) { return Sums{_mm256_slli_epi32(high.value, kWeightBaseBits)} + low; }

inline void interleave(const uint8_t* a, const uint8_t* b, Words (&quarters)[4]) {
  const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  const __m256i low = _mm256_unpacklo_epi8(first, second);
  const __m256i high = _mm256_unpackhi_epi8(first, second);
  const __m256i zero = _mm256_setzero_si256();
  quarters[0] = {_mm256_unpacklo_epi8(low, zero)};
  quarters[1] = {_mm256_unpackhi_epi8(low, zero)};
  quarters[2] = {_mm256_unpacklo_epi8(high, zero)};
  quarters[3] = {_mm256_unpackhi_epi8(high, zero)};
}

inline void store_pixels(Sums sums, uint8_t* const* rows, int64_t offset) {
  const __m128i pairs[] = {_mm256_castsi256_si128(sums.value), _mm256_extracti128_si256(sums.value, 1)};
  const Sums added = {_mm256_castsi128_si256(_mm_add_epi32(pairs[0], pairs[1]))};
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(added.rounded()), __m128i{});
  const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  uint8_t* out = rows[0] + offset;
  __builtin_memcpy(out, &pixel, 2);
  out[2] = static_cast<uint8_t>(pixel >> 16);
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out) {
  const __m256i low = _mm256_packs_epi32(sums[0].rounded(), sums[1].rounded());
  const __m256i high = _mm256_packs_epi32(sums[2].rounded(), sums[3].rounded());
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_packus_epi16(low, high));
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out, int64_t count) {
  uint8_t bytes[4 * Sums::kLanes];
  store_bytes(sums, bytes);
  for (int64_t index = 0; index < count; ++index) out[index] = bytes[index];
}

static_assert(ByteVectors<Words, Sums>);

}  // namespace
}  // namespace ghostnet::cpu
