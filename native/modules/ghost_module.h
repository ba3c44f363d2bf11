#pragma once

#include <torch/torch.h>

namespace ghostnet {

struct GhostModuleOptions {
  int64_t kernel_size = 1;  ///< side of the primary convolution, odd
  int64_t ratio = 2;        ///< output maps per intrinsic map, >= 2
  int64_t dw_size = 3;      ///< side of the cheap operation, odd
  int64_t stride = 1;       ///< of the primary convolution
  bool relu = true;         ///< after both batch normalisations
};

/**
 * A primary convolution computes the intrinsic maps, the cheap operation (depthwise) computes the ghosts of
 * each, and both are concatenated and cut to `out` channels. [N,in,H,W] -> [N,out,H',W'], float32.
 *
 * Source: arXiv 1911.11907, section 3.1; GhostModule of the reference. Keys primary_conv.{0.weight,1.*},
 * cheap_operation.{0.weight,1.*}.
 */
class GhostModuleImpl : public torch::nn::Module {
 public:
  GhostModuleImpl(int64_t in, int64_t out, const GhostModuleOptions& options = {});
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Sequential primary_conv{nullptr};
  torch::nn::Sequential cheap_operation{nullptr};

 private:
  int64_t out_;
};
TORCH_MODULE(GhostModule);

}  // namespace ghostnet
