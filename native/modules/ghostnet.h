#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>

#include "model/architecture.h"

namespace ghostnet {

/**
 * The network as in the paper. [N,3,H,W] float32, already normalised, with H and W of at least
 * least_side(architecture) -> [N,num_classes]. Parameter and buffer names are the keys of the official
 * checkpoints. Constructed in evaluation mode.
 *
 * Source: arXiv 1911.11907, table 1; GhostNet of the reference.
 */
class GhostNetImpl : public torch::nn::Module {
 public:
  /** @throws Error GHOSTNET_INVALID_ARGUMENT if the architecture is invalid */
  explicit GhostNetImpl(const Architecture& architecture);

  /** Logits, [N,num_classes]; only with classes. */
  torch::Tensor forward(const torch::Tensor& x);
  /** The input of the classifier: [N,kFeatureChannels], after the head's ReLU, before dropout. */
  torch::Tensor features(const torch::Tensor& x);
  /** Logits of features, [N,kFeatureChannels] -> [N,num_classes]. */
  torch::Tensor classify(const torch::Tensor& features);

  const Architecture& architecture() const { return architecture_; }

  torch::nn::Conv2d conv_stem{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Sequential blocks{nullptr};
  torch::nn::Conv2d conv_head{nullptr};
  torch::nn::BatchNorm2d bn2{nullptr};    ///< only in the first code
  torch::nn::Linear classifier{nullptr};  ///< none without classes

 private:
  Architecture architecture_;
};
TORCH_MODULE(GhostNet);

/**
 * A network with new weights from PyTorch's distributions. With a seed, the weights are exactly those of
 * the reference after `torch.manual_seed(seed)`. The random state of the process does not change.
 * @param seed taken from the operating system's entropy if not given
 */
GhostNet make_ghostnet(const Architecture& architecture, std::optional<uint64_t> seed = std::nullopt);

}  // namespace ghostnet
