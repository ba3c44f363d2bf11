/** TF32: float32 with the 10 fraction bits that tensor cores multiply. */
#pragma once

#include <bit>
#include <cstdint>

namespace ghostnet::cuda_on_cpu {

/** The bits that are read; NaN and infinities do not change. */
constexpr uint32_t kTensorFloatBits = 0xffffe000u;

/** A float32 as a tensor core reads it, without the lower bits. */
inline float tensor_float_of(uint32_t bits) { return std::bit_cast<float>(bits & kTensorFloatBits); }

/** cvt.rna.tf32.f32: to nearest, ties away from zero; NaN stays NaN. */
inline uint32_t nearest_tensor_float(uint32_t bits) {
  constexpr uint32_t kInfinity = 0x7f800000u, kHalf = 0x1000u, kQuiet = 0x00400000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > kInfinity) return bits | kQuiet;
  return (bits + kHalf) & kTensorFloatBits;
}

}  // namespace ghostnet::cuda_on_cpu
