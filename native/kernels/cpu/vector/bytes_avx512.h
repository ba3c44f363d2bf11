/** Vectors of bytes for AVX-512: two rows, two pairs of pixels. The quarters of a vector of pixels are the
 * first pair of each row, then the second pair of each row. */
#pragma once

#include <immintrin.h>

#include "kernels/cpu/vector/bytes_contract.h"

namespace ghostnet::cpu {
namespace {

struct Words {
  static constexpr int kRows = 2;
  static constexpr int kPairs = 2;
  __m512i value;

  static Words broadcast(const int16_t* weights) { return {_mm512_set1_epi32(pair(weights))}; }
  static Words spread(const int16_t* weights) {
    const __m512i first = _mm512_set1_epi32(pair(weights));
    return {_mm512_mask_set1_epi32(first, 0xff00, pair(weights + 2))};
  }
  static Words pixels(const uint8_t* const* rows, int64_t offset) {
    const __m512i pairs = _mm512_inserti64x4(
        _mm512_castsi256_si512(_mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                                0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1)),
        _mm256_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1,  //
                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1),
        1);
    const __m512i first = _mm512_broadcast_i32x4(bytes(rows[0] + offset));
    const __m512i both = _mm512_mask_broadcast_i32x4(first, 0xf0f0, bytes(rows[1] + offset));
    return {_mm512_shuffle_epi8(both, pairs)};
  }

 private:
  static int32_t pair(const int16_t* weights) {
    int32_t pair;
    __builtin_memcpy(&pair, weights, sizeof pair);
    return pair;
  }
  static __m128i bytes(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
};

struct Sums {
  static constexpr int kLanes = 16;
  __m512i value;

  static Sums zero() { return {_mm512_setzero_si512()}; }
  /** The sums divided, rounded to the nearest. */
  __m512i rounded() const {
    const __m512i half = _mm512_set1_epi32(1 << (kWeightBits - 1));
    return _mm512_srai_epi32(_mm512_add_epi32(value, half), kWeightBits);
  }
};

inline Sums operator+(Sums a, Sums b) { return {_mm512_add_epi32(a.value, b.value)}; }
inline Sums products(Words a, Words b) { return {_mm512_madd_epi16(a.value, b.value)}; }
inline Sums scaled(Sums high, Sums low) { return Sums{_mm512_slli_epi32(high.value, kWeightBaseBits)} + low; }

inline void interleave(const uint8_t* a, const uint8_t* b, Words (&quarters)[4]) {
  const __m512i first = _mm512_loadu_si512(a);
  const __m512i second = _mm512_loadu_si512(b);
  const __m512i low = _mm512_unpacklo_epi8(first, second);
  const __m512i high = _mm512_unpackhi_epi8(first, second);
  const __m512i zero = _mm512_setzero_si512();
  quarters[0] = {_mm512_unpacklo_epi8(low, zero)};
  quarters[1] = {_mm512_unpackhi_epi8(low, zero)};
  quarters[2] = {_mm512_unpacklo_epi8(high, zero)};
  quarters[3] = {_mm512_unpackhi_epi8(high, zero)};
}

inline void store_pixels(Sums sums, uint8_t* const* rows, int64_t offset) {
  const __m256i pairs[] = {_mm512_castsi512_si256(sums.value), _mm512_extracti64x4_epi64(sums.value, 1)};
  const Sums added = {_mm512_castsi256_si512(_mm256_add_epi32(pairs[0], pairs[1]))};
  const __m256i words = _mm256_packs_epi32(_mm512_castsi512_si256(added.rounded()), __m256i{});
  const __m256i bytes = _mm256_packus_epi16(words, words);
  const int pixels[] = {_mm_cvtsi128_si32(_mm256_castsi256_si128(bytes)),
                        _mm_cvtsi128_si32(_mm256_extracti128_si256(bytes, 1))};
  for (int row = 0; row < Words::kRows; ++row) {
    uint8_t* out = rows[row] + offset;
    __builtin_memcpy(out, &pixels[row], 2);
    out[2] = static_cast<uint8_t>(pixels[row] >> 16);
  }
}

inline __m512i bytes_of(const Sums (&sums)[4]) {
  const __m512i low = _mm512_packs_epi32(sums[0].rounded(), sums[1].rounded());
  const __m512i high = _mm512_packs_epi32(sums[2].rounded(), sums[3].rounded());
  return _mm512_packus_epi16(low, high);
}
inline void store_bytes(const Sums (&sums)[4], uint8_t* out) { _mm512_storeu_si512(out, bytes_of(sums)); }
inline void store_bytes(const Sums (&sums)[4], uint8_t* out, int64_t count) {
  _mm512_mask_storeu_epi8(out, (uint64_t{1} << count) - 1, bytes_of(sums));
}

static_assert(ByteVectors<Words, Sums>);

}  // namespace
}  // namespace ghostnet::cpu
