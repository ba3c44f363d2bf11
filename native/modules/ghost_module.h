#pragma once

#include <torch/torch.h>

#include "model/architecture.h"
#include "modules/branches.h"
#include "modules/dfc_attention.h"
#include "modules/maps_module.h"

namespace ghostnet {

struct GhostModuleOptions {
  int64_t kernel_size = 1;  ///< side of the primary convolution, odd
  int64_t ratio = 2;        ///< output maps per intrinsic map, >= 2; 2 unless the form is `norms`
  int64_t dw_size = 3;      ///< side of the cheap operation, odd
  int64_t stride = 1;       ///< of the primary convolution
  bool relu = true;         ///< after both batch normalisations
  bool attention = false;   ///< multiplies the output by DFC attention; needs stride 1
  Form form = Form::norms;
};

/**
 * A primary convolution computes the intrinsic maps, the cheap operation (depthwise) computes the ghosts of
 * each, and both are concatenated and cut to `out` channels. [N,in,H,W] -> [N,out,H',W'], float32.
 *
 * Source: arXiv 1911.11907, section 3.1; GhostModule of the reference. Keys primary_conv.{0.weight,1.*},
 * cheap_operation.{0.weight,1.*}; short_conv.* with attention; with branches primary_rpr_*, cheap_rpr_*.
 */
class GhostModuleImpl : public MapsModule {
 public:
  GhostModuleImpl(int64_t in, int64_t out, const GhostModuleOptions& options = {});
  torch::Tensor forward(const torch::Tensor& x) override;

  torch::nn::Sequential primary_conv{nullptr};     ///< not with branches
  torch::nn::Sequential cheap_operation{nullptr};  ///< not with branches
  DfcAttention short_conv{nullptr};                ///< only with attention

 private:
  /** A convolution in the form of the weights, followed by the ReLU. */
  void add(torch::nn::Sequential& plain, Branches& branches, const std::string& name,
           const std::string& prefix, Form form);

  Branches primary_, cheap_;
  int64_t out_;
  bool relu_;
};
TORCH_MODULE(GhostModule);

}  // namespace ghostnet
