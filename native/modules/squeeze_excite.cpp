#include "modules/squeeze_excite.h"

namespace ghostnet {

torch::Tensor hard_sigmoid(const torch::Tensor& x) { return torch::relu6(x + 3.) / 6.; }

SqueezeExciteImpl::SqueezeExciteImpl(int64_t channels, const SqueezeExciteOptions& options)
    : activation_(options.activation), gate_(options.gate) {
  const auto layer = [](int64_t in, int64_t out) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1));
  };
  conv_reduce = register_module("conv_reduce", layer(channels, options.reduced));
  conv_expand = register_module("conv_expand", layer(options.reduced, channels));
}

torch::Tensor SqueezeExciteImpl::forward(const torch::Tensor& x) {
  const torch::Tensor means = torch::adaptive_avg_pool2d(x, {1, 1});
  return x * gate_(conv_expand(activation_(conv_reduce(means))));
}

}  // namespace ghostnet
