/**
 * What the file of an instruction set must provide, in the anonymous namespace so that no function compiled
 * for one capability can be taken for that of another:
 *
 *     Value            what activations are stored in
 *     Vector           lanes of float32, in the order of the values in memory
 *     HalfVector       half as many lanes, which waste less on a few channels; Vector where there is none
 *     DepthwiseVector  Vector; for bfloat16, as many lanes in the order that depthwise weights are packed in
 *
 * Each file asserts that its vectors satisfy Float32Vectors or BFloat16Vectors. The number of lanes is a
 * constant: a file for scalable vectors is for one width.
 *
 * Loads and stores need no alignment. With a count, 0 < count < kLanes, they are of the first lanes alone and
 * touch no memory behind; the other lanes of a load are zero.
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
  v = fma(v, v, v);    // the first times the second plus the third
  v = relu(v);         // 0 for what is negative; NaN and -0 stay
  v = in_register(v);  // v, loaded once even where the compiler would rather read memory for each use
};

/** Goes over pixels, and is the widest that a product sums in. */
template <typename V, typename Value>
concept PixelVector = SumVector<V, Value> && requires(V v, const float* x, float* out, const uint8_t* bytes,
                                                      int64_t count, Value value) {
  V::kRegisters;          // that the instruction set has
  value = V::stored(*x);  // as a store rounds it
  v = V::zero();
  v = V::load(x, count);
  v = V::load(bytes);
  v.store(out);
  v.store(out, count);
  v = v * v;
};

template <typename Vector, typename HalfVector>
concept Float32Vectors = PixelVector<Vector, float> && SumVector<HalfVector, float> &&
                         requires(Vector v, HalfVector half, float x) {
                           v = Vector::broadcast(x);
                           half = HalfVector::broadcast(x);
                           v = min(v, v);  // the second where either is NaN
                         };

template <typename Vector, typename HalfVector, typename DepthwiseVector>
concept BFloat16Vectors =
    PixelVector<Vector, BFloat16> && SumVector<HalfVector, BFloat16> &&
    SumVector<DepthwiseVector, BFloat16> &&
    requires(Vector v, HalfVector half, DepthwiseVector split, const BFloat16* weights, int pair, float x) {
      // Adds the products of a pair of values and of the pair of weights of each lane.
      v = v.add_pairs(weights, pair);
      half = half.add_pairs(weights, pair);
      // Times the first for every other value, and times the second for those between.
      split = split * DepthwiseVector::alternate(x, x);
    };

}  // namespace
}  // namespace ghostnet::cpu
