/**
 * The kernels of each capability, with one row per precision.
 */
#pragma once

#include "kernels/cpu/capability.h"
#include "kernels/cpu/kernels.h"
#include "precisions.h"  // generated from lib/model/precision.ts

namespace ghostnet::cpu {

struct Kernels {
  const Float32Kernels* float32;
  const KernelsOn<BFloat16>* bfloat16;  ///< null if the capability or the processor has none

  /** The row for a type of activations; null if there is none. */
  template <typename Value>
  const KernelsOn<Value>* row() const;
};
template <>
inline const KernelsOn<float>* Kernels::row<float>() const {
  return float32;
}
template <>
inline const KernelsOn<BFloat16>* Kernels::row<BFloat16>() const {
  return bfloat16;
}

/** @param capability one of available_capabilities() */
Kernels kernels_of(Capability capability);

/** @throws Error GHOSTNET_UNSUPPORTED_PRECISION: no processor has kernels for it */
[[noreturn]] void refuse_precision(Precision precision);

/**
 * Calls run.template operator()<Value>() with the type in which activations of a precision are stored. This
 * is the only place that maps a precision to a type.
 * @throws Error GHOSTNET_UNSUPPORTED_PRECISION for a precision that only GPUs support
 */
template <typename Run>
auto visit(Precision precision, const Run& run) {
  switch (precision) {
    case Precision::float32:
      return run.template operator()<float>();
    case Precision::bfloat16:
      return run.template operator()<BFloat16>();
    case Precision::tf32:
    case Precision::float16:
      break;
  }
  refuse_precision(precision);
}

}  // namespace ghostnet::cpu
