/**
 * The types that the file of an instruction set must provide, in the anonymous namespace, so that the linker
 * cannot substitute a function compiled for another capability:
 *
 *     Value            the type in which activations are stored
 *     Vector           lanes of float32, in the order of the values in memory
 *     HalfVector       half as many lanes, which waste less on few channels; Vector if there is none
 *     DepthwiseVector  Vector; for bfloat16, the same number of lanes in the order of packed depthwise
 * weights
 *
 * Each file asserts that its vectors satisfy Float32Vectors or BFloat16Vectors. The number of lanes is a
 * constant, so a file for scalable vectors supports a single width.
 *
 * Loads and stores need no alignment. With a count, 0 < count < kLanes, they access only the first lanes and
 * no memory after them; the other lanes of a load are zero.
 */
#pragma once

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

/** Sums the taps of a depthwise convolution or the depth of a product. */
template <typename V, typename Value>
concept SumVector = requires(V v, const float* weights, const Value* x, Value* out, int64_t count) {
  V::kLanes;
  v = V::load(weights);
  v = V::load(x);
  v = V::load(x, count);
  v.store(out);
  v.store(out, count);
  v = v + v;
  v = v * v;
  v = fma(v, v, v);    // the first times the second plus the third
  v = relu(v);         // 0 for negative values; NaN and -0 stay
  v = in_register(v);  // v, loaded once even if the compiler would read memory for each use
};

/** The vector of the pixel kernels, and the widest in which a product sums. */
template <typename V, typename Value>
concept PixelVector = SumVector<V, Value> && requires(V v, const float* x, float* out, const uint8_t* bytes,
                                                      int64_t count, Value value) {
  V::kRegisters;  // of the instruction set
  v = V::broadcast(*x);
  value = V::stored(*x);  // rounded as by a store
  v = V::zero();
  v = V::load(x, count);
  v = V::load(bytes);
  v.store(out);
  v.store(out, count);
  v = v / v;
  v = min(v, v);        // the second if either is NaN
  v = max(v, v);        // the second if either is NaN
  v = round(v);         // to the nearest whole number
  v = power_of_two(v);  // of a whole number from -126 to 127
};

template <typename Vector, typename HalfVector>
concept Float32Vectors = PixelVector<Vector, float> && SumVector<HalfVector, float> &&
                         requires(Vector v, HalfVector half, float x) {
                           v = Vector::broadcast(x);
                           half = HalfVector::broadcast(x);
                         };

template <typename Vector, typename HalfVector, typename DepthwiseVector>
concept BFloat16Vectors =
    PixelVector<Vector, BFloat16> && SumVector<HalfVector, BFloat16> &&
    SumVector<DepthwiseVector, BFloat16> &&
    requires(Vector v, HalfVector half, DepthwiseVector split, const BFloat16* weights, int pair, float x) {
      // Adds the products of a pair of values and the pair of weights in each lane.
      v = v.add_pairs(weights, pair);
      half = half.add_pairs(weights, pair);
      // Multiplies even values by the first factor and odd values by the second.
      split = split * DepthwiseVector::alternate(x, x);
    };

}  // namespace
}  // namespace ghostnet::cpu
