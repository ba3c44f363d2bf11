#include "modules/ghost_module.h"

namespace ghostnet {

namespace nn = torch::nn;

GhostModuleImpl::GhostModuleImpl(int64_t in, int64_t out, const GhostModuleOptions& options)
    : out_(out), relu_(options.relu) {
  const int64_t intrinsic = (out + options.ratio - 1) / options.ratio;
  primary_ = {.in = in, .out = intrinsic, .kernel = options.kernel_size, .stride = options.stride};
  cheap_ = {.in = intrinsic,
            .out = intrinsic * (options.ratio - 1),
            .kernel = options.dw_size,
            .groups = intrinsic,
            .has_scale = true,
            .has_skip = true};
  add(primary_conv, primary_, "primary_conv", "primary_rpr", options.form);
  add(cheap_operation, cheap_, "cheap_operation", "cheap_rpr", options.form);
  if (options.attention) short_conv = register_module("short_conv", DfcAttention(in, out));
}

void GhostModuleImpl::add(nn::Sequential& plain, Branches& branches, const std::string& name,
                          const std::string& prefix, Form form) {
  if (form == Form::branches) return branches.register_in(*this, prefix);
  const bool has_norm = form == Form::norms;
  nn::Sequential layers(nn::Conv2d(nn::Conv2dOptions(branches.in, branches.out, branches.kernel)
                                       .stride(branches.stride)
                                       .padding(branches.kernel / 2)
                                       .groups(branches.groups)
                                       .bias(!has_norm)));
  if (has_norm) layers->push_back(nn::BatchNorm2d(branches.out));
  if (relu_) layers->push_back(nn::ReLU());
  plain = register_module(name, layers);
}

torch::Tensor GhostModuleImpl::forward(const torch::Tensor& x) {
  const auto run = [&](nn::Sequential& plain, Branches& branches, const torch::Tensor& input) {
    if (plain) return plain->forward(input);
    const torch::Tensor sum = branches.forward(input);
    return relu_ ? torch::relu(sum) : sum;
  };
  const torch::Tensor intrinsic = run(primary_conv, primary_, x);
  const torch::Tensor ghosts = run(cheap_operation, cheap_, intrinsic);
  const torch::Tensor y = torch::cat({intrinsic, ghosts}, 1).narrow(1, 0, out_);
  return short_conv ? y * short_conv(x) : y;
}

}  // namespace ghostnet
