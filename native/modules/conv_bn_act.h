#pragma once

#include <torch/torch.h>

namespace ghostnet {

/**
 * Convolution without bias, batch normalisation, ReLU. [N,C,H,W] -> [N,out,H',W'], float32.
 * Source: ConvBnAct of the reference; keys conv.weight, bn1.*.
 */
class ConvBnActImpl : public torch::nn::Module {
 public:
  ConvBnActImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
};
TORCH_MODULE(ConvBnAct);

}  // namespace ghostnet
