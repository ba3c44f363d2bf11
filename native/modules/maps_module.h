#pragma once

#include <torch/torch.h>

namespace ghostnet {

/** A module of a bottleneck that makes feature maps with cheap operations: a ghost module, or that of
 * RepGhost. [N,in,H,W] -> [N,out,H,W], float32. */
class MapsModule : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
};

}  // namespace ghostnet
