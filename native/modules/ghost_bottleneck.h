#pragma once

#include <torch/torch.h>

#include "modules/ghost_module.h"
#include "modules/squeeze_excite.h"

namespace ghostnet {

/**
 * Two ghost modules and a shortcut, with a strided depthwise convolution and squeeze-and-excitation between
 * the ghost modules if the stage table has them. [N,in,H,W] -> [N,out,ceil(H/stride),ceil(W/stride)],
 * float32. The second ghost module is linear.
 *
 * Source: arXiv 1911.11907, section 3.2, figure 3; GhostBottleneck of the reference.
 */
class GhostBottleneckImpl : public torch::nn::Module {
 public:
  /**
   * @param middle channels between the ghost modules
   * @param kernel side of the strided and of the shortcut's depthwise convolution, odd
   * @param se_ratio squeeze-and-excitation ratio; 0 omits squeeze-and-excitation
   */
  GhostBottleneckImpl(int64_t in, int64_t middle, int64_t out, int64_t kernel, int64_t stride,
                      double se_ratio);
  torch::Tensor forward(const torch::Tensor& x);

  GhostModule ghost1{nullptr};
  torch::nn::Conv2d conv_dw{nullptr};     ///< only with a stride above 1
  torch::nn::BatchNorm2d bn_dw{nullptr};  ///< only with a stride above 1
  SqueezeExcite se{nullptr};              ///< only with an se_ratio above 0
  GhostModule ghost2{nullptr};
  torch::nn::Sequential shortcut{nullptr};  ///< none if the input can be added unchanged
};
TORCH_MODULE(GhostBottleneck);

}  // namespace ghostnet
