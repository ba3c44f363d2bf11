#pragma once

#include <torch/torch.h>

namespace ghostnet {

/**
 * DFC (decoupled fully connected) attention of GhostNetV2: a gate for each value of a ghost module's output,
 * computed from the module's input at half the resolution by a 1x1 convolution and depthwise convolutions
 * along rows and columns. [N,in,H,W] with H and W of at least 2 -> [N,out,H,W] in (0, 1), float32.
 *
 * Source: arXiv 2211.12905, section 3.2; short_conv of the reference's GhostModuleV2, with its keys.
 */
class DfcAttentionImpl : public torch::nn::SequentialImpl {
 public:
  DfcAttentionImpl(int64_t in, int64_t out);
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(DfcAttention);

}  // namespace ghostnet
