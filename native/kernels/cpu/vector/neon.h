/** Vectors of float32 for NEON, which every AArch64 processor has. */
#pragma once

#include <arm_neon.h>

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

using Value = float;

struct Vector {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 32;
  float32x4_t value;

  static float stored(float x) { return x; }
  static Vector zero() { return {vdupq_n_f32(0)}; }
  static Vector broadcast(float x) { return {vdupq_n_f32(x)}; }
  static Vector load(const float* p) { return {vld1q_f32(p)}; }
  static Vector load(const float* p, int64_t count) {
    const float32x2_t none = vdup_n_f32(0);
    if (count == 1) return {vcombine_f32(vld1_lane_f32(p, none, 0), none)};
    return {vcombine_f32(vld1_f32(p), count == 2 ? none : vld1_lane_f32(p + 2, none, 0))};
  }
  static Vector load(const uint8_t* p) {
    uint32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    const uint16x8_t words = vmovl_u8(vcreate_u8(bytes));
    return {vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)))};
  }
  void store(float* p) const { vst1q_f32(p, value); }
  void store(float* p, int64_t count) const {
    if (count == 1) return vst1q_lane_f32(p, value, 0);
    vst1_f32(p, vget_low_f32(value));
    if (count == 3) vst1q_lane_f32(p + 2, value, 2);
  }
};

inline Vector operator+(Vector a, Vector b) { return {vaddq_f32(a.value, b.value)}; }
inline Vector operator*(Vector a, Vector b) { return {vmulq_f32(a.value, b.value)}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {vfmaq_f32(c.value, a.value, b.value)}; }
// NEON's own minimum and maximum order -0 before 0, and return the NaN of either operand.
inline Vector relu(Vector x) {
  const uint32x4_t bits = vreinterpretq_u32_f32(x.value);
  return {vreinterpretq_f32_u32(vbicq_u32(bits, vcltzq_f32(x.value)))};
}
inline Vector min(Vector bound, Vector x) {
  return {vbslq_f32(vcltq_f32(bound.value, x.value), bound.value, x.value)};
}
inline Vector max(Vector bound, Vector x) {
  return {vbslq_f32(vcgtq_f32(bound.value, x.value), bound.value, x.value)};
}
inline Vector operator/(Vector a, Vector b) { return {vdivq_f32(a.value, b.value)}; }
inline Vector round(Vector x) { return {vrndnq_f32(x.value)}; }
inline Vector power_of_two(Vector n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.value), vdupq_n_s32(127));
  return {vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23))};
}

template <typename V>
inline V in_register(V x) {
  asm("" : "+w"(x.value));
  return x;
}

using HalfVector = Vector;
using DepthwiseVector = Vector;

static_assert(Float32Vectors<Vector, HalfVector>);

}  // namespace
}  // namespace ghostnet::cpu
