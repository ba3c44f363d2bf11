#pragma once

#include <torch/torch.h>

#include <string>

#include "modules/conv_bn_act.h"

namespace ghostnet {

/**
 * A convolution of GhostNetV3 in training: the sum of several convolutions of the same input, each with its
 * batch normalisation. Folded, they are one convolution (runtime/fold.h).
 *
 * It registers its parts in the module that owns it, under the names of the checkpoints: PREFIX_conv.N,
 * PREFIX_scale, a 1x1 convolution, and PREFIX_skip, a batch normalisation of the input itself.
 *
 * Source: arXiv 2404.11202, section 3.1; GhostModuleV3 of timm.
 */
struct Branches {
  int64_t in = 0, out = 0;
  int64_t kernel = 1;  ///< odd
  int64_t stride = 1, groups = 1;
  bool has_scale = false, has_skip = false;

  void register_in(torch::nn::Module& owner, const std::string& prefix);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::BatchNorm2d skip{nullptr};
  torch::nn::ModuleList convolutions{nullptr};
  ConvBnAct scale{nullptr};
};

}  // namespace ghostnet
