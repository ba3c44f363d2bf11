#include "modules/conv_bn_act.h"

namespace ghostnet {

ConvBnActImpl::ConvBnActImpl(int64_t in, int64_t out, int64_t kernel, const ConvBnActOptions& options)
    : relu_(options.relu) {
  conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                                                       .stride(options.stride)
                                                       .padding(kernel / 2)
                                                       .groups(options.groups)
                                                       .bias(false)));
  bn1 = register_module("bn1", torch::nn::BatchNorm2d(out));
}

torch::Tensor ConvBnActImpl::forward(const torch::Tensor& x) {
  const torch::Tensor y = bn1(conv(x));
  return relu_ ? torch::relu(y) : y;
}

}  // namespace ghostnet
