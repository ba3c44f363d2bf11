#include "modules/repghost_module.h"

namespace ghostnet {

namespace nn = torch::nn;

namespace {

nn::Conv2d cheap(int64_t channels, bool bias) {
  return nn::Conv2d(nn::Conv2dOptions(channels, channels, 3).padding(1).groups(channels).bias(bias));
}

}  // namespace

// In the order of the reference, so that a seed gives each module the same values.
RepGhostModuleImpl::RepGhostModuleImpl(int64_t in, int64_t out, bool relu, Form form) : relu_(relu) {
  nn::Conv2d primary(nn::Conv2dOptions(in, out, 1).bias(false));
  primary_conv = register_module("primary_conv", nn::Sequential(primary, nn::BatchNorm2d(out)));
  if (form == Form::deployed) {
    deployed = register_module("cheap_operation", cheap(out, true));
    return;
  }
  fusion_bn = register_module("fusion_bn", nn::Sequential(nn::BatchNorm2d(out)));
  cheap_operation =
      register_module("cheap_operation", nn::Sequential(cheap(out, false), nn::BatchNorm2d(out)));
}

torch::Tensor RepGhostModuleImpl::forward(const torch::Tensor& x) {
  const auto activated = [&](const torch::Tensor& y) { return relu_ ? torch::relu(y) : y; };
  const torch::Tensor maps = activated(primary_conv->forward(x));
  if (deployed) return activated(deployed(maps));
  return activated(cheap_operation->forward(maps) + fusion_bn->forward(maps));
}

}  // namespace ghostnet
