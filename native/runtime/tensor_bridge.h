/**
 * Conversions between our arrays and LibTorch's tensors.
 */
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

#include "base/array.h"

namespace ghostnet {

/** A read-only tensor over the memory of an array, which must outlive the tensor. */
torch::Tensor borrow(const ArrayView& view);

/** A contiguous copy in our own memory: float32, or int64 for an integer tensor. */
Array copy_out(const torch::Tensor& tensor);

/**
 * Copies arrays into the parameters and buffers of the same names and converts them to their dtype.
 * Parameters and buffers without an array keep their values.
 * @throws Error GHOSTNET_BAD_DTYPE if an array cannot be used as a parameter
 */
void fill(torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays);

/** Whether fill() would change nothing. */
bool holds(const torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays);

}  // namespace ghostnet
