#include "modules/branches.h"

namespace ghostnet {

namespace {

constexpr int kConvolutions = 3;

}  // namespace

// In the order of the reference, so that a seed gives each module the same values.
void Branches::register_in(torch::nn::Module& owner, const std::string& prefix) {
  const ConvBnActOptions options = {.stride = stride, .groups = groups, .relu = false};
  if (has_skip) skip = owner.register_module(prefix + "_skip", torch::nn::BatchNorm2d(in));
  torch::nn::ModuleList list;
  for (int index = 0; index < kConvolutions; ++index) list->push_back(ConvBnAct(in, out, kernel, options));
  convolutions = owner.register_module(prefix + "_conv", list);
  if (has_scale) scale = owner.register_module(prefix + "_scale", ConvBnAct(in, out, 1, options));
}

torch::Tensor Branches::forward(const torch::Tensor& x) {
  torch::Tensor sum;
  const auto add = [&](const torch::Tensor& y) { sum = sum.defined() ? sum + y : y; };
  if (scale) add(scale(x));
  if (skip) add(skip(x));
  for (const auto& item : *convolutions) add(item->as<ConvBnActImpl>()->forward(x));
  return sum;
}

}  // namespace ghostnet
