/**
 * The layout of weights that the kernels on a type of activations expect: the part of packing that depends on
 * the precision.
 */
#pragma once

#include "base/half.h"
#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {

template <typename Value>
struct Layout;

template <>
struct Layout<float> {
  /** Depths of a product whose weights are adjacent in a panel. */
  static constexpr int64_t kTogether = 1;
  static float stored(float weight) { return weight; }
  /** The position of a lane in a whole vector of taps. */
  static int64_t tap_lane(int64_t lane, int64_t) { return lane; }
};

template <>
struct Layout<BFloat16> {
  static constexpr int64_t kTogether = 2;
  static BFloat16 stored(float weight) { return BFloat16{bfloat16_of(weight)}; }
  /** Even lanes before odd lanes: the kernels extract both from a register with a shift and a mask. */
  static int64_t tap_lane(int64_t lane, int64_t lanes) { return lane % 2 * lanes / 2 + lane / 2; }
};

}  // namespace ghostnet::cpu
