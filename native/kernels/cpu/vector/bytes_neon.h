/** Vectors of bytes for NEON: one row, one pair of pixels. */
#pragma once

#include <arm_neon.h>

#include "kernels/cpu/vector/bytes_contract.h"

namespace ghostnet::cpu {
namespace {

/** NEON multiplies and adds whole vectors, not pairs of neighbours: so the first values are apart from the
 * second. */
struct Words {
  static constexpr int kRows = 1;
  static constexpr int kPairs = 1;
  int16x4_t first;
  int16x4_t second;

  static Words broadcast(const int16_t* weights) { return {vdup_n_s16(weights[0]), vdup_n_s16(weights[1])}; }
  static Words spread(const int16_t* weights) { return broadcast(weights); }
  static Words pixels(const uint8_t* const* rows, int64_t offset) {
    const uint8_t* p = rows[0] + offset;
    return {low_of(vmovl_u8(vld1_u8(p))), low_of(vmovl_u8(vld1_u8(p + 3)))};
  }
  static int16x4_t low_of(uint16x8_t words) { return vreinterpret_s16_u16(vget_low_u16(words)); }
  static int16x4_t high_of(uint16x8_t words) { return vreinterpret_s16_u16(vget_high_u16(words)); }
};

struct Sums {
  static constexpr int kLanes = 4;
  int32x4_t value;

  static Sums zero() { return {vdupq_n_s32(0)}; }
  /** The sums divided, rounded to the nearest, and saturated to 16 bits without a sign. */
  uint16x4_t rounded() const {
    const int32x4_t half = vdupq_n_s32(1 << (kWeightBits - 1));
    return vqmovun_s32(vshrq_n_s32(vaddq_s32(value, half), kWeightBits));
  }
};

inline Sums operator+(Sums a, Sums b) { return {vaddq_s32(a.value, b.value)}; }
inline Sums products(Words a, Words b) {
  return {vmlal_s16(vmull_s16(a.first, b.first), a.second, b.second)};
}
inline Sums scaled(Sums high, Sums low) {
  return {vaddq_s32(vshlq_n_s32(high.value, kWeightBaseBits), low.value)};
}

inline void interleave(const uint8_t* a, const uint8_t* b, Words (&quarters)[4]) {
  const uint8x16_t first = vld1q_u8(a), second = vld1q_u8(b);
  const uint16x8_t first_half[] = {vmovl_u8(vget_low_u8(first)), vmovl_high_u8(first)};
  const uint16x8_t second_half[] = {vmovl_u8(vget_low_u8(second)), vmovl_high_u8(second)};
  for (int half = 0; half < 2; ++half) {
    quarters[2 * half] = {Words::low_of(first_half[half]), Words::low_of(second_half[half])};
    quarters[2 * half + 1] = {Words::high_of(first_half[half]), Words::high_of(second_half[half])};
  }
}

inline void store_pixels(Sums sums, uint8_t* const* rows, int64_t offset) {
  const uint16x4_t words = sums.rounded();
  const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
  const uint32_t pixel = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
  uint8_t* out = rows[0] + offset;
  __builtin_memcpy(out, &pixel, 2);
  out[2] = static_cast<uint8_t>(pixel >> 16);
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out) {
  const uint16x8_t low = vcombine_u16(sums[0].rounded(), sums[1].rounded());
  const uint16x8_t high = vcombine_u16(sums[2].rounded(), sums[3].rounded());
  vst1q_u8(out, vcombine_u8(vqmovn_u16(low), vqmovn_u16(high)));
}

inline void store_bytes(const Sums (&sums)[4], uint8_t* out, int64_t count) {
  uint8_t bytes[4 * Sums::kLanes];
  store_bytes(sums, bytes);
  for (int64_t index = 0; index < count; ++index) out[index] = bytes[index];
}

static_assert(ByteVectors<Words, Sums>);

}  // namespace
}  // namespace ghostnet::cpu
