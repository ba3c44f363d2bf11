#include "modules/ghost_bottleneck.h"

namespace ghostnet {

namespace nn = torch::nn;

namespace {

nn::Conv2d depthwise(int64_t channels, int64_t kernel, int64_t stride, bool bias = false) {
  return nn::Conv2d(nn::Conv2dOptions(channels, channels, kernel)
                        .stride(stride)
                        .padding((kernel - 1) / 2)
                        .groups(channels)
                        .bias(bias));
}

/** A ghost module, or that of RepGhost. */
std::shared_ptr<MapsModule> maps_module(int64_t in, int64_t out, const Architecture& architecture,
                                        const GhostModuleOptions& options) {
  if (architecture.design == Design::repghost) {
    return std::make_shared<RepGhostModuleImpl>(in, out, options.relu, architecture.form);
  }
  return std::make_shared<GhostModuleImpl>(in, out, options);
}

}  // namespace

// The modules are created in the order of the reference, so that a seed gives each module the same values.
GhostBottleneckImpl::GhostBottleneckImpl(int64_t in, const Architecture& architecture, const BlockSpec& row) {
  const int64_t middle = architecture.scaled(row.expansion);
  const int64_t out = architecture.scaled(row.out);
  // The strided convolution of RepGhost has no branches.
  const Form strided = architecture.design == Design::repghost ? Form::norms : architecture.form;
  ghost1 = register_module("ghost1", maps_module(in, middle, architecture,
                                                 {.attention = row.attention, .form = architecture.form}));
  if (row.stride > 1) add_strided(middle, row, strided);
  if (row.se_ratio > 0) {
    SqueezeExciteOptions options;
    options.reduced = architecture.reduced_channels(middle, row.se_ratio);
    if (architecture.design == Design::first_code)
      options.gate = [](const torch::Tensor& x) { return torch::clamp(x, 0, 1); };
    se = register_module("se", SqueezeExcite(middle, options));
  }
  ghost2 = register_module(
      "ghost2", maps_module(middle, out, architecture, {.relu = false, .form = architecture.form}));
  if (in != out || row.stride != 1) add_shortcut(in, out, architecture, row);
}

void GhostBottleneckImpl::add_shortcut(int64_t in, int64_t out, const Architecture& architecture,
                                       const BlockSpec& row) {
  const bool is_first = architecture.design == Design::first_code;
  nn::Conv2d spatial = depthwise(in, is_first ? 3 : row.kernel, row.stride);
  nn::BatchNorm2d spatial_norm(in);
  nn::Conv2d pointwise(nn::Conv2dOptions(in, out, 1).bias(false));
  nn::BatchNorm2d pointwise_norm(out);
  nn::Sequential layers;
  layers->push_back("0", spatial);
  layers->push_back("1", spatial_norm);
  if (is_first) layers->push_back("act", nn::ReLU());
  layers->push_back("2", pointwise);
  layers->push_back("3", pointwise_norm);
  shortcut = register_module("shortcut", layers);
}

void GhostBottleneckImpl::add_strided(int64_t channels, const BlockSpec& row, Form form) {
  if (form == Form::branches) {
    dw_ = {.in = channels,
           .out = channels,
           .kernel = row.kernel,
           .stride = row.stride,
           .groups = channels,
           .has_scale = true};
    return dw_.register_in(*this, "dw_rpr");
  }
  const bool has_norm = form == Form::norms;
  conv_dw = register_module("conv_dw", depthwise(channels, row.kernel, row.stride, !has_norm));
  if (has_norm) bn_dw = register_module("bn_dw", nn::BatchNorm2d(channels));
}

torch::Tensor GhostBottleneckImpl::strided(const torch::Tensor& x) {
  if (dw_.convolutions) return dw_.forward(x);
  if (!conv_dw) return x;
  const torch::Tensor y = conv_dw(x);
  return bn_dw ? bn_dw(y) : y;
}

torch::Tensor GhostBottleneckImpl::forward(const torch::Tensor& x) {
  torch::Tensor y = strided(ghost1->forward(x));
  if (se) y = se(y);
  y = ghost2->forward(y);
  return y + (shortcut ? shortcut->forward(x) : x);
}

}  // namespace ghostnet
