/**
 * Between our arrays and LibTorch's tensors.
 */
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

#include "engine/array.h"

namespace ghostnet {

/** A tensor over the memory of an array, which must outlive it and is only read. */
torch::Tensor borrow(const ArrayView& view);

/** A contiguous copy in our own memory: float32, or int64 of an integer tensor. */
Array copy_out(const torch::Tensor& tensor);

/**
 * Copies arrays into the parameters and buffers of their names, converting to their dtype; counters that have
 * no array stay.
 * @throws Error GHOSTNET_BAD_DTYPE when an array can not become a parameter
 */
void fill(torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays);

/** Whether filling would change nothing. */
bool holds(const torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays);

}  // namespace ghostnet
