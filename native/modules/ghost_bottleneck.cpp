#include "modules/ghost_bottleneck.h"

namespace ghostnet {

namespace nn = torch::nn;

namespace {

nn::Conv2d depthwise(int64_t channels, int64_t kernel, int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(channels, channels, kernel)
                        .stride(stride)
                        .padding((kernel - 1) / 2)
                        .groups(channels)
                        .bias(false));
}

}  // namespace

// The modules are created in the order of the reference, so that a seed gives each module the same values.
GhostBottleneckImpl::GhostBottleneckImpl(int64_t in, int64_t middle, int64_t out, int64_t kernel,
                                         int64_t stride, double se_ratio) {
  ghost1 = register_module("ghost1", GhostModule(in, middle));
  if (stride > 1) {
    conv_dw = register_module("conv_dw", depthwise(middle, kernel, stride));
    bn_dw = register_module("bn_dw", nn::BatchNorm2d(middle));
  }
  if (se_ratio > 0) {
    SqueezeExciteOptions options;
    options.se_ratio = se_ratio;
    se = register_module("se", SqueezeExcite(middle, options));
  }
  GhostModuleOptions linear;
  linear.relu = false;
  ghost2 = register_module("ghost2", GhostModule(middle, out, linear));
  if (in != out || stride != 1) {
    nn::Conv2d spatial = depthwise(in, kernel, stride);
    nn::BatchNorm2d spatial_norm(in);
    nn::Conv2d pointwise(nn::Conv2dOptions(in, out, 1).bias(false));
    nn::BatchNorm2d pointwise_norm(out);
    shortcut = register_module("shortcut", nn::Sequential(spatial, spatial_norm, pointwise, pointwise_norm));
  }
}

torch::Tensor GhostBottleneckImpl::forward(const torch::Tensor& x) {
  torch::Tensor y = ghost1(x);
  if (conv_dw) y = bn_dw(conv_dw(y));
  if (se) y = se(y);
  y = ghost2(y);
  return y + (shortcut ? shortcut->forward(x) : x);
}

}  // namespace ghostnet
