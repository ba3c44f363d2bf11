/**
 * How the kernels on a type of activations want weights: what a precision adds to packing.
 */
#pragma once

#include "base/half.h"
#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {

template <typename Value>
struct Layout;

template <>
struct Layout<float> {
  /** Depths of a product whose weights lie next to each other in a panel. */
  static constexpr int64_t kTogether = 1;
  static float stored(float weight) { return weight; }
  /** Where a lane of a whole vector of taps lies. */
  static int64_t tap_lane(int64_t lane, int64_t) { return lane; }
};

template <>
struct Layout<BFloat16> {
  static constexpr int64_t kTogether = 2;
  static BFloat16 stored(float weight) { return BFloat16{bfloat16_of(weight)}; }
  /** Even lanes before odd ones: the kernels take the two out of a register with a shift and a mask. */
  static int64_t tap_lane(int64_t lane, int64_t lanes) { return lane % 2 * lanes / 2 + lane / 2; }
};

}  // namespace ghostnet::cpu
