#include "modules/ghost_module.h"

namespace ghostnet {

namespace nn = torch::nn;

GhostModuleImpl::GhostModuleImpl(int64_t in, int64_t out, const GhostModuleOptions& options) : out_(out) {
  const int64_t intrinsic = (out + options.ratio - 1) / options.ratio;
  const int64_t ghosts = intrinsic * (options.ratio - 1);
  primary_conv = register_module(
      "primary_conv", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(in, intrinsic, options.kernel_size)
                                                    .stride(options.stride)
                                                    .padding(options.kernel_size / 2)
                                                    .bias(false)),
                                     nn::BatchNorm2d(intrinsic)));
  cheap_operation = register_module(
      "cheap_operation", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(intrinsic, ghosts, options.dw_size)
                                                       .padding(options.dw_size / 2)
                                                       .groups(intrinsic)
                                                       .bias(false)),
                                        nn::BatchNorm2d(ghosts)));
  if (options.relu) {
    primary_conv->push_back(nn::ReLU());
    cheap_operation->push_back(nn::ReLU());
  }
}

torch::Tensor GhostModuleImpl::forward(const torch::Tensor& x) {
  const torch::Tensor intrinsic = primary_conv->forward(x);
  const torch::Tensor ghosts = cheap_operation->forward(intrinsic);
  return torch::cat({intrinsic, ghosts}, 1).narrow(1, 0, out_);
}

}  // namespace ghostnet
