/**
 * As many fused multiply-adds as the processor can compute, only on registers: the upper limit for the speed
 * of a kernel. Included only by kernels.cpp, after the vectors.
 */
#pragma once

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

int64_t multiply_add_rounds(int64_t rounds, float* out) {
  // More chains than latency times throughput, and few enough for the registers of every instruction set.
  constexpr int kChains = 12;
  const Vector factor = Vector::load(out);
  const Vector term = Vector::load(out + Vector::kLanes);
  Vector sum[kChains];
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) sum[chain] = Vector::broadcast(static_cast<float>(chain));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int chain = 0; chain < kChains; ++chain) sum[chain] = fma(sum[chain], factor, term);
  }
  Vector all = Vector::zero();
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) all = all + sum[chain];
  all.store(out);
  return rounds * kChains * Vector::kLanes;
}

}  // namespace
}  // namespace ghostnet::cpu
