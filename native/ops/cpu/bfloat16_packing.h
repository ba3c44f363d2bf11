/**
 * Packed weights in the form that the kernels on bfloat16 take. Free of LibTorch.
 */
#pragma once

#include "ops/cpu/packing.h"

namespace ghostnet::cpu {

/** Weights rounded to nearest even, in pairs; biases stay float32. @param product of float32 */
PackedProduct in_bfloat16(const Packing& packing, const PackedProduct& product);

/** The same float32 weights in another order. @param weights for the kernels on float32 */
PackedDepthwise in_bfloat16(const Packing& packing, const PackedDepthwise& weights);

}  // namespace ghostnet::cpu
