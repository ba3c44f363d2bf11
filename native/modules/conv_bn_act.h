#pragma once

#include <torch/torch.h>

namespace ghostnet {

struct ConvBnActOptions {
  int64_t stride = 1;
  int64_t groups = 1;
  bool relu = true;
};

/**
 * Convolution without bias, batch normalisation, ReLU. [N,C,H,W] -> [N,out,H',W'], float32.
 * Source: ConvBnAct of the reference; keys conv.weight, bn1.*.
 */
class ConvBnActImpl : public torch::nn::Module {
 public:
  /** @param kernel odd; the padding is kernel/2 */
  ConvBnActImpl(int64_t in, int64_t out, int64_t kernel, const ConvBnActOptions& options = {});
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};

 private:
  bool relu_;
};
TORCH_MODULE(ConvBnAct);

}  // namespace ghostnet
