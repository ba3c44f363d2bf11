/**
 * The operator ghostnet::ghost_module: a ghost module at inference, its batch normalisations folded into
 * weights and biases. It has no derivative; train with modules/ghost_module.h. Source: arXiv 1911.11907,
 * section 3.1.
 */
#pragma once

#include <torch/torch.h>

namespace ghostnet {

/** Weights of one ghost module with the batch normalisations folded in: I intrinsic maps from C channels. */
struct FoldedGhostModule {
  torch::Tensor primary_weight;  ///< [I,C,k,k], k odd: a convolution with padding k/2
  torch::Tensor primary_bias;    ///< [I]
  torch::Tensor cheap_weight;    ///< [I*(ratio-1),1,d,d], d odd: depthwise, padding d/2, a group for each map
  torch::Tensor cheap_bias;      ///< [I*(ratio-1)]
};

struct GhostModuleArguments {
  torch::Tensor x;  ///< [N,C,H,W] floating point
  FoldedGhostModule weights;
  int64_t out_channels = 1;  ///< 1 to I*ratio: the concatenation of maps and ghosts is cut to this many
  int64_t stride = 1;        ///< of the primary convolution
  bool relu = true;          ///< after both convolutions
};

/** @throws c10::ValueError when the arguments do not fit each other */
void check_ghost_module(const GhostModuleArguments& arguments);

/** The operator in plain ATen: what every other backend is compared with. Checks its arguments. */
torch::Tensor ghost_module_reference(const GhostModuleArguments& arguments);

/**
 * Makes the operator known to LibTorch's dispatcher: a fused pass on the CPU, the reference for every other
 * device, Meta for shapes. Call it when the module starts. A second copy of the package in the process finds
 * the operator there and leaves it.
 */
void register_operators();

/**
 * Calls the operator through the dispatcher, so that the backend of the tensors' device runs.
 * @return [N,out_channels,H',W'], H' = (H + 2*(k/2) - k)/stride + 1
 * @throws c10::ValueError when the arguments do not fit each other
 */
torch::Tensor ghost_module(const GhostModuleArguments& arguments);

/** A backend as the dispatcher calls it. */
template <torch::Tensor (*backend)(const GhostModuleArguments&)>
torch::Tensor dispatched(const torch::Tensor& x, const torch::Tensor& primary_weight,
                         const torch::Tensor& primary_bias, const torch::Tensor& cheap_weight,
                         const torch::Tensor& cheap_bias, int64_t out_channels, int64_t stride, bool relu) {
  return backend({x, {primary_weight, primary_bias, cheap_weight, cheap_bias}, out_channels, stride, relu});
}

}  // namespace ghostnet
