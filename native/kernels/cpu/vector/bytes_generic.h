/** Vectors of bytes in the compiler's vector type, correct everywhere, with SSE2's multiplication of pairs on
 * x86-64: one row, one pair of pixels. */
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "kernels/cpu/vector/bytes_contract.h"

namespace ghostnet::cpu {
namespace {

typedef uint32_t Unsigned32x4 __attribute__((vector_size(16)));
typedef int32_t Signed32x4 __attribute__((vector_size(16)));

/** The first value of a pair is the lower half of a lane. */
struct Words {
  static constexpr int kRows = 1;
  static constexpr int kPairs = 1;
  Unsigned32x4 value;

  static Words broadcast(const int16_t* weights) {
    const uint32_t pair = static_cast<uint16_t>(weights[0]) | uint32_t{static_cast<uint16_t>(weights[1])}
                                                                  << 16;
    return {Unsigned32x4{pair, pair, pair, pair}};
  }
  static Words spread(const int16_t* weights) { return broadcast(weights); }
  static Words pixels(const uint8_t* const* rows, int64_t offset) {
    const uint8_t* p = rows[0] + offset;
#if defined(__SSE2__)
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    const __m128i second = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 3));
    const __m128i pairs = _mm_unpacklo_epi8(_mm_unpacklo_epi8(first, second), __m128i{});
    return {reinterpret_cast<Unsigned32x4>(pairs)};
#else
    return {Unsigned32x4{p[0], p[1], p[2], 0} | Unsigned32x4{p[3], p[4], p[5], 0} << 16};
#endif
  }
};

struct Sums {
  static constexpr int kLanes = 4;
  Unsigned32x4 value;  // unsigned, because that may wrap around

  static Sums zero() { return {Unsigned32x4{}}; }
  /** The sums divided, rounded to the nearest, and saturated to a byte. */
  Unsigned32x4 bytes() const {
    const auto rounded = reinterpret_cast<Signed32x4>(value + (1u << (kWeightBits - 1))) >> kWeightBits;
    const Signed32x4 positive = rounded & ~(rounded >> 31);
    const Signed32x4 too_large = (255 - positive) >> 31;
    return reinterpret_cast<Unsigned32x4>((positive | too_large) & 255);
  }
};

inline Sums operator+(Sums a, Sums b) { return {a.value + b.value}; }
inline Sums products(Words a, Words b) {
#if defined(__SSE2__)
  const __m128i sums = _mm_madd_epi16(reinterpret_cast<__m128i>(a.value), reinterpret_cast<__m128i>(b.value));
  return {reinterpret_cast<Unsigned32x4>(sums)};
#else
  const auto first = [](Words x) { return reinterpret_cast<Signed32x4>(x.value << 16) >> 16; };
  const auto second = [](Words x) { return reinterpret_cast<Signed32x4>(x.value) >> 16; };
  return {reinterpret_cast<Unsigned32x4>(first(a) * first(b) + second(a) * second(b))};
#endif
}
inline Sums scaled(Sums high, Sums low) { return {(high.value << kWeightBaseBits) + low.value}; }

// A quarter has every fourth byte, so that shifts and masks are enough.
inline void interleave(const uint8_t* a, const uint8_t* b, Words (&quarters)[4]) {
  Unsigned32x4 first, second;
  __builtin_memcpy(&first, a, sizeof first);
  __builtin_memcpy(&second, b, sizeof second);
  quarters[0] = {(first & 255) | (second & 255) << 16};
  quarters[1] = {(first >> 8 & 255) | (second << 8 & 0xff0000)};
  quarters[2] = {(first >> 16 & 255) | (second & 0xff0000)};
  quarters[3] = {first >> 24 | (second >> 8 & 0xff0000)};
}

inline void store_pixels(Sums sums, uint8_t* const* rows, int64_t offset) {
  const Unsigned32x4 bytes = sums.bytes();
  for (int channel = 0; channel < 3; ++channel) {
    rows[0][offset + channel] = static_cast<uint8_t>(bytes[channel]);
  }
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out) {
  const Unsigned32x4 bytes =
      sums[0].bytes() | sums[1].bytes() << 8 | sums[2].bytes() << 16 | sums[3].bytes() << 24;
  __builtin_memcpy(out, &bytes, sizeof bytes);
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out, int64_t count) {
  uint8_t bytes[4 * Sums::kLanes];
  store_bytes(sums, bytes);
  for (int64_t index = 0; index < count; ++index) out[index] = bytes[index];
}

static_assert(ByteVectors<Words, Sums>);

}  // namespace
}  // namespace ghostnet::cpu
