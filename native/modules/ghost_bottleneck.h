#pragma once

#include <torch/torch.h>

#include "modules/ghost_module.h"
#include "modules/repghost_module.h"
#include "modules/squeeze_excite.h"

namespace ghostnet {

/**
 * Two ghost modules and a shortcut, with a strided depthwise convolution and squeeze-and-excitation between
 * the ghost modules if the stage table has them. [N,in,H,W] -> [N,out,ceil(H/stride),ceil(W/stride)],
 * float32. The second ghost module is linear.
 *
 * Source: arXiv 1911.11907, section 3.2, figure 3; GhostBottleneck of the reference; with branches,
 * GhostBottleneckV3 of timm, keys dw_rpr_*.
 */
class GhostBottleneckImpl : public torch::nn::Module {
 public:
  /**
   * @param architecture scales the channels of the row, and has the form of the weights
   * @param row of the stage table
   */
  GhostBottleneckImpl(int64_t in, const Architecture& architecture, const BlockSpec& row);
  torch::Tensor forward(const torch::Tensor& x);
  /** The strided convolution in the form of the weights; with a stride of 1, x itself. */
  torch::Tensor strided(const torch::Tensor& x);

  std::shared_ptr<MapsModule> ghost1;
  torch::nn::Conv2d conv_dw{nullptr};     ///< only with a stride above 1, and without branches
  torch::nn::BatchNorm2d bn_dw{nullptr};  ///< only with a stride above 1, in the form `norms`
  SqueezeExcite se{nullptr};              ///< only with an se_ratio above 0
  std::shared_ptr<MapsModule> ghost2;
  torch::nn::Sequential shortcut{nullptr};  ///< none if the input can be added unchanged

 private:
  void add_strided(int64_t channels, const BlockSpec& row, Form form);
  void add_shortcut(int64_t in, int64_t out, const Architecture& architecture, const BlockSpec& row);

  Branches dw_;
};
TORCH_MODULE(GhostBottleneck);

}  // namespace ghostnet
