#include "modules/squeeze_excite.h"

#include "model/architecture.h"

namespace ghostnet {

torch::Tensor hard_sigmoid(const torch::Tensor& x) { return torch::relu6(x + 3.) / 6.; }

SqueezeExciteImpl::SqueezeExciteImpl(int64_t channels, const SqueezeExciteOptions& options)
    : activation_(options.activation), gate_(options.gate) {
  const auto base = static_cast<double>(options.reduced_base_channels.value_or(channels));
  const int64_t reduced = make_divisible(base * options.se_ratio, options.divisor);
  conv_reduce =
      register_module("conv_reduce", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, reduced, 1)));
  conv_expand =
      register_module("conv_expand", torch::nn::Conv2d(torch::nn::Conv2dOptions(reduced, channels, 1)));
}

torch::Tensor SqueezeExciteImpl::forward(const torch::Tensor& x) {
  const torch::Tensor means = torch::adaptive_avg_pool2d(x, {1, 1});
  return x * gate_(conv_expand(activation_(conv_reduce(means))));
}

}  // namespace ghostnet
