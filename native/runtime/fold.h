#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

#include "engine/folded_network.h"

namespace ghostnet {

class GhostNetImpl;

/** Of every batch normalisation of the family. */
inline constexpr double kNormEpsilon = 1e-5;

/** A convolution that includes the batch normalisation after it. */
struct FoldedTensors {
  torch::Tensor weight, bias;  ///< float32
};

/**
 * Folds a batch normalisation into the convolution before it, in float64: weight * g, beta - mean * g with
 * g = gamma / sqrt(variance + epsilon).
 * @param weight [out,in/groups,k,k]
 * @param gamma,beta,mean,variance [out]
 */
FoldedTensors fold_batch_norm(const torch::Tensor& weight, const torch::Tensor& gamma,
                              const torch::Tensor& beta, const torch::Tensor& mean,
                              const torch::Tensor& variance, double epsilon = kNormEpsilon);

/** @param net in evaluation mode; its weights are copied */
FoldedNetwork fold_network(const GhostNetImpl& net);

/**
 * The parameters and buffers of the network in the form `deployed`, by its checkpoint keys: the branches of
 * each convolution are folded into one, in float64, and everything else is as it was. Source:
 * reparameterize() of timm's GhostNetV3.
 * @param net in evaluation mode, in any form
 */
std::map<std::string, torch::Tensor> deployed_state(const GhostNetImpl& net);

}  // namespace ghostnet
