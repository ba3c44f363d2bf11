/**
 * The table of the kernels on activations, for the vectors and the `product` that the including file has.
 */
#pragma once

#include "kernels/cpu/depthwise_kernel.h"
#include "kernels/cpu/pixel_kernels.h"

namespace ghostnet::cpu {
namespace {

constexpr KernelsOn<Value> kValueTable = {
    .lanes = Vector::kLanes,
    .half_lanes = HalfVector::kLanes,
    .product = product,
    .depthwise_row = depthwise_row,
    .sum_pixels = sum_pixels,
    .scale_panel = scale_panel,
    .scale_pixels = scale_pixels,
    .halve_row = halve_row,
    .sigmoid = sigmoid,
    .normalise_row = normalise_row,
    .interleave_row = interleave_row,
};

}  // namespace
}  // namespace ghostnet::cpu
