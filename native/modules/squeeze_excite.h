#pragma once

#include <torch/torch.h>

#include <functional>
#include <optional>

namespace ghostnet {

using TensorFunction = std::function<torch::Tensor(const torch::Tensor&)>;

/** relu6(x + 3) / 6. Source: arXiv 1905.02244, section 5.2; hard_sigmoid of the reference. */
torch::Tensor hard_sigmoid(const torch::Tensor& x);

struct SqueezeExciteOptions {
  int64_t reduced = 0;  ///< channels between the two convolutions, >= 1
  TensorFunction activation = [](const torch::Tensor& x) { return torch::relu(x); };
  TensorFunction gate = hard_sigmoid;
};

/**
 * Scales each channel by a gate computed from the means of all channels. [N,C,H,W] -> [N,C,H,W], float32.
 * Source: SqueezeExcite of the reference; keys conv_reduce.{weight,bias}, conv_expand.{weight,bias}.
 */
class SqueezeExciteImpl : public torch::nn::Module {
 public:
  explicit SqueezeExciteImpl(int64_t channels, const SqueezeExciteOptions& options = {});
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Conv2d conv_reduce{nullptr};
  torch::nn::Conv2d conv_expand{nullptr};

 private:
  TensorFunction activation_;
  TensorFunction gate_;
};
TORCH_MODULE(SqueezeExcite);

}  // namespace ghostnet
