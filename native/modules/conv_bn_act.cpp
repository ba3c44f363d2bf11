#include "modules/conv_bn_act.h"

namespace ghostnet {

ConvBnActImpl::ConvBnActImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  conv = register_module(
      "conv", torch::nn::Conv2d(
                  torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).bias(false)));
  bn1 = register_module("bn1", torch::nn::BatchNorm2d(out));
}

torch::Tensor ConvBnActImpl::forward(const torch::Tensor& x) { return torch::relu(bn1(conv(x))); }

}  // namespace ghostnet
