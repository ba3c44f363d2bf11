/** The numbers of each precision, read back: what the kernels themselves do not need. */
#pragma once

#include <bit>
#include <cstdint>

#include "base/half.h"
#include "precisions.h"  // generated from lib/model/precision.ts

namespace ghostnet {

inline float float_of_bfloat16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

inline float float_of_half(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = bits >> 10 & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal
  return sign != 0 ? -magnitude : magnitude;
}

namespace cuda {

/** The precision whose numbers memory holds. */
constexpr Precision memory_of(Precision dtype) {
  switch (dtype) {
    case Precision::tf32:
      return Precision::float32;
    case Precision::float32:
    case Precision::float16:
    case Precision::bfloat16:
      break;
  }
  return dtype;
}

}  // namespace cuda

}  // namespace ghostnet
