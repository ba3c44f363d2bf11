/**
 * The exponential function on a vector. Included only by the kernels, after the vectors.
 */
#pragma once

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

/**
 * exp(x), with an error of at most two units in the last place. Where the result would overflow or be
 * subnormal, it is that of the nearest bound, exp(87) or exp(-87). NaN stays.
 *
 * exp(x) = 2^n * exp(r) with a whole n and |r| <= ln(2) / 2; a polynomial computes exp(r). Source: Cephes,
 * expf, after Cody and Waite.
 */
GHOSTNET_INLINE Vector exponential(Vector x) {
  const auto constant = [](float value) { return Vector::broadcast(value); };
  x = max(constant(-87), min(constant(87), x));
  const Vector n = round(x * constant(1.44269504f));
  // ln(2) in two parts, so that n times the first is exact.
  const Vector r = fma(n, constant(2.12194440e-4f), fma(n, constant(-0.693359375f), x));
  Vector p = constant(1.9875691500e-4f);
  p = fma(p, r, constant(1.3981999507e-3f));
  p = fma(p, r, constant(8.3334519073e-3f));
  p = fma(p, r, constant(4.1665795894e-2f));
  p = fma(p, r, constant(1.6666665459e-1f));
  p = fma(p, r, constant(5.0000001201e-1f));
  p = fma(p, r * r, r + constant(1));
  return p * power_of_two(n);
}

}  // namespace
}  // namespace ghostnet::cpu
