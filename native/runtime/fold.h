#pragma once

#include <torch/torch.h>

#include "engine/folded_network.h"

namespace ghostnet {

class GhostNetImpl;

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
                              const torch::Tensor& variance, double epsilon = 1e-5);

/** @param net in evaluation mode; its weights are copied */
FoldedNetwork fold_network(const GhostNetImpl& net);

}  // namespace ghostnet
