/** Four lanes of float32 in the compiler's vector type: SSE2 on x86-64, correct everywhere. */
#pragma once

#include "kernels/cpu/vector/contract.h"

namespace ghostnet::cpu {
namespace {

using Value = float;

struct Vector {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 16;
  typedef float Native __attribute__((vector_size(16)));
  Native value;

  static float stored(float x) { return x; }
  static Vector zero() { return {Native{}}; }
  static Vector broadcast(float x) { return {Native{x, x, x, x}}; }
  static Vector load(const float* p) {
    Vector loaded;
    __builtin_memcpy(&loaded.value, p, sizeof loaded.value);
    return loaded;
  }
  static Vector load(const float* p, int64_t count) {
    Vector loaded = zero();
    for (int64_t lane = 0; lane < count; ++lane) loaded.value[lane] = p[lane];
    return loaded;
  }
  static Vector load(const uint8_t* p) {
    return {Native{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]),
                   static_cast<float>(p[3])}};
  }
  void store(float* p) const { __builtin_memcpy(p, &value, sizeof value); }
  void store(float* p, int64_t count) const {
    for (int64_t lane = 0; lane < count; ++lane) p[lane] = value[lane];
  }
};

inline Vector operator+(Vector a, Vector b) { return {a.value + b.value}; }
inline Vector operator*(Vector a, Vector b) { return {a.value * b.value}; }
inline Vector fma(Vector a, Vector b, Vector c) { return {a.value * b.value + c.value}; }
inline Vector relu(Vector x) { return {Vector::Native{} > x.value ? Vector::Native{} : x.value}; }
inline Vector min(Vector bound, Vector x) { return {bound.value < x.value ? bound.value : x.value}; }
inline Vector max(Vector bound, Vector x) { return {bound.value > x.value ? bound.value : x.value}; }
inline Vector operator/(Vector a, Vector b) { return {a.value / b.value}; }
// Numbers of this size have no fraction, so the addition rounds.
inline Vector round(Vector x) {
  const Vector large = Vector::broadcast(12582912.f);
  return {(x.value + large.value) - large.value};
}
inline Vector power_of_two(Vector n) {
  typedef int32_t Exponents __attribute__((vector_size(16)));
  const Exponents bits = (__builtin_convertvector(n.value, Exponents) + 127) << 23;
  Vector power;
  __builtin_memcpy(&power.value, &bits, sizeof bits);
  return power;
}

template <typename V>
inline V in_register(V x) {
  return x;
}

using HalfVector = Vector;
using DepthwiseVector = Vector;

static_assert(Float32Vectors<Vector, HalfVector>);

}  // namespace
}  // namespace ghostnet::cpu
