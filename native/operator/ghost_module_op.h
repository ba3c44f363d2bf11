/**
 * The operator ghostnet::ghost_module: a ghost module at inference, its batch normalisations folded into
 * weights and biases.
 *
 *     ghost_module(Tensor x, Tensor primary_weight, Tensor primary_bias, Tensor cheap_weight,
 *                  Tensor cheap_bias, int out_channels, int stride=1, bool relu=True) -> Tensor
 *
 * - x: [N,C,H,W], floating point
 * - primary_weight: [I,C,k,k], k odd: the primary convolution, padding k/2, computes the intrinsic maps
 * - primary_bias: [I]
 * - cheap_weight: [I*(ratio-1),1,d,d], d odd: the depthwise cheap operation, padding d/2, one group per
 *   intrinsic map
 * - cheap_bias: [I*(ratio-1)]
 * - out_channels: from 1 to I*ratio; the concatenation of intrinsic maps and ghosts is cut to this number
 * - stride: of the primary convolution
 * - relu: after both convolutions
 * - returns [N,out_channels,H',W'], H' = (H + 2*(k/2) - k)/stride + 1
 *
 * Inference only: the operator has no derivative; train with modules/ghost_module.h. Source: arXiv
 * 1911.11907, section 3.1.
 */
#pragma once

#include <torch/torch.h>

namespace ghostnet {

/** Weights of one ghost module with the batch normalisations folded in. */
struct FoldedGhostModule {
  torch::Tensor primary_weight, primary_bias, cheap_weight, cheap_bias;
};

/** @throws c10::ValueError if the arguments do not match each other */
void check_ghost_module(const torch::Tensor& x, const torch::Tensor& primary_weight,
                        const torch::Tensor& primary_bias, const torch::Tensor& cheap_weight,
                        const torch::Tensor& cheap_bias, int64_t out_channels, int64_t stride);

/** The operator in plain ATen, with which every other backend is compared. Checks its arguments. */
torch::Tensor ghost_module_reference(const torch::Tensor& x, const torch::Tensor& primary_weight,
                                     const torch::Tensor& primary_bias, const torch::Tensor& cheap_weight,
                                     const torch::Tensor& cheap_bias, int64_t out_channels, int64_t stride,
                                     bool relu);

/**
 * Registers the operator with LibTorch's dispatcher: a fused pass on the CPU, the reference on every other
 * device, Meta for shapes. Call it when the module starts. A second copy of the package in the process finds
 * the operator registered and leaves it unchanged.
 */
void register_operators();

/** Calls the operator through the dispatcher, so that the backend of the tensors' device runs. */
torch::Tensor ghost_module(const torch::Tensor& x, const FoldedGhostModule& weights, int64_t out_channels,
                           int64_t stride, bool relu);

}  // namespace ghostnet
