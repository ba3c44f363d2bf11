#pragma once

#include "model/architecture.h"
#include "modules/maps_module.h"

namespace ghostnet {

/**
 * The module of RepGhost: a 1x1 convolution, a depthwise convolution of its result, and in training the
 * result itself, added after a batch normalisation. [N,in,H,W] -> [N,out,H,W], float32.
 *
 * Source: arXiv 2211.06088, section 3; RepGhostModule of timm. Keys primary_conv.{0.weight,1.*};
 * fusion_bn.0.*, cheap_operation.{0.weight,1.*} with branches; cheap_operation.{weight,bias} deployed.
 */
class RepGhostModuleImpl : public MapsModule {
 public:
  /** @param form `branches` or `deployed` */
  RepGhostModuleImpl(int64_t in, int64_t out, bool relu, Form form);
  torch::Tensor forward(const torch::Tensor& x) override;

  torch::nn::Sequential primary_conv{nullptr};
  torch::nn::Sequential fusion_bn{nullptr};        ///< only with branches
  torch::nn::Sequential cheap_operation{nullptr};  ///< only with branches
  torch::nn::Conv2d deployed{nullptr};             ///< only deployed: cheap_operation

 private:
  bool relu_;
};
TORCH_MODULE(RepGhostModule);

}  // namespace ghostnet
